import type * as client from "@aws-sdk/client-xray";
import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import type { InputOf, OutputOf } from "#wire/operation";
import { testCall } from "../../../test/support/call.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { createXRayService } from "./service.ts";

type XRay = typeof client;

const storage = withStorage();
const NOW = Date.UTC(2026, 1, 17, 10);

function setUp() {
  const clock = new ManualClock(NOW);
  const { documents, journal } = storage();
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const service = createXRayService({ documents, journal, clock, ids: systemIds, onError });
  const ask = async <Name extends string>(operation: Name, input: InputOf<XRay, Name>, account?: string) =>
    (await service.operations[operation]?.(input as never, testCall(account))) as OutputOf<XRay, Name>;
  let count = 0;
  /** A new trace of now, with one segment. @returns its id */
  const put = async (name: string, more: object = {}, traceId = newId()) => {
    const id = (++count).toString(16).padStart(16, "0");
    const start = clock.now() / 1000;
    const document = { trace_id: traceId, id, name, start_time: start, end_time: start + 0.25, ...more };
    const { UnprocessedTraceSegments } = await ask("PutTraceSegments", {
      TraceSegmentDocuments: [JSON.stringify(document)],
    });
    expect(UnprocessedTraceSegments).toEqual([]);
    return traceId;
  };
  const newId = () =>
    `1-${Math.floor(clock.now() / 1000).toString(16)}-${(++count).toString(16).padStart(24, "0")}`;
  const range = () => ({
    StartTime: new Date(clock.now() - 60_000),
    EndTime: new Date(clock.now() + 60_000),
  });
  return { clock, service, ask, put, range, newId, errors };
}

it("takes documents, tells of each that it cannot read, and answers them as they came", async () => {
  const { ask, newId, clock } = setUp();
  const id = newId();
  const start = clock.now() / 1000;
  const good = JSON.stringify({
    trace_id: id,
    id: "00000000000000aa",
    name: "api",
    start_time: start,
    end_time: start + 2,
  });
  const old = JSON.stringify({ ...JSON.parse(good), trace_id: "1-00000001-000000000000000000000001" });
  const { UnprocessedTraceSegments } = await ask("PutTraceSegments", {
    TraceSegmentDocuments: [good, "{", old],
  });
  expect(UnprocessedTraceSegments).toEqual([
    { ErrorCode: "ParseError", Message: expect.any(String) },
    { Id: "00000000000000aa", ErrorCode: "InvalidTraceId", Message: expect.any(String) },
  ]);
  expect(await ask("BatchGetTraces", { TraceIds: [id, "x"] })).toEqual({
    Traces: [
      { Id: id, Duration: 2, LimitExceeded: false, Segments: [{ Id: "00000000000000aa", Document: good }] },
    ],
    UnprocessedTraceIds: ["x"],
  });
  expect((await ask("BatchGetTraces", { TraceIds: [id] }, "222222222222")).Traces).toEqual([]);
});

it("summarises traces, page by page, those alone that a filter expression wants", async () => {
  const { ask, put, range, clock } = setUp();
  for (let index = 0; index < 101; index++) {
    await put("api", {
      annotations: { index },
      user: "ann",
      http: { response: { status: index === 7 ? 500 : 200 } },
    });
    clock.advance(10);
  }
  const first = await ask("GetTraceSummaries", range());
  expect([first.TraceSummaries?.length, first.NextToken]).toEqual([100, expect.any(String)]);
  const rest = await ask("GetTraceSummaries", { ...range(), NextToken: first.NextToken });
  expect([rest.TraceSummaries?.length, rest.NextToken]).toEqual([1, undefined]);
  const faults = await ask("GetTraceSummaries", { ...range(), FilterExpression: "fault" });
  expect(faults.TraceSummaries).toMatchObject([
    {
      HasFault: true,
      HasError: false,
      IsPartial: false,
      ResponseTime: 0.25,
      Http: { HttpStatus: 500 },
      Annotations: { index: [{ AnnotationValue: { NumberValue: 7 }, ServiceIds: [{ Name: "api" }] }] },
      Users: [{ UserName: "ann" }],
      EntryPoint: { Name: "api", AccountId: "111111111111" },
    },
  ]);
  await expect(ask("GetTraceSummaries", { ...range(), FilterExpression: "nonsense" })).rejects.toThrow(
    "unknown keyword",
  );
  const backwards = { StartTime: new Date(NOW), EndTime: new Date(NOW - 1) };
  await expect(ask("GetTraceSummaries", backwards)).rejects.toThrow("EndTime must be after StartTime");
});

