import type { XRayDeps } from "../deps.ts";
import type { Scope } from "../scope.ts";
import { xrayErrors } from "../errors.ts";
import { compileFilter, type TraceFilter } from "../filter/compile.ts";
import { FilterExpressionError } from "../filter/error.ts";
import { groupByName } from "../groups.ts";
import { timeOfTrace } from "../segments/parse.ts";
import { collectTraces, type Trace } from "./trace.ts";

export interface TimeRange {
  /** Epoch milliseconds, both inclusive. */
  readonly from: number;
  readonly to: number;
}

/** @throws AwsError InvalidRequestException where the range is none, or longer than `span` (milliseconds) */
export function readRange(start: Date | undefined, end: Date | undefined, span: number): TimeRange {
  const [from, to] = [start?.getTime() ?? NaN, end?.getTime() ?? NaN];
  if (!(from <= to)) throw xrayErrors.timeRange();
  if (to - from > span) throw xrayErrors.timeSpan(span / 3_600_000);
  return { from, to };
}

/** Finds traces by time and by what filter expressions ask of them. */
export class TraceFinder {
  readonly #deps: XRayDeps;

  constructor(deps: XRayDeps) {
    this.#deps = deps;
  }

  /** @throws AwsError InvalidRequestException */
  filter(scope: Scope, expression: string | undefined): TraceFilter {
    if (expression === undefined || expression.trim() === "") return () => true;
    const { documents } = this.#deps;
    try {
      return compileFilter(expression, (name) => groupByName(documents, scope, name)?.filter);
    } catch (error) {
      if (error instanceof FilterExpressionError) throw xrayErrors.filter(error.message);
      throw error;
    }
  }

  /** Traces that began in the range, in that order; a minute of them is in memory at a time. */
  async *between(scope: Scope, { from, to }: TimeRange, filter: TraceFilter): AsyncGenerator<Trace> {
    const { segments } = this.#deps;
    for (const minute of segments.minutes(scope, from, to)) {
      const traces = await collectTraces(segments.minute(scope, minute));
      const wanted = [...traces.values()].filter(({ id, start }) => {
        const told = timeOfTrace(id) ?? 0;
        // An id that tells another time than where it lies tells none.
        const began = Math.floor(told / 60_000) === minute ? told : start * 1000;
        // The id tells whole seconds.
        return began + 999 >= from && began <= to;
      });
      for (const trace of wanted.sort((a, b) => a.start - b.start)) if (filter(trace)) yield trace;
    }
  }

  /** The traces of these ids that are there. */
  async byId(scope: Scope, ids: readonly string[]): Promise<ReadonlyMap<string, Trace>> {
    const { segments } = this.#deps;
    const found = new Map<string, Trace>();
    for (const id of new Set(ids)) {
      const minute = segments.minuteOf(scope, id);
      if (minute === undefined) continue;
      const traces = await collectTraces(segments.minute(scope, minute), (traceId) => traceId === id);
      const trace = traces.get(id);
      if (trace !== undefined) found.set(id, trace);
    }
    return found;
  }
}
