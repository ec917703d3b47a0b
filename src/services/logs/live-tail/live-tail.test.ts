import { setMaxListeners } from "node:events";
import type { StartLiveTailResponseStream } from "@aws-sdk/client-cloudwatch-logs";
import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { encodeLogRecord } from "#telemetry/log-record";
import { callOf, testCall } from "../../../../test/support/call.ts";
import { withStorage } from "../../../../test/support/storage.ts";
import { createIngestion } from "../ingestion.ts";
import { groupOperations } from "../operations/groups.ts";
import { liveTailOperations } from "../operations/live-tail.ts";
import { LiveTail } from "./live-tail.ts";

const storage = withStorage();
const ARN = "arn:aws:logs:us-east-1:111111111111:log-group:";

async function setUp() {
  const clock = new ManualClock();
  const { documents, journal } = storage();
  const ingestion = createIngestion({ documents, journal, clock });
  const deps = { documents, journal, clock, ids: systemIds, ingestion };
  const liveTail = new LiveTail(clock, () => 0.5);
  ingestion.follow((events) => liveTail.appended(events));
  const logs = { ...groupOperations(deps), ...liveTailOperations(deps, liveTail) };
  const gone = new AbortController();
  setMaxListeners(0, gone.signal);
  const call = callOf({ signal: gone.signal });
  for (const logGroupName of ["/a", "/b"]) await logs.CreateLogGroup({ logGroupName }, call);
  const put = (group: string, stream: string, ...messages: readonly string[]) => {
    const records = messages.map((message) => ({
      time: clock.now(),
      body: encodeLogRecord(clock.now(), clock.now(), message),
    }));
    return ingestion.append([{ stream: [call.account, call.region, "logs", group, stream], records }]);
  };
  const tail = async (input: object, groups = ["/a"]) => {
    const logGroupIdentifiers = groups.map((name) => ARN + name);
    const { responseStream } = await logs.StartLiveTail({ logGroupIdentifiers, ...input }, call);
    if (responseStream === undefined) throw new Error("no stream");
    return responseStream[Symbol.asyncIterator]();
  };
  const second = async (session: AsyncIterator<StartLiveTailResponseStream>) => {
    clock.advance(1000);
    return update(session);
  };
  return { clock, logs, call, gone, liveTail, put, tail, second };
}

async function update(session: AsyncIterator<StartLiveTailResponseStream>) {
  const { value } = (await session.next()) as { value: StartLiveTailResponseStream };
  const { sessionMetadata, sessionResults = [] } = value.sessionUpdate ?? {};
  return { ...sessionMetadata, messages: sessionResults.map(({ message }) => message), sessionResults };
}

it("starts with what was asked for, and sends each second what was ingested, or nothing", async () => {
  const { clock, call, put, tail, second } = await setUp();
  await put("/a", "s", "before");
  const session = await tail({ logEventFilterPattern: "ERROR" }, ["/a", "/b"]);
  expect((await session.next()).value).toEqual({
    sessionStart: {
      requestId: call.requestId,
      sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      logGroupIdentifiers: [`${ARN}/a`, `${ARN}/b`],
      logStreamNames: [],
      logStreamNamePrefixes: [],
      logEventFilterPattern: "ERROR",
    },
  });
  const now = clock.now();
  await put("/a", "s", "ERROR one", "INFO");
  await put("/b", "t", "ERROR two");
  const first = await second(session);
  expect(first.sampled).toBe(false);
  const times = { timestamp: now, ingestionTime: now };
  expect(first.sessionResults).toEqual([
    { logGroupIdentifier: "111111111111:/a", logStreamName: "s", message: "ERROR one", ...times },
    { logGroupIdentifier: "111111111111:/b", logStreamName: "t", message: "ERROR two", ...times },
  ]);
  expect(await second(session)).toMatchObject({ sampled: false, messages: [] });
});

it("shows the streams that were asked for alone, by name or by prefix", async () => {
  const { put, tail, second } = await setUp();
  const byName = await tail({ logStreamNames: ["s", "t"] });
  const byPrefix = await tail({ logStreamNamePrefixes: ["t"] });
  await Promise.all([byName.next(), byPrefix.next()]);
  for (const stream of ["s", "t", "tt", "u"]) await put("/a", stream, stream);
  const [named, prefixed] = [second(byName), update(byPrefix)];
  expect((await named).messages).toEqual(["s", "t"]);
  expect((await prefixed).messages).toEqual(["t", "tt"]);
});

