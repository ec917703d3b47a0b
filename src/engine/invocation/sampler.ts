import type { Clock } from "#core/clock";

const RATE = 0.05;

/**
 * Which invocations of functions with active tracing are recorded, where their callers have not decided: "the sampling rate
 * is 1 request per second and 5 percent of additional requests" (AWS Lambda Developer Guide, "Visualize Lambda function
 * invocations using AWS X-Ray"). It remembers no function for longer than a second.
 */
export class Sampler {
  readonly #clock: Clock;
  readonly #random: () => number;
  #second = 0;
  /** The functions whose first request of this second has come. */
  readonly #begun = new Set<string>();

  /** @param random a number from 0 to below 1 */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  takes(functionArn: string): boolean {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#begun.clear();
    }
    if (this.#begun.has(functionArn)) return this.#random() < RATE;
    this.#begun.add(functionArn);
    return true;
  }
}
