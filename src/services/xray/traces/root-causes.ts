import type { Segment, Timed } from "../segments/segment.ts";
import { calledBy, durationOf, isCall, outcomeOf, serviceOf, type ServiceName, type Trace } from "./trace.ts";

export type CauseKind = "fault" | "error" | "responsetime";

/** The way from a service that answered badly or slowly to what it comes from. */
export interface RootCause {
  /** The first one is what answered so, the last one where it comes from. */
  readonly services: readonly CauseService[];
  /** Whether whoever asked for it all saw it. */
  readonly clientImpacting: boolean;
}

export interface CauseService {
  readonly service: ServiceName;
  readonly entities: readonly CauseEntity[];
  /** Known by the call to it alone. */
  readonly inferred: boolean;
}

/** A segment or subsegment on the way. */
export interface CauseEntity {
  readonly timed: Timed;
  readonly remote: boolean;
  /** The share of the whole time that it took. */
  readonly coverage: number;
}

/** So much of what it lies in takes that which is to blame for its time. */
const TO_BLAME = 0.5;

/** Of time there is one, of faults and errors as many as services have them that no other one's are the consequence of. */
export function rootCausesOf(trace: Trace, kind: CauseKind): readonly RootCause[] {
  const { root, segments } = trace;
  if (kind === "responsetime")
    return root === undefined || durationOf(root) === 0 ? [] : [causeFrom(trace, root, slowest)];
  const next = failing(kind);
  const blamed = new Set<Segment>();
  const causes: RootCause[] = [];
  // In the order of their start callers come before what they call.
  for (const segment of segments) {
    if (blamed.has(segment) || !outcomeOf(segment)[kind]) continue;
    causes.push(causeFrom(trace, segment, next, (reached) => blamed.add(reached)));
  }
  return causes;
}

/** Which of the parts of something is to blame for it. */
type Choice = <Part extends Timed>(parts: readonly Part[], whole: Timed) => Part | undefined;

function failing(kind: "fault" | "error"): Choice {
  return (parts) => parts.find((part) => outcomeOf(part)[kind]);
}

const slowest: Choice = (parts, whole) => {
  const [first, ...rest] = parts;
  if (first === undefined) return undefined;
  const found = rest.reduce((most, part) => (durationOf(part) > durationOf(most) ? part : most), first);
  return durationOf(found) >= durationOf(whole) * TO_BLAME ? found : undefined;
};

function causeFrom(
  trace: Trace,
  first: Segment,
  choose: Choice,
  onReached: (segment: Segment) => void = () => {},
): RootCause {
  const whole = durationOf(trace.root ?? first);
  const entity = (timed: Timed): CauseEntity => ({
    timed,
    remote: "namespace" in timed && timed.namespace === "remote",
    coverage: whole === 0 ? 0 : durationOf(timed) / whole,
  });
  const services: CauseService[] = [];
  const seen = new Set<Timed>();
  let segment: Segment | undefined = first;
  while (segment !== undefined && !seen.has(segment)) {
    onReached(segment);
    const path: Timed[] = [];
    let part: Timed | undefined = segment;
    let answer: Segment | undefined;
    while (part !== undefined && !seen.has(part)) {
      seen.add(part);
      path.push(part);
      answer = choose(trace.answersTo(part), part);
      if (answer !== undefined) break;
      part = choose(trace.within(part), part);
    }
    services.push({ service: serviceOf(segment), entities: path.map(entity), inferred: false });
    const last = path.at(-1);
    if (answer === undefined && last !== undefined && last !== segment && isCall(last))
      services.push({ service: calledBy(last), entities: [entity(last)], inferred: true });
    segment = answer;
  }
  return { services, clientImpacting: first === trace.root };
}
