import type { Clock, Timer } from "./clock.ts";

export interface RoundsOptions {
  readonly clock: Clock;
  /** Milliseconds between the end of a round and the next one. */
  readonly everyMs: number;
  readonly round: () => Promise<void>;
  /** Told why a round failed, after which the next one comes as always, or the last work. */
  readonly onError: (error: unknown) => void;
}

/** Work on what must not be worked on twice at a time: what is asked for, and a round now and then. */
export class Rounds {
  readonly #options: RoundsOptions;
  #work: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #started = false;
  #closed = false;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Rounds come once `first` is done. Rejects where it fails: no round comes then. */
  async start(first: () => Promise<void>): Promise<void> {
    await this.run(first);
    this.#started = true;
    this.#next();
  }

  /** Runs something once all that was asked for before is done, or has failed. */
  run(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {});
    return done;
  }

  /**
   * Ends the rounds and runs `last`, which rejects nothing. Where it did not start, only what is under way is waited for:
   * `last` could take for all there is what `first` had not come to.
   */
  async close(last: () => Promise<void>): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await (this.#started ? this.run(last).catch(this.#options.onError) : this.#work);
  }

  #next(): void {
    if (this.#closed) return;
    const { clock, everyMs, round, onError } = this.#options;
    this.#timer = clock.after(everyMs, () => {
      this.run(round)
        .catch(onError)
        .finally(() => this.#next());
    });
  }
}
