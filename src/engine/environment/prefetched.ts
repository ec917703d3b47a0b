import type { Clock, Timer } from "#core/clock";
import type { Job } from "./contract.ts";

/** An event that waits in its guest for longer than this behind one that goes on is taken back. */
export const RECALL_MS = 20;

interface Entry {
  readonly job: Job;
  /** Among all that the guest was ever given ahead, from 0. */
  readonly number: number;
}

export interface Turn {
  readonly job: Job;
  /** It was recalled when its turn came: the guest has begun it or hands it back. */
  readonly doubtful: boolean;
}

export interface PrefetchedOptions {
  readonly clock: Clock;
  /** See `Sandbox.recall`. */
  readonly recall: (count: number) => void;
  /** The guest will not begin these. */
  readonly onTaken: (jobs: readonly Job[]) => void;
}

/**
 * The events that one guest was given ahead of their turn, in their order, and their recall (guest/PROTOCOL.md, "Prefetched
 * events"): none waits long behind one that turns out to be long, and none is ever begun by two guests.
 */
export class Prefetched {
  readonly #options: PrefetchedOptions;
  #entries: Entry[] = [];
  #given = 0;
  /** Those whose numbers are below it were recalled. */
  #recalled = 0;
  /** Events whose turn has come, which tells whether the guest goes on. */
  #turns = 0;
  /** At which turn the latest recall was. */
  #stuckAt = -1;
  /** The guest counts as dead. */
  #stopped = false;
  #timer: Timer | undefined;
  /** Taken back; the guest will come upon them and hand them back. */
  readonly #taken = new Set<string>();
  /** Events that the guest answered, or may have begun, when it counted as dead already. */
  #late = 0;

  constructor(options: PrefetchedOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** Whether the event under way holds up others: it is given none ahead then. */
  get stuck(): boolean {
    return this.#stuckAt === this.#turns;
  }

  /** @returns its number */
  add(job: Job): number {
    const number = this.#given++;
    this.#entries.push({ job, number });
    this.#timer ??= this.#watch();
    return number;
  }

  /** The next one's turn, if there is one: the event before it is over. */
  next(): Turn | undefined {
    this.#turns++;
    const entry = this.#entries.shift();
    return entry && { job: entry.job, doubtful: entry.number < this.#recalled };
  }

  /** The guest has come upon one that was taken back. @returns whether there was such a one */
  handedBack(requestId: string): boolean {
    return this.#taken.delete(requestId);
  }

  /** The guest counts as dead: whatever is left waits for `end`. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** One that counts as dead has, or may have, gone on to one more event. */
  wentOn(): void {
    this.#late++;
  }

  /** All that are left when the guest is gone: those that it may have begun, and those that it cannot have. */
  end(): { readonly begun: readonly Job[]; readonly untouched: readonly Job[] } {
    const jobs = this.#entries.map(({ job }) => job);
    this.#entries = [];
    return { begun: jobs.slice(0, this.#late), untouched: jobs.slice(this.#late) };
  }

  #watch(): Timer {
    const turns = this.#turns;
    return this.#options.clock.after(RECALL_MS, () => afterReading(() => this.#look(turns)));
  }

  #look(turns: number): void {
    this.#timer = undefined;
    if (this.#stopped || this.#entries.length === 0) return;
    if (turns !== this.#turns) {
      this.#timer = this.#watch();
      return;
    }
    this.#recalled = this.#given;
    this.#stuckAt = turns;
    this.#options.recall(this.#recalled);
    afterReading(() => this.#takeBack());
  }

  /**
   * All that the guest had sent before it could see the recall is known by now: what is still behind the event under way it
   * will not begin.
   */
  #takeBack(): void {
    if (this.#stopped) return;
    const jobs = this.#entries.filter(({ number }) => number < this.#recalled).map(({ job }) => job);
    this.#entries = this.#entries.filter(({ number }) => number >= this.#recalled);
    if (this.#entries.length > 0) this.#timer ??= this.#watch();
    for (const { requestId } of jobs) this.#taken.add(requestId);
    if (jobs.length > 0) this.#options.onTaken(jobs);
  }
}

/**
 * Once all that can be read now has been read: first in the turn of the event loop that runs, then in one whole turn more.
 * A platform that was busy for long has answers to read, after which there may be nothing to recall.
 */
function afterReading(then: () => void): void {
  setImmediate(() => setImmediate(then));
}
