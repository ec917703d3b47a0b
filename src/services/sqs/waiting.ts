import type { Clock, Timer } from "#core/clock";
import type { QueueName } from "#storage/documents";
import type { Queue } from "#storage/queue";

/** How many waiters of a queue are served in one round. */
const AT_ONCE = 32;

interface Waiter<T> {
  /** Looks for messages; an empty array where there is none. */
  readonly attempt: () => Promise<readonly T[]>;
  readonly settle: (found: readonly T[]) => void;
  readonly fail: (error: unknown) => void;
  /** Ends the wait, after the attempt that is under way. */
  readonly end: () => void;
  busy: boolean;
}

/** Those who wait at one queue, in the order in which they came. */
class Line {
  readonly waiters = new Set<Waiter<unknown>>();
  /** For the moment when a delay or a lease ends. */
  timer: Timer | undefined;
  /** Something may have become visible while the line was being served. */
  stirred = false;
  serving = false;
}

/**
 * Long polls. A waiter costs a few objects and no polling: the line of a queue is served when the storage tells of a
 * message, and at the time when the next delay or lease ends. No more waiters are tried at once than there are messages.
 */
export class Waiting {
  readonly #queue: Queue;
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line>();
  readonly #unwatch: () => void;
  #closed = false;

  constructor(queue: Queue, clock: Clock) {
    this.#queue = queue;
    this.#clock = clock;
    this.#unwatch = queue.watch([], (name) => {
      if (name[2] === "sqs" && this.#lines.size > 0) this.#stir(name);
    });
  }

  /**
   * Resolves with what `attempt` finds, at the latest after `ms` milliseconds with nothing; at once where `signal` is
   * aborted or the platform stops. What an attempt finds that is under way by then is still handed over.
   */
  wait<T>(
    name: QueueName,
    ms: number,
    signal: AbortSignal,
    attempt: () => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    if (this.#closed || signal.aborted) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const key = JSON.stringify(name);
      const line = this.#lines.get(key) ?? new Line();
      this.#lines.set(key, line);
      let over = false;
      const leave = (): void => {
        line.waiters.delete(waiter as Waiter<unknown>);
        timer.cancel();
        signal.removeEventListener("abort", giveUp);
        if (line.waiters.size > 0) return;
        line.timer?.cancel();
        this.#lines.delete(key);
      };
      const giveUp = (): void => {
        over = true;
        if (waiter.busy) return;
        leave();
        resolve([]);
      };
      const waiter: Waiter<T> = {
        attempt,
        busy: false,
        end: giveUp,
        settle: (found) => {
          if (found.length === 0 && !over) return;
          leave();
          resolve(found);
        },
        fail: (error) => {
          leave();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      };
      const timer = this.#clock.after(ms, giveUp);
      signal.addEventListener("abort", giveUp, { once: true });
      line.waiters.add(waiter as Waiter<unknown>);
      this.#stir(name);
    });
  }

  /** Ends the waits at one queue, or at all, with nothing. */
  release(name?: QueueName): void {
    const lines = name === undefined ? this.#lines.values() : [this.#lines.get(JSON.stringify(name))];
    const waiters = [...lines].flatMap((line) => (line === undefined ? [] : [...line.waiters]));
    for (const waiter of waiters) waiter.end();
  }

  /** Ends all waits; who comes later does not wait. */
  close(): void {
    this.#closed = true;
    this.#unwatch();
    this.release();
  }

  #stir(name: QueueName): void {
    const line = this.#lines.get(JSON.stringify(name));
    if (line === undefined) return;
    line.stirred = true;
    if (!line.serving) void this.#serve(name, line);
  }

  async #serve(name: QueueName, line: Line): Promise<void> {
    line.serving = true;
    line.timer?.cancel();
    let nextDueAt: number | undefined;
    while (line.stirred && line.waiters.size > 0) {
      line.stirred = false;
      const depth = this.#queue.depth(name);
      nextDueAt = depth.nextDueAt;
      if (depth.visible === 0) break;
      const first = [...line.waiters].slice(0, Math.min(depth.visible, AT_ONCE));
      const served = await Promise.all(first.map((waiter) => this.#try(waiter)));
      // Others may have more luck with what is left; after a fruitless round only news can help.
      if (served.includes(true)) line.stirred = true;
    }
    line.serving = false;
    if (line.waiters.size === 0 || nextDueAt === undefined) return;
    // It was in the future when it was asked for, and may have come since.
    line.timer = this.#clock.after(Math.max(1, nextDueAt - this.#clock.now()), () => this.#stir(name));
  }

  async #try(waiter: Waiter<unknown>): Promise<boolean> {
    waiter.busy = true;
    try {
      const found = await waiter.attempt();
      waiter.busy = false;
      waiter.settle(found);
      return found.length > 0;
    } catch (error) {
      waiter.fail(error);
      return false;
    }
  }
}
