import type { Segment, Subsegment, Timed } from "../segments/segment.ts";
import type { StoredSegment } from "../segments/store.ts";

/** A node of a service map: what a segment, or a call that nobody answered with a segment, stands for. */
export interface ServiceName {
  readonly name: string;
  /** Such as `AWS::Lambda::Function`, `remote` or `client`; undefined where the segment names none. */
  readonly type: string | undefined;
}

/** A call from one service to another, with the side of it that tells how it went. */
export interface Call {
  readonly from: ServiceName;
  readonly to: ServiceName;
  readonly timed: Timed;
  /** The called service sent no segment: it is known by the call alone. */
  readonly inferred: boolean;
}

/** All that is known of one request's way. */
export class Trace {
  readonly id: string;
  readonly #segments = new Map<string, Segment>();
  /** Subsegments that were sent by themselves, by what they lie in. */
  readonly #loose = new Map<string, Map<string, Subsegment>>();
  readonly #documents = new Map<string, string>();
  #calls: readonly Call[] | undefined;
  /** Segments by the subsegments that they answer. */
  #answers: ReadonlyMap<string, readonly Segment[]> | undefined;

  constructor(id: string) {
    this.id = id;
  }

  /** A segment that is sent again replaces what was sent before: it was in progress then. */
  add({ segment, document }: StoredSegment): void {
    this.#calls = undefined;
    this.#answers = undefined;
    this.#documents.set(segment.id, document);
    if (segment.kind === "segment") this.#segments.set(segment.id, segment);
    else {
      const parent = segment.parentId ?? "";
      const siblings = this.#loose.get(parent) ?? new Map<string, Subsegment>();
      siblings.set(segment.id, segment);
      this.#loose.set(parent, siblings);
    }
  }

  /** Documents as they came, by segment id. */
  get documents(): ReadonlyMap<string, string> {
    return this.#documents;
  }

  /** Whether subsegments were sent by themselves. */
  get hasLoose(): boolean {
    return this.#loose.size > 0;
  }

  /** In the order of their start. */
  get segments(): readonly Segment[] {
    return [...this.#segments.values()].sort((a, b) => a.start - b.start);
  }

  /** The segment that nobody of this trace called: its entry point. */
  get root(): Segment | undefined {
    const known = this.segments;
    return known.find(({ parentId }) => parentId === undefined) ?? known[0];
  }

  /** Seconds since the epoch; 0 of a trace without segments. */
  get start(): number {
    return this.#all().reduce((least, { start }) => Math.min(least, start), Infinity);
  }

  get end(): number {
    return this.#all().reduce((most, { start, end }) => Math.max(most, end ?? start), -Infinity);
  }

  get partial(): boolean {
    return this.#segments.size === 0 || this.segments.some(({ end }) => end === undefined);
  }

  /** Seconds. */
  get duration(): number {
    return this.end - this.start;
  }

  /** What lies in a segment or subsegment directly. */
  within(timed: Timed): readonly Subsegment[] {
    return [...timed.subsegments, ...(this.#loose.get(timed.id)?.values() ?? [])];
  }

  /** A segment and all that lies in it, however deep. */
  *walk(timed: Timed): Generator<Timed> {
    const waiting: Timed[] = [timed];
    const seen = new Set<string>();
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      // Subsegments that were sent by themselves may name each other as parents.
      if (next.id !== "" && seen.has(next.id)) continue;
      seen.add(next.id);
      yield next;
      for (const part of this.within(next)) waiting.push(part);
    }
  }

  /** The segments of services that were called from within something, in the order of their start. */
  answersTo({ id }: Timed): readonly Segment[] {
    this.#answers ??= byParent(this.segments);
    return this.#answers.get(id) ?? [];
  }

  /** Calls between its services, and to those that sent no segment. */
  calls(): readonly Call[] {
    this.#calls ??= [...this.#findCalls()];
    return this.#calls;
  }

  *#findCalls(): Generator<Call> {
    for (const segment of this.segments) {
      const from = serviceOf(segment);
      for (const part of this.walk(segment)) {
        const answer = this.answersTo(part).at(-1);
        if (answer !== undefined && answer !== segment)
          yield { from, to: serviceOf(answer), timed: answer, inferred: false };
        else if (part !== segment && isCall(part))
          yield { from, to: calledBy(part), timed: part, inferred: true };
      }
    }
  }

  #all(): readonly Timed[] {
    const loose = [...this.#loose.values()].flatMap((siblings) => [...siblings.values()]);
    const all = [...this.#segments.values(), ...loose];
    return all.length === 0 ? [NOTHING] : all;
  }
}

function byParent(segments: readonly Segment[]): ReadonlyMap<string, readonly Segment[]> {
  const found = new Map<string, Segment[]>();
  for (const segment of segments) {
    if (segment.parentId === undefined) continue;
    const siblings = found.get(segment.parentId) ?? [];
    found.set(segment.parentId, siblings);
    siblings.push(segment);
  }
  return found;
}

const NOTHING: Timed = {
  id: "",
  name: "",
  start: 0,
  end: 0,
  fault: false,
  error: false,
  throttle: false,
  http: undefined,
  annotations: new Map(),
  exceptions: [],
  subsegments: [],
};

export function serviceOf(segment: Segment): ServiceName {
  return { name: segment.name, type: segment.origin };
}

/** Whether it is of a call to another service. */
export function isCall(timed: Timed): timed is Subsegment {
  return "namespace" in timed && (timed.namespace === "aws" || timed.namespace === "remote");
}

/** Calls of AWS are shown by the resource that they are about, where the subsegment tells it. */
export function calledBy(call: Subsegment): ServiceName {
  if (call.namespace !== "aws") return { name: call.name, type: "remote" };
  return { name: call.resource ?? call.name, type: `AWS::${call.name}` };
}

/** Puts segments together into their traces, in the order in which these are first seen. */
export async function collectTraces(
  segments: AsyncIterable<StoredSegment>,
  wanted: (traceId: string) => boolean = () => true,
): Promise<ReadonlyMap<string, Trace>> {
  const traces = new Map<string, Trace>();
  for await (const stored of segments) {
    const { traceId = "" } = stored.segment;
    if (!wanted(traceId)) continue;
    const trace = traces.get(traceId) ?? new Trace(traceId);
    traces.set(traceId, trace);
    trace.add(stored);
  }
  return traces;
}

/** Whose fault a status is, where the document does not say. */
export function outcomeOf(timed: Timed): { fault: boolean; error: boolean; throttle: boolean } {
  const status = timed.http?.status;
  return {
    fault: timed.fault || (status !== undefined && status >= 500),
    error: timed.error || timed.throttle || (status !== undefined && status >= 400 && status < 500),
    throttle: timed.throttle || status === 429,
  };
}

export function durationOf({ start, end }: Timed): number {
  return end === undefined ? 0 : end - start;
}
