import type { Clock, Timer } from "#core/clock";
import { afterReading } from "#core/event-loop";
import type { Answer } from "./channel.ts";
import type { EnvironmentView, Job, Outcome } from "./contract.ts";
import { FrameError } from "./frames.ts";
import type { TraceContext } from "./trace-context.ts";

/** The turn of an event that was given ahead is told so long after it came, where the guest has said nothing by then. */
const TELL_MS = 100;

/** Answers are given to a caller so long after they came, where the environment is not done by then. */
const RESPOND_EARLY_MS = 20;

/**
 * The one event that an environment serves, and what its guest has answered so far. Each method that takes something of the
 * guest's throws a FrameError where the guest may not say so now.
 */
export class Assignment {
  readonly #clock: Clock;
  readonly #environment: EnvironmentView;
  #job: Job | undefined;
  /** When the event's turn came, by the monotonic clock, until its job is told. */
  #untoldSince: number | undefined;
  /** Whether the timer runs that tells it where the guest says nothing. */
  #telling = false;
  /** The event before it. */
  #latest: string | undefined;
  #restoring = false;
  #outcome: Outcome | undefined;
  /** The job's response has begun to come in parts. */
  #streaming = false;
  /** More of it has come than any response may have, and was thrown away. */
  #overflowed = false;
  #early: Timer | undefined;

  constructor(clock: Clock, environment: EnvironmentView) {
    this.#clock = clock;
    this.#environment = environment;
  }

  get requestId(): string | undefined {
    return this.#job?.requestId;
  }

  get trace(): TraceContext | undefined {
    return this.#job?.trace;
  }

  /** The job is a restore: neither an invocation to extensions, nor timed like one. */
  get restoring(): boolean {
    return this.#restoring;
  }

  /** What the guest, or the environment in its stead, has said of how it ended. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** Its job knows that it has begun. */
  get told(): boolean {
    return this.#untoldSince === undefined;
  }

  begin(job: Job, restoring: boolean): void {
    this.#job = job;
    this.#restoring = restoring;
    this.#streaming = false;
    this.#overflowed = false;
  }

  /**
   * The turn of an event that the guest was given ahead. The job is told once the guest has said something of it, as the
   * guest may hand it back instead.
   * @param at when that was, by the monotonic clock
   */
  follow(job: Job, at: number): void {
    this.begin(job, false);
    this.#untoldSince = at;
    if (!this.#telling) this.#tellAfter(TELL_MS);
  }

  /** The guest hands it back. @returns the job */
  returned(): Job | undefined {
    expect(this.#outcome === undefined && !this.#streaming, "an event that was answered is handed back");
    return this.#takeBack();
  }

  /**
   * Whether that one was answered already, of this event and the one before: what it has left behind may still end the
   * runtime, in its name. One that is tried again has the id that it had.
   */
  isOver(requestId: string): boolean {
    return requestId === this.requestId ? this.#outcome !== undefined : requestId === this.#latest;
  }

  /** What the event before has left behind has ended the runtime. @returns the job, where it was not told: it has not begun */
  spared(): Job | undefined {
    return this.told ? undefined : this.#takeBack();
  }

  #takeBack(): Job | undefined {
    const job = this.#job;
    this.#untoldSince = undefined;
    this.#job = undefined;
    return job;
  }

  /** The guest has said something, which is this event's unless the one before has left it behind: it has begun. */
  heard(): void {
    const at = this.#untoldSince;
    if (at === undefined) return;
    this.#untoldSince = undefined;
    this.#job?.begun?.(this.#environment, at);
  }

  #tellAfter(ms: number): void {
    this.#telling = true;
    // What the guest has said meanwhile is read first.
    this.#clock.after(ms, () => afterReading(this.#tellLate));
  }

  /** One timer for many events, which is looked at when it fires. */
  readonly #tellLate = (): void => {
    this.#telling = false;
    if (this.#untoldSince === undefined) return;
    const left = this.#untoldSince + TELL_MS - this.#clock.monotonic();
    if (left > 0) this.#tellAfter(Math.ceil(left));
    else this.heard();
  };

  /** @param taken told of bytes that went on while this is still the event */
  responseBegan(requestId: string, contentType: string, taken: (bytes: number) => void): void {
    const job = this.#job;
    this.heard();
    expect(this.#outcome === undefined && !this.#streaming, "a second response");
    expect(requestId === job?.requestId, "a response to another request");
    expect(job.responseBegan !== undefined, "a response in parts");
    this.#streaming = true;
    job.responseBegan(contentType, (bytes) => {
      // A slow reader may take the last parts long after the function is done, and has another event.
      if (this.#job === job) taken(bytes);
    });
  }

  responseChunk(bytes: Buffer): boolean {
    expect(this.#streaming && this.#outcome === undefined, "a part of no response");
    if (this.#job?.responseChunk?.(bytes) === false) this.#overflowed = true;
    return !this.#overflowed;
  }

  answered(requestId: string, answer: Answer): void {
    const job = this.#job;
    this.heard();
    expect(this.#outcome === undefined, "a second answer");
    expect(requestId === job?.requestId, "an answer to another request");
    const cut = answer.kind === "streamed" && this.#overflowed;
    this.#outcome = cut ? { kind: "too-large", bytes: answer.bytes } : answer;
    job.trace?.answered();
  }

  /** All that is left of it is its extensions'. */
  lingers(): void {
    this.#job?.lingers?.();
  }

  /** The answer cannot even be read. */
  exceeded(): void {
    this.#outcome = { kind: "too-large", bytes: undefined };
  }

  /** The caller need not wait long for what comes after the answer. */
  respondEarly(answer: Answer): void {
    this.#early ??= this.#clock.after(RESPOND_EARLY_MS, () => this.#job?.responded?.(answer));
  }

  /** Last of all: whoever is told may give the environment its next event. */
  finish(outcome: Outcome): void {
    const job = this.#job;
    this.heard();
    this.#latest = job?.requestId;
    this.#job = undefined;
    this.#outcome = undefined;
    this.#early?.cancel();
    this.#early = undefined;
    job?.finished(outcome, this.#environment);
  }
}

function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new FrameError("malformed", what);
}
