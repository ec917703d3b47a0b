import type { Clock } from "#core/clock";
import type { InitError } from "./channel.ts";
import type { InitResult } from "./contract.ts";

/** How an init ended that did not go well; how long it took is added. */
type Unfinished<Result = Exclude<InitResult, { kind: "ready" }>> = Result extends { initMs: number }
  ? Omit<Result, "initMs">
  : never;

/** The init of one environment: when it is due, how long it has taken, and how it failed. */
export class Init {
  readonly #clock: Clock;
  /** When the function's init began; until then, when the environment became the function's. */
  #at = 0;
  /** Whether the guest has said hello. */
  hello = false;
  /** Whether the function's files are in place. */
  specialised = false;
  /** What the guest ended it with; told a turn later, or by the environment's end where that comes first. */
  error: InitError | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It may be asked of the guest. */
  get due(): boolean {
    return this.hello && this.specialised;
  }

  get ms(): number {
    return this.#clock.monotonic() - this.#at;
  }

  /** @param at by the monotonic clock */
  begin(at: number): void {
    this.#at = at;
  }

  unfinished(how: Unfinished): InitResult {
    return { ...how, initMs: this.ms };
  }
}
