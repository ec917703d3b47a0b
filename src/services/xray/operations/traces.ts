import type * as client from "@aws-sdk/client-xray";
import type { Handler, OperationsOf } from "#wire/operation";
import type { XRayDeps } from "../deps.ts";
import { xrayErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { ServiceGraph } from "../graph/graph.ts";
import { canonicalTraceId } from "../segments/parse.ts";
import { readToken, writeToken } from "../tokens.ts";
import { readRange, TraceFinder } from "../traces/finder.ts";
import { summarise } from "../traces/summary.ts";
import { documentsOf } from "../traces/documents.ts";
import type { Trace } from "../traces/trace.ts";

type XRay = typeof client;

export function traceOperations(deps: XRayDeps) {
  const finder = new TraceFinder(deps);

  const BatchGetTraces: Handler<XRay, "BatchGetTraces"> = async (input, call) => {
    const ids = input.TraceIds ?? [];
    if (ids.length > LIMITS.tracesBatch) throw xrayErrors.invalid(`${LIMITS.tracesBatch} trace ids at most`);
    const known = ids.map((id) => canonicalTraceId(id));
    const found = await finder.byId(
      call,
      known.filter((id) => id !== undefined),
    );
    return {
      Traces: [...found.values()].map((trace) => describe(trace)),
      UnprocessedTraceIds: ids.filter((_id, index) => known[index] === undefined),
    };
  };

  const GetTraceSummaries: Handler<XRay, "GetTraceSummaries"> = async (input, call) => {
    const range = readRange(input.StartTime, input.EndTime, LIMITS.summariesSpan);
    const filter = finder.filter(call, input.FilterExpression);
    const start = readToken(input.NextToken);
    const summaries: client.TraceSummary[] = [];
    let processed = 0;
    let more = false;
    for await (const trace of finder.between(call, range, filter)) {
      if (processed++ < start) continue;
      if (summaries.length === LIMITS.summariesPage) {
        more = true;
        break;
      }
      summaries.push(summarise(trace, call.account));
    }
    return {
      TraceSummaries: summaries,
      ApproximateTime: new Date(range.to),
      TracesProcessedCount: summaries.length,
      ...(more ? { NextToken: writeToken(start + summaries.length) } : {}),
    };
  };

  const GetTraceGraph: Handler<XRay, "GetTraceGraph"> = async (input, call) => {
    const graph = new ServiceGraph(call.account);
    const ids = (input.TraceIds ?? []).map((id) => canonicalTraceId(id)).filter((id) => id !== undefined);
    for (const trace of (await finder.byId(call, ids)).values()) graph.add(trace);
    return { Services: graph.services() };
  };

  return { BatchGetTraces, GetTraceSummaries, GetTraceGraph } satisfies OperationsOf<XRay>;
}

function describe(trace: Trace): client.Trace {
  let bytes = 0;
  const segments: client.Segment[] = [];
  for (const { id, document } of documentsOf(trace)) {
    bytes += document.length;
    if (bytes > LIMITS.traceBytes) break;
    segments.push({ Id: id, Document: document });
  }
  return {
    Id: trace.id,
    Duration: Math.round(trace.duration * 1000) / 1000,
    LimitExceeded: bytes > LIMITS.traceBytes,
    Segments: segments,
  };
}
