import type { Clock, Timer } from "#core/clock";
import { afterReading } from "#core/event-loop";

/** Timers may fire a little early. */
const EARLY_MS = 0.5;

/** The time limit of the phase that an environment is in. */
export class PhaseLimit {
  readonly #clock: Clock;
  readonly #exceeded: () => void;
  /** When the phase is out of time, by the monotonic clock. */
  #at = Infinity;
  #timer: Timer | undefined;

  /** @param exceeded may also be called after a phase that no other has followed: its limit is not taken back at its end */
  constructor(clock: Clock, exceeded: () => void) {
    this.#clock = clock;
    this.#exceeded = exceeded;
  }

  /** A phase begins that may take `limitMs`. @returns when it began, by the monotonic clock */
  start(limitMs: number): number {
    this.clear();
    return this.extend(limitMs);
  }

  /**
   * The same for a phase that is one of many alike. One timer outlives them: it is looked at when it fires, not set and
   * cleared for each, so it may not be set to a later time than such a phase can end.
   */
  extend(limitMs: number): number {
    const now = this.#clock.monotonic();
    this.#at = now + limitMs;
    this.#timer ??= this.#clock.after(limitMs, this.#tick);
    return now;
  }

  clear(): void {
    this.#at = Infinity;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** A platform that was busy, or stopped, for as long as the phase may take has its end to read. */
  readonly #tick = (): void => {
    this.#timer = undefined;
    afterReading(this.#look);
  };

  readonly #look = (): void => {
    if (this.#at === Infinity) return;
    const left = this.#at - this.#clock.monotonic();
    // A phase that began after the timer was set has time left.
    if (left > EARLY_MS) this.#timer ??= this.#clock.after(Math.ceil(left), this.#tick);
    else this.#exceeded();
  };
}
