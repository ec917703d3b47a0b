import type * as client from "@aws-sdk/client-xray";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import type { XRayDeps } from "../deps.ts";
import { xrayErrors } from "../errors.ts";
import type { TraceFilter } from "../filter/compile.ts";
import { CallStatistics, ServiceGraph } from "../graph/graph.ts";
import { groupArn, groupByName, listGroups } from "../groups.ts";
import { LIMITS } from "../limits.ts";
import { pageOf } from "../tokens.ts";
import { readRange, TraceFinder } from "../traces/finder.ts";

type XRay = typeof client;

/** Seconds; "The number of seconds between data points", 60 or 300. */
const PERIODS: ReadonlySet<number> = new Set([60, 300]);
const SERVICES_PAGE = 100;
const POINTS_PAGE = 360;

export function graphOperations(deps: XRayDeps) {
  const finder = new TraceFinder(deps);

  const GetServiceGraph: Handler<XRay, "GetServiceGraph"> = async (input, call) => {
    const range = readRange(input.StartTime, input.EndTime, LIMITS.graphSpan);
    const filter = filterOfGroup(call, input);
    const graph = new ServiceGraph(call.account);
    for await (const trace of finder.between(call, range, filter)) graph.add(trace);
    const { page, next } = pageOf(graph.services(), input.NextToken, SERVICES_PAGE);
    return {
      StartTime: input.StartTime,
      EndTime: input.EndTime,
      Services: page,
      ContainsOldGroupVersions: false,
      ...next,
    };
  };

  const GetTimeSeriesServiceStatistics: Handler<XRay, "GetTimeSeriesServiceStatistics"> = async (
    input,
    call,
  ) => {
    const range = readRange(input.StartTime, input.EndTime, LIMITS.graphSpan);
    const period = (input.Period ?? 60) * 1000;
    if (!PERIODS.has(period / 1000)) throw xrayErrors.invalid("Period must be 60 or 300");
    if (input.ForecastStatistics === true) throw xrayErrors.notAvailable("ForecastStatistics");
    const group = filterOfGroup(call, input);
    const selected = finder.filter(call, input.EntitySelectorExpression);
    const buckets = new Map<number, CallStatistics>();
    for await (const trace of finder.between(call, range, (one) => group(one) && selected(one)))
      for (const segment of trace.segments) {
        const time = Math.floor((segment.start * 1000) / period) * period;
        const statistics = buckets.get(time) ?? new CallStatistics();
        buckets.set(time, statistics);
        statistics.add(segment);
      }
    const points = [...buckets].sort(([a], [b]) => a - b);
    const { page, next } = pageOf(points, input.NextToken, POINTS_PAGE);
    return {
      TimeSeriesServiceStatistics: page.map(([time, statistics]) => ({
        Timestamp: new Date(time),
        ServiceSummaryStatistics: statistics.summary(),
        ResponseTimeHistogram: statistics.histogram(),
      })),
      ContainsOldGroupVersions: false,
      ...next,
    };
  };

  /** @throws AwsError InvalidRequestException where there is no such group */
  function filterOfGroup(
    call: CallContext,
    { GroupName, GroupARN }: { GroupName?: string | undefined; GroupARN?: string | undefined },
  ): TraceFilter {
    if (GroupName === undefined && GroupARN === undefined) return () => true;
    const group =
      GroupName === undefined
        ? [...listGroups(deps.documents, call)].find((one) => groupArn(call, one) === GroupARN)
        : groupByName(deps.documents, call, GroupName);
    if (group === undefined) throw xrayErrors.groupMissing();
    return finder.filter(call, group.filter);
  }

  return { GetServiceGraph, GetTimeSeriesServiceStatistics } satisfies OperationsOf<XRay>;
}
