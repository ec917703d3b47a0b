import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { testCall } from "../../../test/support/call.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { createIngestion } from "./ingestion.ts";
import { eventOperations } from "./operations/events.ts";
import { filterOperations } from "./operations/filter.ts";
import { groupOperations } from "./operations/groups.ts";
import { streamOperations } from "./operations/streams.ts";
import { createRetentionSweep } from "./retention.ts";

const storage = withStorage();
const DAY = 86_400_000;
const at = { logGroupName: "/g", logStreamName: "s" };

async function setUp() {
  const clock = new ManualClock();
  const { documents, journal } = storage();
  const ingestion = createIngestion({ documents, journal, clock });
  const deps = { documents, journal, clock, ids: systemIds, ingestion };
  const logs = {
    ...groupOperations(deps),
    ...streamOperations(deps),
    ...eventOperations(deps),
    ...filterOperations(deps),
  };
  const call = testCall();
  await logs.CreateLogGroup({ logGroupName: "/g" }, call);
  await logs.CreateLogStream(at, call);
  const put = (logStreamName: string, ...events: [offset: number, message: string][]) =>
    logs.PutLogEvents(
      {
        ...at,
        logStreamName,
        logEvents: events.map(([offset, message]) => ({ timestamp: clock.now() + offset, message })),
      },
      call,
    );
  return { clock, deps, logs, call, put, now: clock.now() };
}

it("answers the recorded errors", async () => {
  const { logs, call, put } = await setUp();
  await expect(logs.CreateLogGroup({ logGroupName: "/g" }, call)).rejects.toThrow(
    "The specified log group already exists",
  );
  await expect(logs.CreateLogGroup({ logGroupName: "x".repeat(513) }, call)).rejects.toThrow(
    "Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
  );
  await expect(put("missing", [0, "x"])).rejects.toThrow("The specified log stream does not exist.");
  await expect(put("s", [1, "x"], [0, "y"])).rejects.toThrow(
    "Log events in a single PutLogEvents request must be in chronological order.",
  );
  await expect(logs.GetLogEvents({ ...at, nextToken: "invalid" }, call)).rejects.toThrow(
    "The specified nextToken is invalid.",
  );
  await expect(logs.GetLogEvents({ ...at, logGroupName: "no" }, call)).rejects.toThrow(
    "The specified log group does not exist.",
  );
  await expect(
    logs.DescribeLogStreams({ logGroupName: "/g", logGroupIdentifier: "/g" }, call),
  ).rejects.toThrow("LogGroup name and LogGroup ARN are mutually exclusive parameters.");
});

it("stores what is neither too old nor too new and says so", async () => {
  const { logs, call, put } = await setUp();
  expect(await put("s", [3 * 3_600_000, "future"])).toMatchObject({
    rejectedLogEventsInfo: { tooNewLogEventStartIndex: 0 },
  });
  expect(await put("s", [-15 * DAY, "past"])).toMatchObject({
    rejectedLogEventsInfo: { tooOldLogEventEndIndex: 1 },
  });
  const { events } = await logs.GetLogEvents(at, call);
  expect(events).toEqual([]);
});

it("pages both ways and keeps the token at an end", async () => {
  const { logs, call, put } = await setUp();
  await put("s", [0, "1"], [0, "2"], [1, "3"], [2, "4"]);
  const texts = (page: { events?: { message?: string | undefined }[] | undefined }) =>
    page.events?.map(({ message }) => message);
  const last = await logs.GetLogEvents({ ...at, limit: 2 }, call);
  expect(texts(last)).toEqual(["3", "4"]);
  const before = await logs.GetLogEvents({ ...at, limit: 2, nextToken: last.nextBackwardToken }, call);
  expect(texts(before)).toEqual(["1", "2"]);
  const begin = await logs.GetLogEvents({ ...at, nextToken: before.nextBackwardToken }, call);
  expect(texts(begin)).toEqual([]);
  expect(begin.nextBackwardToken).toBe(before.nextBackwardToken);
  expect(texts(await logs.GetLogEvents({ ...at, nextToken: begin.nextForwardToken }, call))).toEqual([
    "1",
    "2",
    "3",
    "4",
  ]);
  const end = await logs.GetLogEvents({ ...at, nextToken: last.nextForwardToken }, call);
  expect(end.nextForwardToken).toBe(last.nextForwardToken);
  await put("s", [2, "5"]);
  expect(texts(await logs.GetLogEvents({ ...at, nextToken: end.nextForwardToken }, call))).toEqual(["5"]);
});

it("orders events by timestamp whatever the order they came in", async () => {
  const { logs, call, put, now } = await setUp();
  await put("s", [100, "late"]);
  await put("s", [0, "early"]);
  const all = await logs.GetLogEvents({ ...at, startFromHead: true }, call);
  expect(all.events?.map(({ message }) => message)).toEqual(["early", "late"]);
  const narrow = await logs.GetLogEvents({ ...at, startTime: now, endTime: now + 50 }, call);
  expect(narrow.events?.map(({ message }) => message)).toEqual(["early"]);
});

it("searches streams interleaved by time, with a token for the rest", async () => {
  const { logs, call, put } = await setUp();
  await logs.CreateLogStream({ ...at, logStreamName: "t" }, call);
  await put("s", [0, "ERROR 1"], [2, "ERROR 3"], [3, "fine"]);
  await put("t", [1, "ERROR 2"], [4, "ERROR 4"]);
  const found: (string | undefined)[] = [];
  let nextToken: string | undefined;
  do {
    const page = await logs.FilterLogEvents(
      { logGroupName: "/g", filterPattern: "ERROR", limit: 1, nextToken },
      call,
    );
    found.push(...(page.events ?? []).map(({ message }) => message));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  expect(found).toEqual(["ERROR 1", "ERROR 2", "ERROR 3", "ERROR 4"]);
});

it("forgets expired events and notes what is stored", async () => {
  const { clock, deps, logs, call, put } = await setUp();
  await put("s", [0, "old"]);
  await logs.PutRetentionPolicy({ logGroupName: "/g", retentionInDays: 1 }, call);
  clock.advance(2 * DAY);
  expect((await logs.GetLogEvents(at, call)).events).toEqual([]);
  await put("s", [0, "new"]);
  await createRetentionSweep({ ...deps, onError: () => undefined }).run();
  expect(await deps.journal.read(["111111111111", "us-east-1", "logs", "/g", "s"])).toHaveLength(1);
  const described = await logs.DescribeLogGroups({}, call);
  expect(described.logGroups?.[0]).toMatchObject({ retentionInDays: 1, storedBytes: 15 });
});
