import { createHash } from "node:crypto";
import type * as client from "@aws-sdk/client-xray";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import type { XRayDeps } from "../deps.ts";
import { xrayErrors } from "../errors.ts";
import { ServiceGraph } from "../graph/graph.ts";
import { groupArn, groupByName, listGroups, type GroupDocument } from "../groups.ts";
import { type Anomaly, type Counts, FaultRates, LEAD, PERIOD } from "../insights/detect.ts";
import { LIMITS } from "../limits.ts";
import type { Scope } from "../scope.ts";
import { pageOf } from "../tokens.ts";
import { readRange, type TimeRange, TraceFinder } from "../traces/finder.ts";
import { serviceId } from "../traces/summary.ts";
import { outcomeOf } from "../traces/trace.ts";

type XRay = typeof client;

const PAGE = 50;
const SERVICES_PAGE = 100;
/** An insight that goes on for longer is told up to here. */
const LONGEST = LIMITS.summariesSpan;

interface Found {
  readonly group: GroupDocument;
  readonly anomaly: Anomaly;
}

/**
 * Insights of groups that want them: found in what is stored of their traces whenever they are asked for. An insight's id
 * holds its start and tells its group, so that nothing is kept of it.
 */
export function insightOperations(deps: XRayDeps) {
  const { documents, clock } = deps;
  const finder = new TraceFinder(deps);

  async function anomalies(call: CallContext, group: GroupDocument, range: TimeRange) {
    const rates = new FaultRates();
    const filter = finder.filter(call, group.filter);
    const wider = { from: range.from - LEAD, to: Math.min(range.to, clock.now()) };
    for await (const trace of finder.between(call, wider, filter)) rates.add(trace);
    return rates.anomalies().filter(({ start, end }) => end >= range.from && start <= range.to);
  }

  /** @throws AwsError InvalidRequestException */
  async function required(call: CallContext, id = ""): Promise<Found> {
    const start = Number.parseInt(id.slice(0, 8), 16) * 1000;
    for (const group of listGroups(documents, call)) {
      if (!group.insights || idOf(call, group, start) !== id) continue;
      const found = await anomalies(call, group, { from: start, to: start + LONGEST });
      const anomaly = found.find((one) => one.start === start);
      if (anomaly !== undefined) return { group, anomaly };
    }
    throw xrayErrors.insightMissing(id);
  }

  const GetInsightSummaries: Handler<XRay, "GetInsightSummaries"> = async (input, call) => {
    const range = readRange(input.StartTime, input.EndTime, LIMITS.summariesSpan);
    const group = requiredGroup(call, input);
    const found = group.insights ? await anomalies(call, group, range) : [];
    const summaries = found
      .map((anomaly) => ({
        ...describe(call, { group, anomaly }, clock.now()),
        LastUpdateTime: new Date(Math.min(anomaly.end, clock.now())),
      }))
      .filter(({ State }) => input.States === undefined || input.States.includes(State));
    const { page, next } = pageOf(
      summaries,
      input.NextToken,
      Math.min(input.MaxResults ?? PAGE, LIMITS.page),
    );
    return { InsightSummaries: page, ...next };
  };

  const GetInsight: Handler<XRay, "GetInsight"> = async (input, call) => ({
    Insight: describe(call, await required(call, input.InsightId), clock.now()),
  });

  const GetInsightEvents: Handler<XRay, "GetInsightEvents"> = async (input, call) => {
    const { anomaly } = await required(call, input.InsightId);
    const events = anomaly.periods.map(({ end, requests, cause }) => ({
      Summary: summaryOf(anomaly, requests),
      EventTime: new Date(Math.min(end, clock.now())),
      ClientRequestImpactStatistics: statistics(requests),
      RootCauseServiceRequestImpactStatistics: statistics(cause),
      ...causeOf(call, anomaly).anomalous,
    }));
    const newest = events.toReversed();
    const { page, next } = pageOf(newest, input.NextToken, Math.min(input.MaxResults ?? PAGE, LIMITS.page));
    return { InsightEvents: page, ...next };
  };

  const GetInsightImpactGraph: Handler<XRay, "GetInsightImpactGraph"> = async (input, call) => {
    const range = readRange(input.StartTime, input.EndTime, LIMITS.graphSpan);
    const { group, anomaly } = await required(call, input.InsightId);
    const from = Math.max(range.from, anomaly.start);
    const to = Math.min(range.to, anomaly.end);
    const graph = new ServiceGraph(call.account);
    const filter = finder.filter(call, group.filter);
    if (from <= to)
      for await (const trace of finder.between(call, { from, to }, filter))
        if (trace.segments.some((segment) => outcomeOf(segment).fault)) graph.add(trace);
    const services = graph.services().map(({ ReferenceId, Type, Name, Names, AccountId, Edges = [] }) => ({
      ReferenceId,
      Type,
      Name,
      Names,
      AccountId,
      Edges: Edges.map((edge) => ({ ReferenceId: edge.ReferenceId })),
    }));
    const { page, next } = pageOf(services, input.NextToken, SERVICES_PAGE);
    return {
      InsightId: input.InsightId,
      StartTime: input.StartTime,
      EndTime: input.EndTime,
      ServiceGraphStartTime: new Date(from),
      ServiceGraphEndTime: new Date(to),
      Services: page,
      ...next,
    };
  };

  function requiredGroup(
    call: CallContext,
    { GroupName, GroupARN }: { GroupName?: string | undefined; GroupARN?: string | undefined },
  ): GroupDocument {
    if ((GroupName === undefined) === (GroupARN === undefined)) throw xrayErrors.groupOneOf();
    const group =
      GroupName === undefined
        ? [...listGroups(documents, call)].find((one) => groupArn(call, one) === GroupARN)
        : groupByName(documents, call, GroupName);
    if (group === undefined) throw xrayErrors.groupMissing();
    return group;
  }

  return {
    GetInsightSummaries,
    GetInsight,
    GetInsightEvents,
    GetInsightImpactGraph,
  } satisfies OperationsOf<XRay>;
}

