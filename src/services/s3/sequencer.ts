import type { Clock } from "#core/clock";

/** Numbers that grow with time and within a millisecond, so that what came later compares as greater. */
export class Sequencer {
  readonly #clock: Clock;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Fourteen hexadecimal digits. */
  next(): string {
    this.#last = Math.max(this.#last + 1, this.#clock.now() * 4096);
    return this.#last.toString(16).padStart(14, "0");
  }
}
