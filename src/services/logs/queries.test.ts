import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { testCall } from "../../../test/support/call.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { until } from "../../../test/support/until.ts";
import { createIngestion } from "./ingestion.ts";
import { LocalRunner, type QueryRunner } from "./insights/runner.ts";
import { eventOperations } from "./operations/events.ts";
import { groupOperations } from "./operations/groups.ts";
import { queryDefinitionOperations } from "./operations/query-definitions.ts";
import { queryOperations } from "./operations/queries.ts";
import { streamOperations } from "./operations/streams.ts";
import { Queries } from "./queries.ts";

const storage = withStorage();
const group = { logGroupName: "/g" };

async function setUp(openRunner: () => QueryRunner = () => new LocalRunner()) {
  const clock = new ManualClock();
  const { documents, journal } = storage();
  const ingestion = createIngestion({ documents, journal, clock });
  const deps = { documents, journal, clock, ids: systemIds, ingestion };
  const errors: unknown[] = [];
  const queries = new Queries({ ...deps, openRunner, onError: (error) => errors.push(error) });
  const logs = {
    ...groupOperations(deps),
    ...streamOperations(deps),
    ...eventOperations(deps),
    ...queryOperations(deps, queries),
    ...queryDefinitionOperations(deps),
  };
  const call = testCall();
  await logs.CreateLogGroup(group, call);
  for (const stream of ["one", "two"]) {
    await logs.CreateLogStream({ ...group, logStreamName: stream }, call);
    const logEvents = [1, 2, 3].map((n) => ({
      timestamp: clock.now() + n * 1000,
      message: JSON.stringify({ n, stream }),
    }));
    await logs.PutLogEvents({ ...group, logStreamName: stream, logEvents }, call);
  }
  const second = Math.floor(clock.now() / 1000);
  const range = { startTime: second, endTime: second + 60 };
  /** Waits for a query's end by asking, as clients do. */
  const results = async (queryId: string | undefined) => {
    for (;;) {
      const answer = await logs.GetQueryResults({ queryId }, call);
      if (answer.status !== "Running" && answer.status !== "Scheduled") return answer;
      await new Promise(setImmediate);
    }
  };
  return { clock, call, logs, queries, range, results, second, errors };
}

it("answers a query over every stream of its groups, in the time that was asked for", async () => {
  const { logs, call, range, results, second } = await setUp();
  const queryString = "stats count() as n, sum(n) as s by stream | sort stream";
  const { queryId } = await logs.StartQuery({ ...group, ...range, queryString }, call);
  const answer = await results(queryId);
  expect(answer).toMatchObject({
    status: "Complete",
    queryLanguage: "CWLI",
    results: [
      [
        { field: "stream", value: "one" },
        { field: "n", value: "3" },
        { field: "s", value: "6" },
      ],
      [{ field: "stream", value: "two" }, {}, {}],
    ],
    statistics: { recordsMatched: 6, recordsScanned: 6, logGroupsScanned: 1 },
  });
  const short = { startTime: second + 2, endTime: second + 2, queryString: "stats count() as n" };
  const { queryId: other } = await logs.StartQuery({ logGroupNames: ["/g"], ...short }, call);
  expect((await results(other)).results).toEqual([[{ field: "n", value: "2" }]]);
});

it("describes queries as recorded, and finds the record that a pointer names", async () => {
  const { logs, call, range, results, second } = await setUp();
  const { queryId } = await logs.StartQuery(
    { ...group, ...range, queryString: "fields @message", limit: 1 },
    call,
  );
  const { results: rows = [] } = await results(queryId);
  const { queries: described = [] } = await logs.DescribeQueries({ logGroupName: "/g" }, call);
  expect(described).toMatchObject([
    {
      queryId,
      queryLanguage: "CWLI",
      logGroupName: "/g",
      status: "Complete",
      queryString: `SOURCE "/g" START=${second}000 END=${second + 60}999 | fields @message`,
    },
  ]);
  expect((await logs.DescribeQueries({ status: "Scheduled" }, call)).queries).toEqual([]);
  const pointer = rows[0]?.find(({ field }) => field === "@ptr")?.value ?? "";
  const { logRecord } = await logs.GetLogRecord({ logRecordPointer: pointer }, call);
  expect(logRecord).toMatchObject({
    "@message": '{"n":3,"stream":"one"}',
    "@logStream": "one",
    n: "3",
    stream: "one",
  });
  const others = testCall("222222222222");
  await expect(async () => logs.GetLogRecord({ logRecordPointer: pointer }, others)).rejects.toThrow(
    "pointer",
  );
  await expect(async () => logs.GetQueryResults({ queryId }, others)).rejects.toThrow("does not exist");
});

