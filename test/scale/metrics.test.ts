// A month of metrics by the minute is asked for as fast as a page is drawn.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { openLocalStorage } from "#storage/local/open";
import type { Storage } from "#storage/storage";
import { Summary } from "#telemetry/summary";
import { testCall } from "../support/call.ts";
import { createCloudWatchFixture } from "../support/cloudwatch-service.ts";
import { figure } from "./figures.ts";
import { soak } from "./support.ts";

const FUNCTIONS = soak ? 1000 : 20;
const MINUTE = 60_000;
const DAY = 86_400_000;
const DAYS = soak ? 30 : 3;
/** Minutes of all functions that are taken in before they are sealed. */
const STEP = 1440;
const start = Date.UTC(2026, 0, 1);
const scope = { account: testCall().account, region: "us-east-1" };

let folder: string;
let storage: Storage;
let cloudwatch: ReturnType<typeof createCloudWatchFixture>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "thaw-metrics-"));
  const clock = new ManualClock(start);
  storage = await openLocalStorage({ folder: join(folder, "data"), clock, ids: systemIds });
  cloudwatch = createCloudWatchFixture(storage, { clock, maxPoints: 2 * STEP * FUNCTIONS });
  const { store } = cloudwatch;
  const metrics = Array.from({ length: FUNCTIONS }, (_, number) => ({
    namespace: "AWS/Lambda",
    name: "Invocations",
    dimensions: [["FunctionName", `function-${number}`]] as const,
  }));
  const one = new Summary();
  one.add(1);
  for (let minute = 0; minute < DAYS * 1440; minute += STEP) {
    for (let at = minute; at < minute + STEP; at++)
      for (const metric of metrics) store.add(scope, metric, "Count", start + at * MINUTE, one, MINUTE);
    clock.advance(STEP * MINUTE);
    await store.seal();
  }
}, 3_600_000);
afterAll(async () => {
  await storage.close();
  rmSync(folder, { recursive: true, force: true });
});

it(`${DAYS} days of ${FUNCTIONS} functions' minutes, asked for of one`, { timeout: 600_000 }, async () => {
  const EndTime = new Date(start + DAYS * DAY);
  const ask = (number: number) =>
    cloudwatch.call("GetMetricData", {
      StartTime: new Date(start),
      EndTime,
      MetricDataQueries: [
        {
          Id: "m",
          MetricStat: {
            Metric: {
              Namespace: "AWS/Lambda",
              MetricName: "Invocations",
              Dimensions: [{ Name: "FunctionName", Value: `function-${number}` }],
            },
            // Minutes are kept for 15 days, five minutes for 63.
            Period: 300,
            Stat: "Sum",
          },
        },
      ],
    });
  const times: number[] = [];
  for (let round = 0; round < (soak ? 50 : 2); round++) {
    const started = performance.now();
    const { MetricDataResults = [] } = await ask((round * 7) % FUNCTIONS);
    times.push(performance.now() - started);
    const values = MetricDataResults[0]?.Values ?? [];
    expect(values).toHaveLength(DAYS * 288);
    expect(new Set(values)).toEqual(new Set([5]));
  }
  expect(cloudwatch.dropped).toEqual([]);
  if (!soak) return;
  const typical = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  await figure(
    `GetMetricData of one of ${FUNCTIONS} functions over ${DAYS} days by five minutes, p50`,
    `${typical.toFixed(1)} ms`,
  );
  expect(typical).toBeLessThanOrEqual(50);
});