it("draws the map of services and of the calls between them", async () => {
  const { ask, put, range, clock } = setUp();
  const start = clock.now() / 1000;
  const call = { start_time: start, end_time: start + 0.1, namespace: "aws" };
  const id = await put("front", {
    origin: "AWS::Lambda::Function",
    subsegments: [
      { ...call, id: "00000000000000f1", name: "Lambda" },
      { ...call, id: "00000000000000f2", name: "S3", error: true, throttle: true },
      { ...call, id: "00000000000000f3", name: "example.com", namespace: "remote" },
    ],
  });
  await put("back", { origin: "AWS::Lambda::Function", parent_id: "00000000000000f1", fault: true }, id);
  const { Services = [] } = await ask("GetServiceGraph", range());
  const byName = new Map(Services.map((service) => [`${service.Type} ${service.Name}`, service]));
  expect([...byName.keys()].toSorted()).toEqual([
    "AWS::Lambda::Function back",
    "AWS::Lambda::Function front",
    "AWS::S3 S3",
    "client front",
    "remote example.com",
  ]);
  const front = byName.get("AWS::Lambda::Function front");
  const target = (name: string) =>
    front?.Edges?.find((edge) => edge.ReferenceId === byName.get(name)?.ReferenceId);
  expect(target("AWS::Lambda::Function back")?.SummaryStatistics).toMatchObject({
    FaultStatistics: { TotalCount: 1 },
    TotalCount: 1,
  });
  expect(target("AWS::S3 S3")?.SummaryStatistics).toMatchObject({ ErrorStatistics: { ThrottleCount: 1 } });
  expect(byName.get("client front")?.Edges).toMatchObject([{ ReferenceId: front?.ReferenceId }]);
  expect((await ask("GetTraceGraph", { TraceIds: [id] })).Services).toHaveLength(5);
  const series = await ask("GetTimeSeriesServiceStatistics", { ...range(), Period: 60 });
  expect(series.TimeSeriesServiceStatistics).toMatchObject([
    {
      Timestamp: new Date(NOW),
      ServiceSummaryStatistics: { OkCount: 1, TotalCount: 2, FaultStatistics: { TotalCount: 1 } },
    },
  ]);
});