/** A UUID of the insight's start, in seconds, and of what names its group. */
function idOf(scope: Scope, group: GroupDocument, start: number): string {
  const seconds = Math.floor(start / 1000)
    .toString(16)
    .padStart(8, "0");
  const hash = createHash("sha256").update(groupArn(scope, group)).digest("hex");
  return [seconds, hash.slice(0, 4), hash.slice(4, 8), hash.slice(8, 12), hash.slice(12, 24)].join("-");
}

function describe(scope: Scope, { group, anomaly }: Found, now: number) {
  const active = anomaly.end + PERIOD > now;
  const cause = causeOf(scope, anomaly);
  return {
    InsightId: idOf(scope, group, anomaly.start),
    GroupARN: groupArn(scope, group),
    GroupName: group.name,
    ...cause.root,
    Categories: ["FAULT" as const],
    State: active ? ("ACTIVE" as const) : ("CLOSED" as const),
    StartTime: new Date(anomaly.start),
    ...(active ? {} : { EndTime: new Date(anomaly.end) }),
    Summary: summaryOf(anomaly, anomaly.requests),
    ClientRequestImpactStatistics: statistics(anomaly.requests),
    RootCauseServiceRequestImpactStatistics: statistics(anomaly.causeRequests),
    ...cause.anomalous,
  };
}

function causeOf({ account }: Scope, { cause }: Anomaly) {
  if (cause === undefined) return { root: {}, anomalous: { TopAnomalousServices: [] } };
  const ServiceId = serviceId(cause, account);
  return { root: { RootCauseServiceId: ServiceId }, anomalous: { TopAnomalousServices: [{ ServiceId }] } };
}

function summaryOf({ before, cause }: Anomaly, { ok, faults }: Counts): string {
  const share = (rate: number): string => `${Math.round(rate * 1000) / 10}%`;
  const where = cause === undefined ? "" : ` in ${cause.name}`;
  return `${faults} of ${ok + faults} requests failed${where}: ${share(faults / (ok + faults))}, and ${share(before)} in the hour before.`;
}

function statistics({ ok, faults }: Counts): client.RequestImpactStatistics {
  return { FaultCount: faults, OkCount: ok, TotalCount: ok + faults };
}
