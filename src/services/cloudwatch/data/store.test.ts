import { beforeEach, describe, expect, it } from "vitest";
import type { ManualClock } from "#core/clock";
import { Summary } from "#telemetry/summary";
import {
  createCloudWatchFixture,
  type CloudWatchFixture,
} from "../../../../test/support/cloudwatch-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";
import { type ChunkDocument, DAY, floor, HOUR, LAYERS, MINUTE, readChunk, SECOND } from "./layers.ts";
import type { Metric } from "./metric.ts";

const storage = withStorage();
const scope = { account: "111111111111", region: "us-east-1" };
const metric: Metric = { namespace: "App", name: "Latency", dimensions: [["Stage", "prod"]] };
let cloudwatch: CloudWatchFixture;
let clock: ManualClock;

beforeEach(() => {
  cloudwatch = createCloudWatchFixture(storage());
  ({ clock } = cloudwatch);
});

function add(value: number, time: number, step: typeof SECOND | typeof MINUTE = MINUTE): boolean {
  const summary = new Summary();
  summary.add(value);
  return cloudwatch.store.add(scope, metric, "None", time, summary, step);
}

/** [start, count, sum] of each period. */
async function read(from: number, to: number, period: number): Promise<number[][]> {
  const bins = await cloudwatch.reader.read(scope, metric, "None", { from, to, period }, clock.now(), false);
  return [...bins].map(([time, { count, sum }]) => [time, count, sum]).toSorted(([a = 0], [b = 0]) => a - b);
}

