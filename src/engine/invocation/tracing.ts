import { createHash } from "node:crypto";
import type { Clock } from "#core/clock";
import type { Invocation, SubsegmentDocument, TraceSink } from "../contract.ts";
import type { JobTrace } from "../environment/contract.ts";
import { Sampler } from "./sampler.ts";
import { eventSubsegment, exceptionIn, functionSegment, serviceSegment, subsegment } from "./segments.ts";
import type { SegmentIds, Span } from "./segments.ts";
import type { TraceIds } from "./trace.ts";
import { parseTraceHeader, writeTraceHeader } from "./trace-header.ts";

export interface TracerOptions {
  readonly clock: Clock;
  readonly ids: TraceIds;
  readonly sink: TraceSink;
  /** For the sampler: a number from 0 to below 1. */
  readonly random: () => number;
}

/** Decides which invocations are traced. */
export class Tracer {
  readonly #options: TracerOptions;
  readonly #sampler: Sampler;

  constructor(options: TracerOptions) {
    this.#options = options;
    this.#sampler = new Sampler(options.clock, options.random);
  }

  /** What will be recorded of an invocation that has just come; undefined where nothing is. */
  trace(invocation: Invocation): InvocationTrace | undefined {
    const { spec, traceHeader } = invocation;
    const given = traceHeader === undefined ? UNDECIDED : parseTraceHeader(traceHeader);
    const sampled = given.sampled ?? (spec.tracing === "Active" && this.#sampler.takes(spec.arn));
    if (!sampled) return undefined;
    const { ids } = this.#options;
    // A parent means nothing without its trace.
    const parent = given.root === undefined ? undefined : given.parent;
    const { accepted, requestId } = invocation;
    // An asynchronous event has one segment, whichever of its runs tells of it.
    const service = accepted === undefined ? ids.segment() : segmentOfEvent(requestId);
    const run = accepted === undefined ? service : ids.segment();
    const segments = { trace: given.root ?? ids.root(), parent, service, run };
    return new InvocationTrace(this.#options, invocation, segments, given.others);
  }
}

function segmentOfEvent(requestId: string): string {
  return createHash("sha256").update(requestId).digest("hex").slice(0, 16);
}

const UNDECIDED = { root: undefined, parent: undefined, sampled: undefined, others: [] } as const;

/** How an invocation ended that was given to an environment, or whose init failed within it. */
export interface TracedEnd {
  /** The response, or the error's JSON. */
  readonly payload: Uint8Array;
  readonly failed: boolean;
  /** Milliseconds that the init of its own cold start took, and restoring its environment, which follows it. */
  readonly initMs: number | undefined;
  readonly restoreMs: number | undefined;
  /** It has ended with the init phase, in so many milliseconds. */
  readonly failedInitMs?: number | undefined;
}

/** One traced invocation: the header that its function gets, and the two segments that tell of it. */
export class InvocationTrace implements JobTrace {
  /** `_X_AMZN_TRACE_ID`: what the function does lies under its function segment. */
  readonly header: string;
  readonly traceId: string;
  /** Of the segment `AWS::Lambda::Function`. */
  readonly segmentId: string;
  /** Of that segment's `Invocation`. */
  readonly spanId: string;
  readonly #options: TracerOptions;
  readonly #invocation: Invocation;
  readonly #segments: SegmentIds;
  readonly #receivedAt: number;
  #begunAt: number | undefined;
  #answeredAt: number | undefined;

  constructor(
    options: TracerOptions,
    invocation: Invocation,
    segments: SegmentIds,
    others: readonly string[],
  ) {
    this.#options = options;
    this.#invocation = invocation;
    this.#segments = segments;
    this.traceId = segments.trace;
    this.segmentId = options.ids.segment();
    this.spanId = options.ids.segment();
    this.header = writeTraceHeader(segments.trace, this.segmentId, true, others);
    this.#receivedAt = options.clock.now();
  }

  begun(now: number): void {
    this.#begunAt = now;
  }

  answered(): void {
    this.#answeredAt = this.#options.clock.now();
  }

  ended(how: TracedEnd): void {
    const { spec, requestId } = this.#invocation;
    const { clock, ids, sink } = this.#options;
    const now = clock.now();
    const error = how.failed ? exceptionIn(how.payload, ids.segment()) : undefined;
    const part = (name: Parameters<typeof subsegment>[1], span: Span, failure?: typeof error) =>
      subsegment(name === "Invocation" ? this.spanId : ids.segment(), name, span, spec.arn, failure);
    const begun = this.#begunAt ?? now;
    const parts: SubsegmentDocument[] = [];
    let start = begun;
    if (how.failedInitMs !== undefined) {
      start = begun - how.failedInitMs;
      parts.push(part("Initialization", { start, end: begun }, error));
    } else {
      const { initMs, restoreMs } = how;
      const initialised = begun - (restoreMs ?? 0);
      start = initialised - (initMs ?? 0);
      if (initMs !== undefined) parts.push(part("Initialization", { start, end: initialised }));
      if (restoreMs !== undefined) parts.push(part("Restore", { start: initialised, end: begun }));
      const answered = this.#answeredAt ?? now;
      parts.push(part("Invocation", { start: begun, end: answered }, error));
      parts.push(part("Overhead", { start: answered, end: now }));
    }
    const links = this.#invocation.traceLinks ?? [];
    const run = { id: this.segmentId, span: { start, end: now }, subsegments: parts, error, links };
    if (this.#invocation.accepted === undefined)
      sink.write(spec, this.#service(requestId, now, 200, how.failed));
    else this.#event(this.#invocation.accepted, now, how.failed);
    sink.write(spec, functionSegment(spec, this.#segments, run));
  }

  /** How an asynchronous event has fared until now; a later run tells it anew. */
  #event({ at, attempt }: { at: number; attempt: number }, now: number, failed: boolean): void {
    const { spec, requestId } = this.#invocation;
    const { ids, sink } = this.#options;
    const segments = this.#segments;
    const span = { start: Math.min(at, now), end: now };
    sink.write(spec, serviceSegment(spec, segments, requestId, span, 202, false));
    const begun = Math.min(this.#receivedAt, now);
    if (attempt === 1) {
      const waited = { start: span.start, end: begun };
      sink.write(spec, eventSubsegment(segments, ids.segment(), "Dwell Time", waited));
    }
    const ran = { start: begun, end: now };
    const outcome = { status: 200, failed };
    sink.write(spec, eventSubsegment(segments, segments.run, `Attempt #${attempt}`, ran, outcome));
  }

  /** It was given to no environment. @param status that Invoke answers: 429 of a throttle */
  refused(status: number): void {
    const { spec, requestId, accepted } = this.#invocation;
    // An event waits on.
    if (accepted !== undefined) return;
    const { clock, sink } = this.#options;
    sink.write(spec, this.#service(requestId, clock.now(), status, false));
  }

  #service(requestId: string, end: number, status: number, failed: boolean) {
    const span = { start: Math.min(this.#receivedAt, end), end };
    return serviceSegment(this.#invocation.spec, this.#segments, requestId, span, status, failed);
  }
}
