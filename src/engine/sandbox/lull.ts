import type { Clock, Timer } from "#core/clock";

/** Longer than what one first invoke takes, so that a burst of them counts as one. */
const QUIET_MS = 300;
/** Demand that never rests is provided for as well. */
const LONGEST_MS = 3000;

/** When an environment last came to the end of its start, for all that is made ahead of the next ones. */
export class Starts {
  readonly #clock: Clock;
  #lastAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ended(): void {
    this.#lastAt = this.#clock.monotonic();
  }

  /** By the monotonic clock; -Infinity where none has. */
  get lastAt(): number {
    return this.#lastAt;
  }
}

/**
 * Puts work off until nothing has asked for it, and no environment has come up, for a while: what is made ahead is made
 * when the environments that are starting have had the processor.
 */
export class Lull {
  readonly #clock: Clock;
  readonly #then: () => void;
  readonly #starts: Starts | undefined;
  #timer: Timer | undefined;
  #since = 0;
  #last = 0;

  constructor(clock: Clock, then: () => void, starts?: Starts) {
    this.#clock = clock;
    this.#then = then;
    this.#starts = starts;
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
      const last = Math.max(this.#last, this.#starts?.lastAt ?? -Infinity);
      const left = Math.min(last + QUIET_MS, this.#since + LONGEST_MS) - now;
      if (left > 0) this.#wait(left);
      else this.#then();
    });
  }
}