describe("the metric store", () => {
  it("reads the same before and after values are logged and sealed", async () => {
    const start = clock.now();
    add(1, start);
    add(2, start + 30 * SECOND);
    add(3, start + MINUTE);
    const expected = [
      [start, 2, 3],
      [start + MINUTE, 1, 3],
    ];
    expect(await read(start, start + HOUR, MINUTE)).toEqual(expected);
    await cloudwatch.store.settle();
    expect(await read(start, start + HOUR, MINUTE)).toEqual(expected);
    await cloudwatch.store.seal();
    expect(await read(start, start + HOUR, MINUTE)).toEqual(expected);
    expect(cloudwatch.store.held(scope)).toBeUndefined();
    add(4, start);
    await cloudwatch.store.seal();
    expect(await read(start, start + HOUR, MINUTE)).toContainEqual([start, 3, 7]);
    expect(await read(start, start + HOUR, 5 * MINUTE)).toEqual([[start, 4, 10]]);
    expect(await read(start, start + HOUR, HOUR)).toEqual([[start, 4, 10]]);
  });

  it("recovers what was logged, each value once, wherever the platform was killed", async () => {
    const start = clock.now();
    add(1, start);
    await cloudwatch.store.settle();
    // Killed after it was logged.
    cloudwatch = createCloudWatchFixture(storage(), { clock });
    await cloudwatch.store.start();
    expect(await read(start, start + HOUR, MINUTE)).toEqual([[start, 1, 1]]);
    await cloudwatch.store.seal();
    add(2, start);
    await cloudwatch.store.settle();
    // Killed after chunks were written and before the log was trimmed.
    const { journal } = storage();
    const trim = journal.trim.bind(journal);
    journal.trim = () => Promise.resolve();
    add(4, start + HOUR);
    await cloudwatch.store.seal();
    journal.trim = trim;
    expect(await journal.read(["111111111111", "us-east-1", "metrics"])).not.toEqual([]);
    cloudwatch = createCloudWatchFixture(storage(), { clock });
    await cloudwatch.store.start();
    expect(await read(start, start + 2 * HOUR, MINUTE)).toEqual([
      [start, 2, 3],
      [start + HOUR, 1, 4],
    ]);
  });

  it("keeps seconds for three hours, minutes for 15 days, five minutes for 63 and hours for 455", async () => {
    const start = clock.now();
    add(1, start + 7 * SECOND, SECOND);
    await cloudwatch.store.seal();
    expect(await read(start, start + MINUTE, SECOND)).toEqual([[start + 7 * SECOND, 1, 1]]);
    const kept = async () =>
      (
        await Promise.all(
          [SECOND, MINUTE, 5 * MINUTE, HOUR].map((period) => read(start, start + HOUR, period)),
        )
      ).map(({ length }) => length);
    const rows = () =>
      ["metric-1s", "metric-1m", "metric-5m", "metric-1h", "metric"].map(
        (kind) => [...storage().documents.list(["111111111111", "us-east-1", kind])].length,
      );
    expect(await kept()).toEqual([1, 1, 1, 1]);
    clock.advance(4 * HOUR);
    await cloudwatch.store.sweep();
    expect(await kept()).toEqual([0, 1, 1, 1]);
    clock.advance(16 * DAY);
    await cloudwatch.store.sweep();
    expect(await kept()).toEqual([0, 0, 1, 1]);
    expect(rows()).toEqual([0, 0, 1, 1, 1]);
    clock.advance(50 * DAY);
    await cloudwatch.store.sweep();
    expect(await kept()).toEqual([0, 0, 0, 1]);
    clock.advance(400 * DAY);
    await cloudwatch.store.sweep();
    expect(rows()).toEqual([0, 0, 0, 0, 0]);
  });

  it("goes on with chunks as they were stored at first", async () => {
    const start = floor(clock.now(), HOUR);
    add(1, start);
    await cloudwatch.store.seal();
    const { documents } = storage();
    for (const layer of LAYERS)
      for (const { key, value } of documents.list<ChunkDocument>([scope.account, scope.region, layer.kind])) {
        const { upTo, packed } = readChunk(value);
        await documents.commit([{ key, value: { upTo, points: packed.toString("base64") } }]);
      }
    expect(await read(start, start + HOUR, MINUTE)).toEqual([[start, 1, 1]]);
    add(2, start);
    await cloudwatch.store.seal();
    expect(await read(start, start + HOUR, MINUTE)).toEqual([[start, 2, 3]]);
    expect(await read(start, start + HOUR, HOUR)).toEqual([[start, 2, 3]]);
  });

  it("takes a few hundred bytes of the disk for a series, and none of memory", async () => {
    const many: Metric[] = Array.from({ length: 200 }, (_, n) => ({
      ...metric,
      dimensions: [["Stage", `${n}`]],
    }));
    const one = new Summary();
    one.add(1);
    for (const each of many) cloudwatch.store.add(scope, each, "Count", clock.now(), one, MINUTE);
    await cloudwatch.store.seal();
    expect(cloudwatch.store.held(scope)).toBeUndefined();
    const rows = ["metric", ...LAYERS.map(({ kind }) => kind)].flatMap((kind) => [
      ...storage().documents.list([scope.account, scope.region, kind]),
    ]);
    const bytes = rows.reduce((sum, { value }) => sum + JSON.stringify(value).length, 0);
    expect(rows.length).toBe(200 * 4);
    expect(bytes / 200).toBeLessThanOrEqual(90);
    // What comes next is added to what there is.
    cloudwatch.store.add(scope, many[0] ?? metric, "None", clock.now(), one, MINUTE);
    await cloudwatch.store.settle();
    expect(cloudwatch.reader.units(scope, many[0] ?? metric)).toEqual(["Count", "None"]);
  });

  it("lists a metric again that comes back after everything of it was swept", async () => {
    add(1, clock.now());
    await cloudwatch.store.seal();
    clock.advance(460 * DAY);
    await cloudwatch.store.sweep();
    add(2, clock.now());
    await cloudwatch.store.settle();
    expect(cloudwatch.reader.units(scope, metric)).toEqual(["None"]);
  });

  it("takes no more into memory than it may hold, and tells how much it dropped", async () => {
    cloudwatch = createCloudWatchFixture(storage(), { clock, maxPoints: 10 });
    const taken = Array.from({ length: 15 }, (_, n) => add(1, clock.now() + n * MINUTE));
    expect(taken.filter(Boolean)).toHaveLength(10);
    await cloudwatch.store.seal();
    expect(add(1, clock.now())).toBe(true);
  });

  it("takes the platform's own values out of the sink", async () => {
    const address = {
      ...scope,
      namespace: "App",
      name: "Latency",
      unit: "None",
      dimensions: { Stage: "prod" },
    };
    cloudwatch.sink.series(address).record(12, clock.now());
    await cloudwatch.store.settle();
    expect(await read(clock.now(), clock.now() + MINUTE, MINUTE)).toEqual([[clock.now(), 1, 12]]);
  });

  it("logs every second and seals every five minutes", async () => {
    await cloudwatch.store.start();
    add(1, clock.now());
    await turn();
    clock.advance(SECOND);
    await cloudwatch.store.settle();
    expect(await storage().journal.read(["111111111111", "us-east-1", "metrics"])).toHaveLength(1);
    clock.advance(SECOND);
    for (let n = 0; n < 300; n++) {
      clock.advance(SECOND);
      await cloudwatch.store.settle();
      await turn();
    }
    expect(cloudwatch.store.held(scope)).toBeUndefined();
    await cloudwatch.store.close();
  });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