it("keeps groups, and shows a group's traces alone", async () => {
  const { ask, put, range } = setUp();
  await put("good");
  await put("bad", { fault: true });
  const { Group } = await ask("CreateGroup", {
    GroupName: "faults",
    FilterExpression: "fault",
    Tags: [{ Key: "a", Value: "1" }],
  });
  expect(Group).toMatchObject({
    GroupName: "faults",
    FilterExpression: "fault",
    InsightsConfiguration: { InsightsEnabled: false },
  });
  await expect(ask("CreateGroup", { GroupName: "faults" })).rejects.toThrow("already exists");
  await expect(ask("CreateGroup", { GroupName: "x", FilterExpression: "(" })).rejects.toThrow(
    "filter expression",
  );
  const graph = await ask("GetServiceGraph", { ...range(), GroupName: "faults" });
  expect(graph.Services?.filter(({ Type }) => Type !== "client").map(({ Name }) => Name)).toEqual(["bad"]);
  const ResourceARN = Group?.GroupARN;
  await ask("TagResource", { ResourceARN, Tags: [{ Key: "b", Value: "2" }] });
  await ask("UntagResource", { ResourceARN, TagKeys: ["a"] });
  expect((await ask("ListTagsForResource", { ResourceARN })).Tags).toEqual([{ Key: "b", Value: "2" }]);
  await ask("UpdateGroup", { GroupARN: ResourceARN, FilterExpression: "ok" });
  expect((await ask("GetGroup", { GroupName: "faults" })).Group?.FilterExpression).toBe("ok");
  expect((await ask("GetGroups", {})).Groups?.map(({ GroupName }) => GroupName)).toEqual([
    "Default",
    "faults",
  ]);
  await ask("DeleteGroup", { GroupName: "faults" });
  await expect(ask("GetGroup", { GroupName: "faults" })).rejects.toThrow("Group not found");
  await expect(ask("ListTagsForResource", { ResourceARN })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
});

it("keeps sampling rules, and divides a reservoir among those who ask", async () => {
  const { ask, clock } = setUp();
  expect((await ask("GetSamplingRules", {})).SamplingRuleRecords).toMatchObject([
    { SamplingRule: { RuleName: "Default", Priority: 10_000, FixedRate: 0.05, ReservoirSize: 1 } },
  ]);
  const rule = {
    RuleName: "orders",
    Priority: 1,
    FixedRate: 0.5,
    ReservoirSize: 5,
    ResourceARN: "*",
    ServiceName: "api",
    ServiceType: "*",
    Host: "*",
    HTTPMethod: "*",
    URLPath: "/orders",
    Version: 1,
  };
  await ask("CreateSamplingRule", { SamplingRule: rule });
  await expect(ask("CreateSamplingRule", { SamplingRule: rule })).rejects.toThrow("already exists");
  const report = (ClientID: string, RuleName = "orders") =>
    ask("GetSamplingTargets", {
      SamplingStatisticsDocuments: [
        { RuleName, ClientID, Timestamp: new Date(clock.now()), RequestCount: 3, SampledCount: 1 },
      ],
    });
  const quotas = async (...clients: string[]) => {
    const answers = [];
    for (const name of clients)
      answers.push((await report(name)).SamplingTargetDocuments?.[0]?.ReservoirQuota);
    return answers;
  };
  expect(await quotas("one")).toEqual([5]);
  expect(await quotas("two", "one", "two")).toEqual([2, 3, 2]);
  clock.advance(40_000);
  expect(await quotas("two")).toEqual([5]);
  expect((await report("one", "missing")).UnprocessedStatistics).toMatchObject([{ RuleName: "missing" }]);
  expect((await ask("GetSamplingStatisticSummaries", {})).SamplingStatisticSummaries).toMatchObject([
    { RuleName: "orders", RequestCount: 15, SampledCount: 5 },
  ]);
  await ask("UpdateSamplingRule", { SamplingRuleUpdate: { RuleName: "orders", FixedRate: 0.1 } });
  await ask("UpdateSamplingRule", { SamplingRuleUpdate: { RuleName: "Default", FixedRate: 1 } });
  await expect(
    ask("UpdateSamplingRule", { SamplingRuleUpdate: { RuleName: "Default", Host: "x" } }),
  ).rejects.toThrow("default");
  expect(
    (await ask("GetSamplingRules", {})).SamplingRuleRecords?.map((one) => one.SamplingRule?.FixedRate),
  ).toEqual([1, 0.1]);
  await ask("DeleteSamplingRule", { RuleName: "orders" });
  await expect(ask("DeleteSamplingRule", { RuleName: "orders" })).rejects.toThrow("does not exist");
});

it("forgets traces after thirty days", async () => {
  const { ask, put, clock, service, errors } = setUp();
  const old = await put("old");
  service.start();
  clock.advance(31 * 86_400_000);
  const fresh = await put("fresh");
  await expect
    .poll(async () => (await ask("BatchGetTraces", { TraceIds: [old, fresh] })).Traces?.map(({ Id }) => Id))
    .toEqual([fresh]);
  service.stop();
  expect(errors).toEqual([]);
});

it("keeps resource policies, by their revisions", async () => {
  const { ask } = setUp();
  const statement = {
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "xray:PutTraceSegments",
    Resource: "*",
  };
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const put = (PolicyName: string, more: object = {}) =>
    ask("PutResourcePolicy", { PolicyName, PolicyDocument, ...more });
  const { ResourcePolicy } = await put("sns", { PolicyRevisionId: "0" });
  expect(ResourcePolicy).toMatchObject({ PolicyName: "sns", PolicyDocument, LastUpdatedTime: new Date(NOW) });
  await expect(put("sns", { PolicyRevisionId: "0" })).rejects.toMatchObject({
    code: "InvalidPolicyRevisionIdException",
  });
  const second = await put("sns", { PolicyRevisionId: ResourcePolicy?.PolicyRevisionId });
  expect((await ask("ListResourcePolicies", {})).ResourcePolicies).toEqual([second.ResourcePolicy]);
  expect((await ask("ListResourcePolicies", {}, "222222222222")).ResourcePolicies).toEqual([]);
  await expect(put("bad", { PolicyDocument: "{" })).rejects.toMatchObject({
    code: "MalformedPolicyDocumentException",
  });
  await expect(put("long", { PolicyDocument: " ".repeat(5121) })).rejects.toMatchObject({
    code: "PolicySizeLimitExceededException",
  });
  for (const name of ["a", "b", "c", "d"]) await put(name);
  await expect(put("e")).rejects.toMatchObject({ code: "PolicyCountLimitExceededException" });
  await expect(
    ask("DeleteResourcePolicy", { PolicyName: "sns", PolicyRevisionId: "x" }),
  ).rejects.toMatchObject({
    code: "InvalidPolicyRevisionIdException",
  });
  await ask("DeleteResourcePolicy", { PolicyName: "sns" });
  const { ResourcePolicies = [] } = await ask("ListResourcePolicies", {});
  expect(ResourcePolicies.map(({ PolicyName }) => PolicyName)).toEqual(["a", "b", "c", "d"]);
});

it("keeps the indexing rule, and says that all is indexed", async () => {
  const { ask } = setUp();
  const ruleOf = (DesiredSamplingPercentage: number) => ({ Probabilistic: { DesiredSamplingPercentage } });
  const [rule] = (await ask("GetIndexingRules", {})).IndexingRules ?? [];
  expect(rule).toMatchObject({
    Name: "Default",
    Rule: { Probabilistic: { DesiredSamplingPercentage: 1, ActualSamplingPercentage: 100 } },
  });
  await ask("UpdateIndexingRule", { Name: "Default", Rule: ruleOf(20) });
  expect((await ask("GetIndexingRules", {})).IndexingRules).toMatchObject([
    { ModifiedAt: new Date(NOW), Rule: ruleOf(20) },
  ]);
  await expect(ask("UpdateIndexingRule", { Name: "Other", Rule: ruleOf(1) })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
  await expect(ask("UpdateIndexingRule", { Name: "Default", Rule: ruleOf(101) })).rejects.toMatchObject({
    code: "InvalidRequestException",
  });
});

it("retrieves traces in X-Ray's form and in OpenTelemetry's, with their graph and their links", async () => {
  const { ask, put, range, newId } = setUp();
  const linked = newId();
  const id = await put("shop", { links: [{ trace_id: linked }], annotations: { order: 7 } });
  const { RetrievalToken } = await ask("StartTraceRetrieval", { TraceIds: [id, newId()], ...range() });
  const listed = await ask("ListRetrievedTraces", { RetrievalToken });
  expect(listed).toMatchObject({
    RetrievalStatus: "COMPLETE",
    TraceFormat: "XRAY",
    Traces: [{ Id: id, Duration: 0.25 }],
  });
  expect(JSON.parse(listed.Traces?.[0]?.Spans?.[0]?.Document ?? "")).toMatchObject({
    name: "shop",
    trace_id: id,
  });
  const otel = await ask("ListRetrievedTraces", { RetrievalToken, TraceFormat: "OTEL" });
  expect(JSON.parse(otel.Traces?.[0]?.Spans?.[0]?.Document ?? "")).toMatchObject({
    traceId: id.slice(2).replace("-", ""),
    name: "shop",
    kind: 2,
    startTimeUnixNano: `${NOW}000000`,
  });
  const { Services } = await ask("GetRetrievedTracesGraph", { RetrievalToken });
  expect(Services).toContainEqual(
    expect.objectContaining({
      Links: [{ ReferenceType: "parent", SourceTraceId: id, DestinationTraceIds: [linked] }],
    }),
  );
  await ask("CancelTraceRetrieval", { RetrievalToken });
  expect(await ask("ListRetrievedTraces", { RetrievalToken })).toMatchObject({
    RetrievalStatus: "CANCELLED",
    Traces: [],
  });
  await expect(ask("ListRetrievedTraces", { RetrievalToken }, "222222222222")).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
  await expect(ask("StartTraceRetrieval", { TraceIds: ["x"], ...range() })).rejects.toMatchObject({
    code: "InvalidRequestException",
  });
});

it("keeps a trace whose id tells no time where its segments came, and finds it by time and by id", async () => {
  const { ask, put, range } = setUp();
  const id = await put("otel", {}, "5b8efff798038103d269b633813fc60c");
  await put("otel", {}, id);
  const { Traces = [] } = await ask("BatchGetTraces", { TraceIds: [id] });
  expect(Traces[0]?.Segments).toHaveLength(2);
  expect((await ask("GetTraceSummaries", range())).TraceSummaries).toMatchObject([{ Id: Traces[0]?.Id }]);
});

it("finds where a group's requests began to fail, where it has insights", async () => {
  const { ask, put, clock } = setUp();
  await ask("CreateGroup", {
    GroupName: "shop",
    FilterExpression: 'service("shop")',
    InsightsConfiguration: { InsightsEnabled: true },
  });
  await ask("CreateGroup", { GroupName: "plain", FilterExpression: 'service("shop")' });
  for (let minute = 0; minute < 30; minute++) {
    await put("shop", minute === 3 ? { fault: true } : {});
    clock.advance(60_000);
  }
  const began = clock.now();
  for (let count = 0; count < 6; count++) {
    await put("shop", count < 5 ? { fault: true } : {});
    clock.advance(10_000);
  }
  const range = { StartTime: new Date(clock.now() - 3_600_000), EndTime: new Date(clock.now()) };
  const summaries = async (GroupName: string, more: object = {}) =>
    (await ask("GetInsightSummaries", { GroupName, ...range, ...more })).InsightSummaries ?? [];
  expect(await summaries("plain")).toEqual([]);
  const [found, ...others] = await summaries("shop");
  expect(others).toEqual([]);
  expect(found).toMatchObject({
    GroupName: "shop",
    State: "ACTIVE",
    Categories: ["FAULT"],
    StartTime: new Date(began),
    RootCauseServiceId: { Name: "shop" },
    ClientRequestImpactStatistics: { FaultCount: 5, OkCount: 1, TotalCount: 6 },
    Summary: "5 of 6 requests failed in shop: 83.3%, and 3.3% in the hour before.",
  });
  expect(await summaries("shop", { States: ["CLOSED"] })).toEqual([]);
  const InsightId = found?.InsightId ?? "";
  expect(InsightId).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  const { LastUpdateTime: _, ...insight } = found ?? {};
  expect((await ask("GetInsight", { InsightId })).Insight).toEqual(insight);
  const { InsightEvents } = await ask("GetInsightEvents", { InsightId });
  expect(InsightEvents).toMatchObject([{ ClientRequestImpactStatistics: { FaultCount: 5 } }]);
  const graph = await ask("GetInsightImpactGraph", { InsightId, ...range });
  expect(graph.Services?.map(({ Name }) => Name)).toContain("shop");
  clock.advance(1_200_000);
  expect((await ask("GetInsight", { InsightId })).Insight).toMatchObject({ State: "CLOSED" });
  await expect(ask("GetInsight", { InsightId: "0".repeat(8) + InsightId.slice(8) })).rejects.toMatchObject({
    code: "InvalidRequestException",
  });
});
