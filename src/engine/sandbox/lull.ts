import type { Clock, Timer } from "#core/clock";

/** Longer than what one first invoke takes, so that a burst of them counts as one. */
const QUIET_MS = 300;
/** Demand that never rests is provided for as well. */
const LONGEST_MS = 3000;

/**
 * Puts work off until nothing has asked for it for a while: what is made ahead is made when the environments that are
 * starting have had the processor.
 */
export class Lull {
  readonly #clock: Clock;
  readonly #then: () => void;
  #timer: Timer | undefined;
  #since = 0;
  #last = 0;

  constructor(clock: Clock, then: () => void) {
    this.#clock = clock;
    this.#then = then;
  }

  await(): void {
    this.#last = this.#clock.monotonic();
    if (this.#timer !== undefined) return;
    this.#since = this.#last;
    this.#wait(QUIET_MS);
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** One timer for a whole burst, looked at when it fires, not set and cleared for each start. */
  #wait(ms: number): void {
    this.#timer = this.#clock.after(ms, () => {
      this.#timer = undefined;
      const now = this.#clock.monotonic();
      const left = Math.min(this.#last + QUIET_MS, this.#since + LONGEST_MS) - now;
      if (left > 0) this.#wait(left);
      else this.#then();
    });
  }
}
