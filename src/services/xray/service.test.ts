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
