import { availableParallelism } from "node:os";
import type { Clock } from "#core/clock";
import { loopLoad } from "../invocation/loop-load.ts";
import type { QueueMapping } from "./contract.ts";
import { Places } from "./places.ts";
import { QueuePoller } from "./queue-poller.ts";

export interface PollersOptions {
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
  /** Batches of this node under way at once, at most. */
  readonly most: number;
  /** How busy the event loop was since the last call, from 0 to 1. */
  readonly load?: () => number;
}

/** What is going on for a mapping. */
export interface MappingState {
  /** Whether batches are under way: of what it is, or of what it was before. */
  readonly busy: boolean;
  /** Why its source cannot be read, where it cannot. */
  readonly problem: string | undefined;
}

const IDLE: MappingState = { busy: false, problem: undefined };

/** The pollers of this node, one for each mapping that is enabled. */
export class Pollers {
  readonly #options: PollersOptions;
  readonly #places: Places;
  readonly #pollers = new Map<string, QueuePoller>();
  /** Those that have been stopped and still have batches under way. */
  readonly #ending = new Map<string, Set<Promise<void>>>();
  #closed = false;

  constructor(options: PollersOptions) {
    this.#options = options;
    this.#places = new Places(options.clock, {
      first: availableParallelism(),
      most: options.most,
      load: options.load ?? loopLoad(),
    });
  }

  /** Polls for a mapping as it is now, in place of what it was. */
  start(mapping: QueueMapping): void {
    this.stop(mapping.id);
    if (this.#closed) return;
    const { clock, onError } = this.#options;
    const { id } = mapping;
    this.#pollers.set(id, new QueuePoller({ mapping, places: this.#places, clock, onError }));
  }

  /** Takes nothing more for a mapping; what is under way ends by itself. */
  stop(id: string): void {
    const poller = this.#pollers.get(id);
    if (poller === undefined) return;
    this.#pollers.delete(id);
    const ending = this.#ending.get(id) ?? new Set();
    this.#ending.set(id, ending);
    const ended = poller.stop().finally(() => {
      ending.delete(ended);
      if (ending.size === 0) this.#ending.delete(id);
    });
    ending.add(ended);
  }

  state(id: string): MappingState {
    const poller = this.#pollers.get(id);
    if (poller === undefined) return this.#ending.has(id) ? { ...IDLE, busy: true } : IDLE;
    return { busy: poller.busy || this.#ending.has(id), problem: poller.problem };
  }

  /** Stops all pollers, as when the storage was emptied. */
  clear(): void {
    for (const id of this.#pollers.keys()) this.stop(id);
  }

  /** Stops all pollers and waits up to `graceMs` for their batches. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    this.clear();
    // Who waits for a place gets none any more, and leaves its messages to the queue.
    this.#places.close();
    const ended = Promise.all([...this.#ending.values()].flatMap((set) => [...set]));
    if (graceMs <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(graceMs, resolve);
      void ended.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
