import type { Clock, Timer } from "#core/clock";
import { afterReading } from "#core/event-loop";
import type { SandboxExit } from "../sandbox/contract.ts";
import type { GuestEvent } from "./channel.ts";
import type { EnvironmentView, Job } from "./contract.ts";

/** An event that waits in its guest for longer than this is taken back, in milliseconds. */
export const RECALL_MS = 20;

interface Entry {
  readonly job: Job;
  readonly event: GuestEvent;
  /** When it was given, by the monotonic clock. */
  readonly since: number;
  /** Among all that the guest was ever given ahead, from 0. */
  readonly number: number;
}

/**
 * The events that one guest was given ahead of their turn, in their order, and their recall (guest/PROTOCOL.md, "Prefetched
 * events"): none waits long behind one that turns out to be long, and none is ever begun by two guests.
 */
export class Prefetched {
  readonly #clock: Clock;
  readonly #environment: EnvironmentView;
  readonly #recall: (count: number) => boolean;
  #entries: Entry[] = [];
  #given = 0;
  /** Those whose numbers are below it were recalled. */
  #recalledBelow = 0;
  /** The one whose turn it is. */
  #current: Entry | undefined;
  /** Events whose turn has come, which tells whether the guest goes on. */
  #turns = 0;
  /** At which turn the latest recall was. */
  #stuckAt = -1;
  /** Nothing can be recalled any more. */
  #stopped = false;
  #timer: Timer | undefined;
  /** Taken back; the guest will come upon them and hand them back. */
  readonly #taken = new Set<string>();
  /** Events that the guest may have begun when what it said did not count any more. */
  #late = 0;

  /**
   * @param environment whose they are, as their jobs are told
   * @param recall see `Sandbox.recall`
   */
  constructor(clock: Clock, environment: EnvironmentView, recall: (count: number) => boolean) {
    this.#clock = clock;
    this.#environment = environment;
    this.#recall = recall;
  }

  get length(): number {
    return this.#entries.length;
  }

  /**
   * Whether more may be given: not behind an event that holds up others, nor while the guest has some to hand back, or may
   * have.
   */
  get open(): boolean {
    return this.#stuckAt !== this.#turns && this.#taken.size === 0 && !this.#inDoubt;
  }

  /** @returns its number */
  add(job: Job, event: GuestEvent): number {
    const number = this.#given++;
    this.#entries.push({ job, event, since: this.#clock.monotonic(), number });
    this.#timer ??= this.#watch(RECALL_MS);
    return number;
  }

  /** The next one's turn, if there is one: the event before it is over. */
  next(): Job | undefined {
    this.#turns++;
    this.#current = this.#entries.shift();
    return this.#current?.job;
  }

  /**
   * Whether it is the one whose turn it is, and was recalled. Its turn may have come before the recall, while the guest,
   * for want of a processor, had not come to it: it hands it back then.
   */
  isRecalled(requestId: string): boolean {
    return this.#inDoubt && this.#current?.job.requestId === requestId;
  }

  get #inDoubt(): boolean {
    return this.#current !== undefined && this.#current.number < this.#recalledBelow;
  }

  /**
   * The one whose turn it is was handed back, and is given once more. Nothing stays behind it: all that did was recalled
   * with it, and nothing was given since.
   * @returns its event, and its new number
   */
  again(): Omit<Entry, "since"> | undefined {
    this.#takeBack();
    if (this.#current !== undefined) this.#current = { ...this.#current, number: this.#given++ };
    return this.#current;
  }

  /** The guest has come upon one that was taken back. @returns whether there was such a one */
  handedBack(requestId: string): boolean {
    return this.#taken.delete(requestId);
  }

  /** The guest is dying: whatever is left waits for `end`. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** A dying one has, or may have, gone on to one more event. */
  wentOn(): void {
    this.#late++;
  }

  /** What the guest says cannot be told any more: it may have begun them all. */
  lost(): void {
    this.stop();
    this.#late = Infinity;
  }

  /** The guest is gone. Those that are left and that it may have begun have failed with it; the others it cannot have. */
  end(exit: SandboxExit): void {
    const jobs = this.#entries.map(({ job }) => job);
    this.#entries = [];
    for (const job of jobs.slice(0, this.#late)) {
      job.begun?.(this.#environment, this.#clock.monotonic());
      job.finished({ kind: "exit", exit }, this.#environment);
    }
    this.#giveBack(jobs.slice(this.#late));
  }

  #giveBack(jobs: readonly Job[]): void {
    for (const job of jobs) job.returned?.(this.#environment);
  }

  /** A platform that was busy for long has answers to read, after which there may be nothing to recall. */
  #watch(ms: number): Timer {
    return this.#clock.after(ms, () => afterReading(() => this.#look()));
  }

  #look(): void {
    this.#timer = undefined;
    const [oldest] = this.#entries;
    if (this.#stopped || oldest === undefined) return;
    const left = oldest.since + RECALL_MS - this.#clock.monotonic();
    if (left > 0) {
      this.#timer = this.#watch(left);
      return;
    }
    if (!this.#recall(this.#given)) return this.stop();
    this.#recalledBelow = this.#given;
    this.#stuckAt = this.#turns;
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
    if (this.#entries.length > 0) this.#timer ??= this.#watch(RECALL_MS);
    for (const { requestId } of jobs) this.#taken.add(requestId);
    this.#giveBack(jobs);
  }
}
