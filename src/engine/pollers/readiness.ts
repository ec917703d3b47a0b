import type { Clock } from "#core/clock";
import type { Queue } from "#storage/queue";

/** A name's first elements: [account, region, kind, name]. */
export type QueuePrefix = readonly [account: string, region: string, kind: string, name: string];

/** After a receive that found nothing though messages are visible: they are held back by others of their group. */
const HELD_BACK_MS = 1000;

/**
 * Tells when stored queues may have messages: by the storage's own notice of an append, and by a timer only while a
 * delay or a lease runs. A queue that holds nothing costs one entry in a map.
 */
export class Readiness {
  readonly #queue: Queue;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #unwatch: () => void;

  constructor(queue: Queue, clock: Clock) {
    this.#queue = queue;
    this.#clock = clock;
    this.#unwatch = queue.watch([], (name) => {
      if (this.#waiting.size === 0) return;
      for (const wake of this.#waiting.get(keyOf(name)) ?? []) wake();
    });
  }

  /** Resolves once a message of a queue under `prefix` may be received, or `signal` is aborted. */
  wait(prefix: QueuePrefix, signal: AbortSignal, afterNothing: boolean): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const due = this.#due(prefix);
    const now = this.#clock.now();
    if (due !== undefined && due <= now && !afterNothing) return Promise.resolve();
    return new Promise((resolve) => {
      const key = keyOf(prefix);
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const wake = (): void => {
        timer?.cancel();
        signal.removeEventListener("abort", wake);
        waiting.delete(wake);
        if (waiting.size === 0) this.#waiting.delete(key);
        resolve();
      };
      const timer =
        due === undefined
          ? undefined
          : this.#clock.after(due <= now ? HELD_BACK_MS : Math.max(1, due - now), wake);
      signal.addEventListener("abort", wake);
      waiting.add(wake);
    });
  }

  close(): void {
    this.#unwatch();
  }

  /** When the first message falls due, now or later; undefined where there is none. */
  #due(prefix: QueuePrefix): number | undefined {
    const now = this.#clock.now();
    const dues = this.#queue.queues(prefix).map((name) => {
      const { visible, nextDueAt } = this.#queue.depth(name);
      return visible > 0 ? now : (nextDueAt ?? Infinity);
    });
    const first = Math.min(...dues);
    return Number.isFinite(first) ? first : undefined;
  }
}

function keyOf([account, region, kind, name]: readonly string[]): string {
  return `${account}/${region}/${kind}/${name}`;
}
