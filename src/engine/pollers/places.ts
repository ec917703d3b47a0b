import type { Clock, Timer } from "#core/clock";
import { Ramp, type RampOptions } from "../invocation/ramp.ts";
import { Turns } from "../invocation/turns.ts";

/** A batch may run until it is freed. */
export interface Place {
  free(): void;
}

type Waiter = (place: Place | undefined) => void;

interface Held {
  long: boolean;
}

const ADJUST_MS = 250;
/** Mappings that may run a batch beyond all places, where others' long runs hold those. */
const EXTRA = 100;

/**
 * The places for batches of all mappings of this node: as many as the host has time for (see Ramp). Mappings take turns,
 * and none is kept waiting by the long runs of others.
 */
export class Places {
  readonly #clock: Clock;
  readonly #ramp: Ramp;
  readonly #turns = new Turns<Waiter[]>();
  readonly #waiting = new Map<string, Waiter[]>();
  readonly #held = new Set<Held>();
  #long = 0;
  #full = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, ramp: RampOptions) {
    this.#clock = clock;
    this.#ramp = new Ramp(ramp);
  }

  /** Resolves with a place when it is `key`'s turn, or undefined once all is closed. */
  take(key: string): Promise<Place | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? [];
      this.#waiting.set(key, waiting);
      waiting.push(resolve);
      this.#turns.add(key, waiting);
      this.#pump();
    });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const waiter of [...this.#waiting.values()].flat()) waiter(undefined);
    this.#waiting.clear();
  }

  #pump(): void {
    if (this.#timer === undefined && !this.#closed) {
      this.#ramp.restart();
      this.#timer = this.#clock.after(ADJUST_MS, this.#adjust);
    }
    for (;;) {
      const free = this.#ramp.places - this.#held.size;
      const extra = Math.min(free + this.#long, free + EXTRA);
      const turn = free > 0 || extra > 0 ? this.#turns.next(free <= 0) : undefined;
      if (turn === undefined) {
        this.#full = free <= 0 && this.#turns.size > 0;
        return;
      }
      const { key, value: waiting } = turn;
      this.#turns.take(key);
      const waiter = waiting.shift();
      if (waiting.length === 0) this.#waiting.delete(key);
      waiter?.(this.#hold(key));
      if (waiting.length > 0) this.#turns.add(key, waiting);
    }
  }

  #hold(key: string): Place {
    const held: Held = { long: false };
    this.#held.add(held);
    this.#turns.begin(key, 1);
    return {
      free: () => {
        if (!this.#held.delete(held)) return;
        if (held.long) this.#long--;
        this.#turns.end(key, 1);
        if (!this.#closed) this.#pump();
      },
    };
  }

  readonly #adjust = (): void => {
    this.#timer = undefined;
    if (this.#turns.size === 0 && this.#held.size === 0) return;
    this.#ramp.adjust(this.#full, this.#long);
    for (const held of this.#held) held.long = true;
    this.#long = this.#held.size;
    this.#full = false;
    this.#timer = this.#clock.after(ADJUST_MS, this.#adjust);
    this.#pump();
  };
}
