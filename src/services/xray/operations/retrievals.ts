import type * as client from "@aws-sdk/client-xray";
import { encodeSpans } from "#telemetry/otlp/spans-out";
import { listOf, textOf } from "#telemetry/otlp/values";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import type { XRayDeps } from "../deps.ts";
import { xrayErrors } from "../errors.ts";
import { ServiceGraph } from "../graph/graph.ts";
import { LIMITS } from "../limits.ts";
import type { Retrieval, Retrievals } from "../retrievals.ts";
import { canonicalTraceId } from "../segments/parse.ts";
import { pageOf } from "../tokens.ts";
import { documentsOf } from "../traces/documents.ts";
import { readRange, TraceFinder } from "../traces/finder.ts";
import { serviceOf, type Trace } from "../traces/trace.ts";

type XRay = typeof client;

const TRACES_PAGE = 5;
const SERVICES_PAGE = 100;

/** Retrieval of traces as X-Ray has it for those that lie in logs. Here all lie in one place, and are there at once. */
export function retrievalOperations(deps: XRayDeps, retrievals: Retrievals) {
  const finder = new TraceFinder(deps);

  const StartTraceRetrieval: Handler<XRay, "StartTraceRetrieval"> = (input, call) => {
    const { from, to } = readRange(input.StartTime, input.EndTime, LIMITS.retention);
    const traceIds = (input.TraceIds ?? []).map((id) => canonicalTraceId(id));
    const known = traceIds.filter((id) => id !== undefined);
    if (known.length !== traceIds.length) throw xrayErrors.invalid("Invalid trace id");
    if (known.length === 0 || known.length > LIMITS.retrieved)
      throw xrayErrors.invalid(`1 to ${LIMITS.retrieved} trace ids are needed`);
    return { RetrievalToken: retrievals.start(call, { traceIds: known, from, to }) };
  };

  const CancelTraceRetrieval: Handler<XRay, "CancelTraceRetrieval"> = (input, call) => {
    required(call, input.RetrievalToken).cancelled = true;
    return {};
  };

  const ListRetrievedTraces: Handler<XRay, "ListRetrievedTraces"> = async (input, call) => {
    const format = input.TraceFormat ?? "XRAY";
    const retrieval = required(call, input.RetrievalToken);
    const { page, next } = pageOf(await tracesOf(call, retrieval), input.NextToken, TRACES_PAGE);
    return {
      RetrievalStatus: statusOf(retrieval),
      TraceFormat: format,
      Traces: page.map((trace) => ({
        Id: trace.id,
        Duration: Math.round(trace.duration * 1000) / 1000,
        Spans: format === "XRAY" ? segmentsOf(trace) : spansOf(trace, call),
      })),
      ...next,
    };
  };

  const GetRetrievedTracesGraph: Handler<XRay, "GetRetrievedTracesGraph"> = async (input, call) => {
    const retrieval = required(call, input.RetrievalToken);
    const traces = await tracesOf(call, retrieval);
    const graph = new ServiceGraph(call.account);
    for (const trace of traces) graph.add(trace);
    const services = graph.services().map((Service) => ({ Service, Links: linksOf(traces, Service) }));
    const { page, next } = pageOf(services, input.NextToken, SERVICES_PAGE);
    return { RetrievalStatus: statusOf(retrieval), Services: page, ...next };
  };

  /** @throws AwsError ResourceNotFoundException */
  function required(call: CallContext, token = ""): Retrieval {
    const found = retrievals.find(call, token);
    if (found === undefined) throw xrayErrors.resourceMissing(token);
    return found;
  }

  async function tracesOf(call: CallContext, { traceIds, from, to, cancelled }: Retrieval): Promise<Trace[]> {
    if (cancelled) return [];
    const found = await finder.byId(call, traceIds);
    return [...found.values()].filter(({ start, end }) => end * 1000 >= from && start * 1000 <= to);
  }

  return {
    StartTraceRetrieval,
    CancelTraceRetrieval,
    ListRetrievedTraces,
    GetRetrievedTracesGraph,
  } satisfies OperationsOf<XRay>;
}

function statusOf({ cancelled }: Retrieval): client.RetrievalStatus {
  return cancelled ? "CANCELLED" : "COMPLETE";
}

function segmentsOf(trace: Trace): client.Span[] {
  return documentsOf(trace).map(({ id, document }) => ({ Id: id, Document: document }));
}

function spansOf(trace: Trace, { account, region }: CallContext): client.Span[] {
  const all = encodeSpans(
    documentsOf(trace).map(({ document }) => ({ account, region, sender: "", document })),
  );
  return listOf(all["resourceSpans"]).flatMap(({ resource, scopeSpans }) =>
    listOf(scopeSpans).flatMap(({ scope, spans }) =>
      listOf(spans).map((span) => ({
        Id: textOf(span["spanId"]),
        Document: JSON.stringify({ resource, scope, ...span }),
      })),
    ),
  );
}

/** Where a service's segments say that another trace caused theirs. */
function linksOf(traces: readonly Trace[], { Name, Type }: client.Service): client.GraphLink[] {
  return traces.flatMap((trace) => {
    const own = trace.segments.filter((segment) => {
      const { name, type } = serviceOf(segment);
      return name === Name && type === Type;
    });
    const linked = [...new Set(own.flatMap(({ links }) => links))];
    return linked.length === 0
      ? []
      : [{ ReferenceType: "parent", SourceTraceId: trace.id, DestinationTraceIds: linked }];
  });
}
