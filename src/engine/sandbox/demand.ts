import type { Clock } from "#core/clock";

/** What was taken is expected to be taken again soon or not at all; what was announced is awaited longer. */
const TAKEN_HALF_LIFE_MS = 10_000;
const EXPECTED_HALF_LIFE_MS = 60_000;

/** A count that is forgotten by half in a given time. */
class Fading {
  readonly #clock: Clock;
  readonly #halfLifeMs: number;
  #count = 0;
  #at: number;

  constructor(clock: Clock, halfLifeMs: number) {
    this.#clock = clock;
    this.#halfLifeMs = halfLifeMs;
    this.#at = clock.monotonic();
  }

  get now(): number {
    return this.#count * 2 ** ((this.#at - this.#clock.monotonic()) / this.#halfLifeMs);
  }

  add(by: number): void {
    this.#count = Math.max(0, this.now + by);
    this.#at = this.#clock.monotonic();
  }
}

/** How many of something that is made ahead will be wanted: as many as were taken of late, and those that were announced. */
export class Demand {
  readonly #taken: Fading;
  readonly #expected: Fading;

  constructor(clock: Clock) {
    this.#taken = new Fading(clock, TAKEN_HALF_LIFE_MS);
    this.#expected = new Fading(clock, EXPECTED_HALF_LIFE_MS);
  }

  /** One may be wanted soon. */
  expect(): void {
    this.#expected.add(1);
  }

  /** One was taken: if it was an expected one, it is awaited no more. */
  take(): void {
    this.#taken.add(1);
    this.#expected.add(-1);
  }

  /** How many to keep ready, within bounds. */
  within(least: number, most: number): number {
    return Math.min(most, Math.max(least, Math.ceil(this.#taken.now + this.#expected.now)));
  }
}