it("samples more than 500 events of a second, in their order, and more bytes than it may hold", async () => {
  const { put, tail, second } = await setUp();
  const session = await tail({});
  await session.next();
  const many = Array.from({ length: 1200 }, (_, index) => String(index));
  await put("/a", "s", ...many);
  const { sampled, messages } = await second(session);
  expect(sampled).toBe(true);
  expect(messages).toHaveLength(500);
  expect(messages).toEqual(messages.toSorted((a, b) => Number(a) - Number(b)));
  const large = "x".repeat(1_000_000);
  await put("/a", "s", ...Array.from({ length: 9 }, () => large));
  expect(await second(session)).toMatchObject({ sampled: true, messages: { length: 4 } });
  await put("/a", "s", "one");
  expect(await second(session)).toMatchObject({ sampled: false, messages: ["one"] });
});

it("keeps ten updates for a client that reads slowly, and drops the oldest", async () => {
  const { clock, put, tail } = await setUp();
  const session = await tail({});
  await session.next();
  for (let n = 0; n < 15; n++) {
    await put("/a", "s", String(n));
    clock.advance(1000);
  }
  expect((await update(session)).messages).toEqual(["5"]);
  for (let n = 6; n < 15; n++) expect((await update(session)).messages).toEqual([String(n)]);
});

it("ends after three hours, when the client goes, and when the platform stops", async () => {
  const { clock, gone, liveTail, tail, logs, call } = await setUp();
  const session = await tail({});
  await session.next();
  clock.advance(3 * 3_600_000);
  for (let n = 0; n < 10; n++) await session.next();
  await expect(session.next()).rejects.toMatchObject({ code: "SessionTimeoutException" });
  const stopped = await tail({});
  await stopped.next();
  liveTail.close();
  await expect(stopped.next()).rejects.toMatchObject({ code: "SessionStreamingException" });
  const [unread, waiting] = [await tail({}), await tail({})];
  await waiting.next();
  const pending = waiting.next();
  expect(liveTail.size).toBe(2);
  gone.abort();
  expect(liveTail.size).toBe(0);
  expect(await pending).toEqual({ done: true, value: undefined });
  await unread.next();
  expect((await unread.next()).done).toBe(true);
  await logs.StartLiveTail({ logGroupIdentifiers: [`${ARN}/a`] }, call);
  expect(liveTail.size).toBe(0);
});

it("has 15 sessions an account, and refuses what AWS does", async () => {
  const { liveTail, logs, call, tail } = await setUp();
  for (let n = 0; n < 15; n++) await tail({});
  await expect(tail({})).rejects.toMatchObject({ code: "LimitExceededException" });
  const other = testCall("222222222222");
  await logs.CreateLogGroup({ logGroupName: "/a" }, other);
  const arn = "arn:aws:logs:us-east-1:222222222222:log-group:/a";
  await logs.StartLiveTail({ logGroupIdentifiers: [arn] }, other);
  expect(liveTail.size).toBe(16);
  liveTail.close();
  expect(liveTail.size).toBe(0);
  await expect(tail({ logStreamNames: ["s"], logStreamNamePrefixes: ["s"] })).rejects.toMatchObject({
    code: "InvalidParameterException",
  });
  await expect(tail({ logStreamNames: ["s"] }, ["/a", "/b"])).rejects.toMatchObject({
    code: "InvalidParameterException",
  });
  await expect(tail({ logEventFilterPattern: "{ $.a" })).rejects.toMatchObject({
    code: "InvalidParameterException",
  });
  await expect(tail({}, ["/missing"])).rejects.toMatchObject({ code: "ResourceNotFoundException" });
  const logGroupIdentifiers = ["/a"];
  await expect(async () => logs.StartLiveTail({ logGroupIdentifiers }, call)).rejects.toMatchObject({
    code: "InvalidParameterException",
  });
  await logs.CreateLogGroup({ logGroupName: "/rare", logGroupClass: "INFREQUENT_ACCESS" }, call);
  await expect(tail({}, ["/rare"])).rejects.toMatchObject({ code: "InvalidOperationException" });
  expect(liveTail.size).toBe(0);
});
