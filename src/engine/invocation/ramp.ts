export interface RampOptions {
  /** Places at the start, and again after each pause. */
  readonly first: number;
  /** Places at most. */
  readonly most: number;
  /** How busy the event loop was since the last call, from 0 to 1. */
  readonly load: () => number;
}

/** Below this load one more event costs the others nothing that they would notice. */
const EASY = 0.7;
/** Above it, requests have begun to wait for the event loop. */
const HARD = 0.85;
const GROWTH = 1.5;

/**
 * How many asynchronous events may run at once. AWS, too, adds pollers step by step while a backlog stays (AWS Lambda
 * Developer Guide, "Understanding Lambda function scaling"), but has machines to add; here events share the processor
 * with the requests that callers wait for, and with the acceptance of more events. So the number of places grows only
 * while all are in use and the event loop has time left, and halves when it has none. One place always remains beside
 * those of events that run for long, which cost the event loop nothing: events go on, however slowly.
 *
 * Measured with 32 clients that send events as fast as they are accepted, on two cores: 100 places from the start made
 * 100 cold starts at once and left 419 acceptances a second.
 */
export class Ramp {
  readonly #options: RampOptions;
  #places: number;

  constructor(options: RampOptions) {
    this.#options = options;
    this.#places = Math.min(options.first, options.most);
  }

  get places(): number {
    return this.#places;
  }

  /**
   * To be called at regular intervals while there are events.
   * @param full whether events have waited for a place since the last call
   * @param long how many events have been running since before the last call
   */
  adjust(full: boolean, long: number): void {
    const load = this.#options.load();
    const { most } = this.#options;
    if (load > HARD) this.#places = Math.min(most, Math.max(long + 1, Math.floor(this.#places / 2)));
    else if (full && load < EASY) this.#places = Math.min(most, Math.ceil(this.#places * GROWTH));
  }

  /** Forgets what was learnt: to be called before events come after a pause. */
  restart(): void {
    this.#places = Math.min(this.#options.first, this.#options.most);
    this.#options.load();
  }
}