it("refuses queries that mean nothing, groups that are not there, and times that end before they begin", async () => {
  const { logs, call, range, second } = await setUp();
  const start = async (input: object) =>
    logs.StartQuery({ ...group, ...range, queryString: "fields a", ...input }, call);
  await expect(start({ queryString: "fields a | nonsense" })).rejects.toMatchObject({
    code: "MalformedQueryException",
    members: { queryCompileError: { location: { startCharOffset: 11 } } },
  });
  await expect(start({ logGroupName: "missing" })).rejects.toThrow(
    "Log group 'missing' does not exist for account ID '111111111111'",
  );
  await expect(start({ logGroupNames: ["/g"] })).rejects.toMatchObject({ code: "InvalidParameterException" });
  await expect(start({ endTime: second - 1 })).rejects.toMatchObject({ code: "InvalidParameterException" });
  await expect(start({ queryLanguage: "SQL" })).rejects.toThrow("SQL");
});

it("stops a query, and ends one that runs for an hour; others take its turn", async () => {
  const stuck = (): QueryRunner => {
    let fail: (error: Error) => void = () => undefined;
    return {
      start: () => new Promise((_resolve, reject) => (fail = reject)),
      push: () => Promise.resolve(),
      finish: () => Promise.reject(new Error("never started")),
      close: () => Promise.resolve(fail(new Error("closed"))),
    };
  };
  const { clock, logs, call, range, results, queries } = await setUp(stuck);
  const start = async () =>
    (await logs.StartQuery({ ...group, ...range, queryString: "fields a" }, call)).queryId;
  const [first, second, third] = [await start(), await start(), await start()];
  const status = async (queryId: string | undefined) =>
    (await logs.GetQueryResults({ queryId }, call)).status;
  expect([await status(first), await status(second), await status(third)]).toEqual([
    "Running",
    "Running",
    "Scheduled",
  ]);
  expect(await logs.StopQuery({ queryId: first }, call)).toEqual({ success: true });
  expect((await results(first)).status).toBe("Cancelled");
  await expect(async () => logs.StopQuery({ queryId: first }, call)).rejects.toThrow("cancellable");
  await until(async () => expect(await status(third)).toBe("Running"));
  clock.advance(3_600_000);
  expect([(await results(second)).status, (await results(third)).status]).toEqual(["Timeout", "Timeout"]);
  await queries.close();
  await expect(status(third)).rejects.toThrow("does not exist");
});

it("keeps queries under names", async () => {
  const { logs, call } = await setUp();
  const put = { name: "errors", queryString: "filter level = 'ERROR'", logGroupNames: ["/g"] };
  const { queryDefinitionId } = await logs.PutQueryDefinition(put, call);
  await logs.PutQueryDefinition({ ...put, name: "all", queryString: "fields a", queryDefinitionId }, call);
  expect(await logs.DescribeQueryDefinitions({ queryDefinitionNamePrefix: "al" }, call)).toMatchObject({
    queryDefinitions: [{ queryDefinitionId, name: "all", queryString: "fields a", logGroupNames: ["/g"] }],
  });
  expect(await logs.DeleteQueryDefinition({ queryDefinitionId }, call)).toEqual({ success: true });
  await expect(logs.DeleteQueryDefinition({ queryDefinitionId }, call)).rejects.toThrow("does not exist");
});
