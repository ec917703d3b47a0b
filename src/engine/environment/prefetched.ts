import type { Clock, Timer } from "#core/clock";
import type { SandboxExit } from "../sandbox/contract.ts";
import type { EnvironmentView, Job } from "./contract.ts";

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

/**
 * The events that one guest was given ahead of their turn, in their order, and their recall (guest/PROTOCOL.md, "Prefetched
 * events"): none waits long behind one that turns out to be long, and none is ever begun by two guests.
 */
export class Prefetched {
  readonly #clock: Clock;
  readonly #environment: EnvironmentView;
  readonly #recall: (count: number) => void;
  #entries: Entry[] = [];
  #given = 0;
  /** Those whose numbers are below it were recalled. */
  #recalledBelow = 0;
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

  /**
   * @param environment whose they are, as their jobs are told
   * @param recall see `Sandbox.recall`
   */
  constructor(clock: Clock, environment: EnvironmentView, recall: (count: number) => void) {
    this.#clock = clock;
    this.#environment = environment;
    this.#recall = recall;
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
    return entry && { job: entry.job, doubtful: entry.number < this.#recalledBelow };
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

  /** The guest is gone. Those that are left and that it may have begun have failed with it; the others it cannot have. */
  end(exit: SandboxExit): void {
    const jobs = this.#entries.map(({ job }) => job);
    this.#entries = [];
    for (const job of jobs.slice(0, this.#late)) {
      job.begun?.(this.#environment);
      job.finished({ kind: "exit", exit }, this.#environment);
    }
    this.#giveBack(jobs.slice(this.#late));
  }

  #giveBack(jobs: readonly Job[]): void {
    for (const job of jobs) job.returned?.(this.#environment);
  }

  #watch(): Timer {
    const turns = this.#turns;
    return this.#clock.after(RECALL_MS, () => afterReading(() => this.#look(turns)));
  }

  #look(turns: number): void {
    this.#timer = undefined;
    if (this.#stopped || this.#entries.length === 0) return;
    if (turns !== this.#turns) {
      this.#timer = this.#watch();
      return;
    }
    this.#recalledBelow = this.#given;
    this.#stuckAt = turns;
    this.#recall(this.#recalledBelow);
    afterReading(() => this.#takeBack());
  }

  /**
   * All that the guest had sent before it could see the recall is known by now: what is still behind the event under way it
   * will not begin.
   */
  #takeBack(): void {
    if (this.#stopped) return;
    const jobs = this.#entries.filter(({ number }) => number < this.#recalledBelow).map(({ job }) => job);
    this.#entries = this.#entries.filter(({ number }) => number >= this.#recalledBelow);
    if (this.#entries.length > 0) this.#timer ??= this.#watch();
    for (const { requestId } of jobs) this.#taken.add(requestId);
    this.#giveBack(jobs);
  }
}

/**
 * Once all that can be read now has been read: first in the turn of the event loop that runs, then in one whole turn more.
 * A platform that was busy for long has answers to read, after which there may be nothing to recall.
 */
function afterReading(then: () => void): void {
  setImmediate(() => setImmediate(then));
}
