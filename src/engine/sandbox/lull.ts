import type { Clock, Timer } from "#core/clock";

/** Longer than what one first invoke takes, so that a burst of them counts as one. */
const QUIET_MS = 300;
/** Demand that never rests is provided for as well. */
const LONGEST_MS = 3000;
/** What is announced while nothing starts is provided for so soon: together with what is announced right after it. */
const SOON_MS = 100;

/** Which environments are starting, for all that is made ahead of the next ones. */
export class Starts {
  readonly #clock: Clock;
  #underWay = 0;
  #lastAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Walls are being raised for one. */
  began(): void {
    this.#underWay++;
  }

  /** Its runtime has begun, or never will: once for each `began`. */
  raised(): void {
    this.#underWay--;
    this.#lastAt = this.#clock.monotonic();
  }

  /** One has come to the end of its start. */
  ended(): void {
    this.#lastAt = this.#clock.monotonic();
  }

  /** When one was last starting, by the monotonic clock: now, it may be; -Infinity where none has. */
  get lastAt(): number {
    return this.#underWay > 0 ? this.#clock.monotonic() : this.#lastAt;
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
  #last = -Infinity;

  constructor(clock: Clock, then: () => void, starts?: Starts) {
    this.#clock = clock;
    this.#then = then;
    this.#starts = starts;
  }

  /** Something was asked for: an environment starts. */
  await(): void {
    this.#last = this.#clock.monotonic();
    this.#begin(QUIET_MS);
  }

  /** Something will be asked for: where no environment starts, the processor is free for it now. */
  soon(): void {
    this.#begin(SOON_MS);
  }

  #begin(ms: number): void {
    if (this.#timer !== undefined) return;
    this.#since = this.#clock.monotonic();
    this.#wait(ms);
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
