import type { Clock } from "#core/clock";
import { Demand } from "../demand.ts";
import { Lull } from "../lull.ts";
import type { Starts } from "../lull.ts";

/** How many are kept ready and how many are made at once. */
export interface PoolOptions {
  readonly least: number;
  readonly most: number;
  readonly batch: number;
}

interface Waiter<T> {
  readonly resolve: (item: T) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Keeps things ready that are cheaper made several at once: as many as there is demand for.
 * One batch is under way at a time: for those who wait, else for the stock, which is filled up when nobody has taken any
 * for a while.
 */
export class Pool<T> {
  readonly #make: (count: number) => Promise<T[]>;
  readonly #options: PoolOptions;
  readonly #ready: T[] = [];
  readonly #waiting: Waiter<T>[] = [];
  #filling: Promise<void> | undefined;
  #closed = false;
  readonly #demand: Demand;
  readonly #lull: Lull;

  constructor(make: (count: number) => Promise<T[]>, options: PoolOptions, clock: Clock, starts?: Starts) {
    this.#make = make;
    this.#options = options;
    this.#demand = new Demand(clock);
    this.#lull = new Lull(clock, () => this.fill(), starts);
  }

  take(): Promise<T> {
    if (this.#closed) return Promise.reject(new Error("closed"));
    this.#demand.take();
    this.#lull.await();
    const item = this.#ready.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      // A turn later, so that those who come at once go together.
      queueMicrotask(() => this.fill());
    });
  }

  /** One may be taken soon. */
  expect(): void {
    this.#demand.expect();
    this.#lull.soon();
  }

  /** Makes what is missing, in the background. */
  fill(): void {
    if (this.#closed || this.#filling !== undefined || this.#missing() <= 0) return;
    this.#filling = this.#batch().finally(() => {
      this.#filling = undefined;
      if (this.#waiting.length > 0) this.fill();
      else if (!this.#failed && this.#missing() > 0) this.#lull.soon();
    });
  }

  /** Refuses whoever waits and gives back what was ready, once no batch is under way. */
  async close(): Promise<T[]> {
    this.#closed = true;
    this.#lull.cancel();
    for (const waiter of this.#waiting.splice(0)) waiter.reject(new Error("closed"));
    await this.#filling;
    return this.#ready.splice(0);
  }

  get ready(): number {
    return this.#ready.length;
  }

  #failed = false;

  async #batch(): Promise<void> {
    const count = Math.min(this.#missing(), this.#options.batch);
    try {
      for (const item of await this.#make(count)) {
        const waiter = this.#waiting.shift();
        if (waiter === undefined) this.#ready.push(item);
        else waiter.resolve(item);
      }
      this.#failed = false;
    } catch (error) {
      // Whoever waited for this batch is told; the stock is tried again when the next one asks.
      this.#failed = true;
      const reason = error instanceof Error ? error : new Error(String(error));
      for (const waiter of this.#waiting.splice(0, count)) waiter.reject(reason);
    }
  }

  /** For those who wait alone, where there are any. */
  #missing(): number {
    const { least, most } = this.#options;
    return this.#waiting.length || this.#demand.within(least, most) - this.#ready.length;
  }
}
