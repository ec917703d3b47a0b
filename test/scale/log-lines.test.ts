// Many log lines are kept, and found again; queries over a million of them answer while somebody waits.
import {
  CloudWatchLogsClient,
  GetLogEventsCommand,
  GetQueryResultsCommand,
  type GetQueryResultsResponse,
  StartQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { groupKey, streamKey } from "#services/logs/store";
import { openLocalStorage } from "#storage/local/open";
import { encodeLogRecord, logJournalStream } from "#telemetry/log-record";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { figure } from "./figures.ts";
import { soak } from "./support.ts";

const GROUPS = soak ? 10 : 2;
const STREAMS = 10;
/** Of a group. */
const LINES = soak ? 1_000_000 : 20_000;
/** Records that are appended at a time. */
const BATCH = 5000;
const scope = { account: "000000000000", region: "us-east-1" };
/** The lines lie in the hour before, evenly. */
const HOUR = 3_600_000;
const start = Date.now() - HOUR;

let folder: string;
let platform: TestPlatform;
let logs: CloudWatchLogsClient;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "thaw-lines-"));
  await seed();
  platform = await startPlatform(["--data", join(folder, "data"), "--sandbox", "process"]);
  logs = new CloudWatchLogsClient(clientFor(platform.url));
}, 1_800_000);
afterAll(async () => {
  logs.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
  rmSync(folder, { recursive: true, force: true });
});

function groupName(number: number): string {
  return `/aws/lambda/function-${number}`;
}

/** As functions write them, a tenth of them errors. */
function line(number: number): string {
  const [level, ms] = [number % 10 === 0 ? "ERROR" : "INFO", number % 250];
  const requestId = `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
  return JSON.stringify({ level, requestId, message: `order ${number} was handled`, ms });
}

async function seed(): Promise<void> {
  const storage = await openLocalStorage({
    folder: join(folder, "data"),
    clock: systemClock,
    ids: systemIds,
  });
  try {
    for (let group = 0; group < GROUPS; group++) {
      const name = groupName(group);
      const value = { name, creationTime: start, class: "STANDARD", tags: {} };
      const streams = Array.from({ length: STREAMS }, (_, stream) => `stream-${stream}`);
      await storage.documents.commit([
        { key: groupKey(scope, name), value },
        ...streams.map((stream) => ({
          key: streamKey(scope, name, stream),
          value: { name: stream, creationTime: start },
        })),
      ]);
      for (let at = 0; at < LINES; at += BATCH) {
        const records = Array.from({ length: BATCH }, (_, index) => {
          const time = start + Math.floor(((at + index) / LINES) * HOUR);
          return { time, body: encodeLogRecord(time, time, line(at + index)) };
        });
        const stream = streams[(at / BATCH) % STREAMS] ?? "";
        await storage.journal.append([
          { stream: logJournalStream(scope.account, scope.region, name, stream), records },
        ]);
      }
    }
  } finally {
    await storage.close();
  }
}

async function query(logGroupNames: string[], queryString: string): Promise<GetQueryResultsResponse> {
  const range = { startTime: Math.floor(start / 1000), endTime: Math.ceil((start + HOUR) / 1000) };
  const { queryId } = await logs.send(new StartQueryCommand({ logGroupNames, queryString, ...range }));
  for (;;) {
    const answer = await logs.send(new GetQueryResultsCommand({ queryId }));
    if (answer.status !== "Running" && answer.status !== "Scheduled") return answer;
    await sleep(5);
  }
}

function rows({ results = [] }: GetQueryResultsResponse): readonly Record<string, string | undefined>[] {
  return results.map((row) => Object.fromEntries(row.map(({ field, value }) => [field, value])));
}

it(`${GROUPS * LINES} log lines are kept`, { timeout: 600_000 }, async () => {
  const all = Array.from({ length: GROUPS }, (_, group) => groupName(group));
  const answer = await query(all, "stats count() as lines");
  expect(rows(answer)).toEqual([{ lines: String(GROUPS * LINES) }]);
  await figure("log lines kept, all of them counted", GROUPS * LINES);
  const started = performance.now();
  const page = await logs.send(
    new GetLogEventsCommand({ logGroupName: groupName(0), logStreamName: "stream-3", limit: 100 }),
  );
  const took = performance.now() - started;
  expect(page.events).toHaveLength(100);
  await figure("page of the 100 latest of them in one stream", `${took.toFixed(1)} ms`);
});

/** @param mostMs undefined where nothing was promised */
it.each([
  {
    queryString: "stats count() as lines, avg(ms) as mean by level | sort level | limit 1",
    what: "of fields of JSON, by one of them",
    mostMs: undefined,
  },
  {
    queryString: "filter @message like /ERROR/ | stats count() as lines by bin(5m)",
    what: "of lines with a word, by five minutes",
    mostMs: 1000,
  },
])(`a query over ${LINES} lines: $queryString`, { timeout: 600_000 }, async (asked) => {
  const { queryString, what, mostMs } = asked;
  const times: number[] = [];
  for (let round = 0; round < (soak ? 5 : 1); round++) {
    const started = performance.now();
    const answer = await query([groupName(round % GROUPS)], queryString);
    times.push(performance.now() - started);
    expect(answer.statistics?.recordsScanned).toBe(LINES);
    const found = rows(answer).reduce((sum, { lines }) => sum + Number(lines), 0);
    expect(found).toBe(LINES / 10);
  }
  if (!soak) return;
  const fastest = Math.min(...times);
  await figure(
    `Logs Insights over ${LINES} lines, ${what}, fastest of ${times.length}`,
    `${(fastest / 1000).toFixed(2)} s`,
  );
  if (mostMs !== undefined) expect(fastest).toBeLessThanOrEqual(mostMs);
});
