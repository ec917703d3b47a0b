import type { Clock } from "#core/clock";
import { Assignment } from "./assignment.ts";
import type { Answer, GuestEvent } from "./channel.ts";
import type { EnvironmentView, Job, Outcome } from "./contract.ts";
import { FrameError } from "./frames.ts";
import type { Guest } from "./guest.ts";
import type { RuntimeEnd } from "./output.ts";
import type { PhaseLimit } from "./phase-limit.ts";
import { Prefetched } from "./prefetched.ts";

/** The events of one environment, one after the other: the one under way, and those that its guest was given ahead. */
export class Events {
  /** The one under way. */
  readonly current: Assignment;
  /** Those behind it that the guest has already. */
  readonly ahead: Prefetched;
  readonly #guest: Guest;
  readonly #limit: PhaseLimit;
  /** When the turn of the one under way came, by the monotonic clock. */
  #begunAt = 0;

  /**
   * @param environment whose they are, as their jobs are told
   * @param limit each of them has its own time
   */
  constructor(clock: Clock, environment: EnvironmentView, guest: Guest, limit: PhaseLimit) {
    this.#guest = guest;
    this.#limit = limit;
    this.current = new Assignment(clock, environment);
    this.ahead = new Prefetched(clock, environment, (count) => guest.enclosure.recall?.(count) === true);
  }

  /** The turn of one that the guest is yet to be given, by whoever asks. */
  begin(job: Job, restoring: boolean): void {
    this.current.begin(job, restoring);
    this.#begunAt = this.#limit.extend(job.timeoutMs);
  }

  /** Gives the guest one behind all others. */
  prefetch(job: Job, event: GuestEvent): void {
    this.#send(job, event, this.ahead.add(job, event));
  }

  /** The turn of the job that was `ahead.next()`. */
  follow(job: Job): void {
    this.#begunAt = this.#limit.extend(job.timeoutMs);
    this.current.follow(job, this.#begunAt);
  }

  /**
   * The guest hands back one that was recalled: where it was the one under way, the next one's turn has come, if there is one.
   * @returns the job of that one, which is to be given to another environment
   */
  returned(requestId: string): Job | undefined {
    if (!this.ahead.isRecalled(requestId)) {
      if (this.ahead.handedBack(requestId)) return undefined;
      throw new FrameError("malformed", "an event that nobody has recalled");
    }
    const { told } = this.current;
    const job = this.current.returned();
    if (told) {
      this.#again();
      return undefined;
    }
    const next = this.ahead.next();
    if (next !== undefined) this.follow(next);
    return job;
  }

  /**
   * Its guest has not begun an event that counts as begun, because the guest said nothing for long or what the one before
   * has started wrote something. Its START stands in this environment's log, so it is this environment's.
   */
  #again(): void {
    const again = this.ahead.again();
    if (again === undefined) return;
    const { job, event, number } = again;
    this.begin(job, false);
    this.#send(job, event, number);
  }

  #send(job: Job, event: GuestEvent, number: number): void {
    const { channel } = this.#guest;
    if (channel.prefetch === undefined) throw new Error("the guest takes no events ahead");
    channel.prefetch(event, number, job.timeoutMs);
  }

  /** Of the one under way. */
  responseBegan(requestId: string, contentType: string): void {
    this.current.responseBegan(requestId, contentType, (bytes) => this.#guest.taken(bytes));
    this.#guest.output.responseBegan();
  }

  /** Of the one under way. */
  answered(requestId: string, answer: Answer): void {
    this.current.answered(requestId, answer);
    if (!this.current.restoring) this.#guest.output.responded();
  }

  /** The runtime has done its part of the one under way: tells extensions. */
  runtimeDone(end: RuntimeEnd): void {
    const { restoring } = this.current;
    if (!restoring) this.#guest.output.runtimeDone(this.current, end, this.#begunAt);
  }

  /** The one under way is over. Last of all: see `Assignment.finish`. */
  finish(outcome: Outcome): void {
    // The time of a restore is not that of an invocation, which would go on with its timer.
    if (this.current.restoring) this.#limit.clear();
    this.current.finish(outcome);
  }
}
