import type { Clock, Timer } from "#core/clock";
import type { Answer } from "./channel.ts";
import type { EnvironmentView, Job, Outcome } from "./contract.ts";
import { FrameError } from "./frames.ts";
import type { Turn } from "./prefetched.ts";
import type { TraceContext } from "./trace-context.ts";

/** Answers are given to a caller so long after they came, where the environment is not done by then. */
const RESPOND_EARLY_MS = 20;

/**
 * The one event that an environment serves, and what its guest has answered so far. Each method that takes something of the
 * guest's throws a FrameError where the guest may not say so now.
 */
export class Assignment {
  readonly #clock: Clock;
  #job: Job | undefined;
  /** Set while the guest may hand the event back instead of having begun it: whom to tell when that is known. */
  #doubtful: EnvironmentView | undefined;
  #restoring = false;
  #outcome: Outcome | undefined;
  /** The job's response has begun to come in parts. */
  #streaming = false;
  #early: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
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

  begin(job: Job, restoring: boolean): void {
    this.#job = job;
    this.#restoring = restoring;
    this.#streaming = false;
  }

  /** The turn of an event that the guest was given ahead. */
  follow({ job, doubtful }: Turn, environment: EnvironmentView): void {
    this.begin(job, false);
    this.#doubtful = environment;
    if (!doubtful) this.#certain();
  }

  /** The guest hands an event back. @returns the job, where it is this one's and it may be */
  returned(requestId: string): Job | undefined {
    const job = this.#job;
    if (this.#doubtful === undefined || job?.requestId !== requestId) return undefined;
    this.#doubtful = undefined;
    this.#job = undefined;
    return job;
  }

  /** The guest has begun it. */
  #certain(): void {
    const environment = this.#doubtful;
    if (environment === undefined) return;
    this.#doubtful = undefined;
    this.#job?.begun?.(environment);
  }

  /** @param taken told of bytes that went on while this is still the event */
  responseBegan(requestId: string, contentType: string, taken: (bytes: number) => void): void {
    const job = this.#job;
    this.#certain();
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
    return this.#job?.responseChunk?.(bytes) ?? true;
  }

  answered(requestId: string, answer: Answer): void {
    this.#certain();
    expect(this.#outcome === undefined, "a second answer");
    expect(requestId === this.#job?.requestId, "an answer to another request");
    this.#outcome = answer;
    this.#job?.trace?.answered();
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
  finish(outcome: Outcome, environment: EnvironmentView): void {
    const job = this.#job;
    this.#certain();
    this.#job = undefined;
    this.#outcome = undefined;
    this.#early?.cancel();
    this.#early = undefined;
    job?.finished(outcome, environment);
  }
}

function expect(condition: boolean, what: string): asserts condition {
  if (!condition) throw new FrameError("malformed", what);
}
