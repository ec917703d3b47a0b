import * as fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ManualClock } from "#core/clock";
import type { Documents } from "#storage/documents";
import { Summary } from "#telemetry/summary";
import {
  createCloudWatchFixture,
  type CloudWatchFixture,
} from "../../../../test/support/cloudwatch-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";
import {
  type ChunkDocument,
  COARSER,
  DAY,
  floor,
  HOUR,
  LAYERS,
  MINUTE,
  readChunk,
  SECOND,
  writeChunk,
} from "./layers.ts";
import type { Metric } from "./metric.ts";
import { packPoints, pointsOf } from "./packing.ts";

const storage = withStorage();
const scope = { account: "111111111111", region: "us-east-1" };
let metric: Metric;
let cloudwatch: CloudWatchFixture;
let clock: ManualClock;

beforeEach(() => {
  metric = { namespace: "App", name: "Latency", dimensions: [["Stage", "prod"]] };
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
    // They had the running hour in all layers.
    const [minutes] = documents.list<ChunkDocument>([scope.account, scope.region, "metric-1m"]);
    if (minutes === undefined) throw new Error("nothing was sealed");
    const [, , , id] = minutes.key;
    for (const layer of COARSER)
      await documents.commit([
        {
          key: [scope.account, scope.region, layer.kind, String(id), floor(start, layer.chunk)],
          value: writeChunk({
            upTo: 0,
            packed: packPoints(pointsOf(readChunk(minutes.value).packed, MINUTE), layer.step),
          }),
        },
      ]);
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
    add(4, start + HOUR);
    await cloudwatch.store.seal();
    expect(await read(start, start + 2 * HOUR, HOUR)).toEqual([
      [start, 2, 3],
      [start + HOUR, 1, 4],
    ]);
  });

  it("reads five minutes and hours the same from hours that are over, the last one and what comes late", async () => {
    const step = fc.record({
      value: fc.integer({ min: 1, max: 100 }),
      // Mostly of now, else late or ahead.
      minutes: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -600, max: 60 })),
      next: fc.constantFrom("seal", "seal", "sweep", "nothing"),
      wait: fc.integer({ min: 0, max: 25 }),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        metric = { ...metric, dimensions: [["Run", `${run++}`]] };
        const start = clock.now();
        const expected = [MINUTE, 5 * MINUTE, HOUR].map((period) => ({
          period,
          bins: new Map<number, number[]>(),
        }));
        for (const { value, minutes, next, wait } of steps) {
          /* oxlint-disable no-await-in-loop */
          const time = clock.now() + minutes * MINUTE;
          add(value, time);
          if (next === "seal") await cloudwatch.store.seal();
          if (next === "sweep") await cloudwatch.store.sweep();
          for (const { period, bins } of expected) {
            const at = floor(time, period);
            const [, count = 0, sum = 0] = bins.get(at) ?? [];
            bins.set(at, [at, count + 1, sum + value]);
            const sorted = [...bins.values()].toSorted(([a = 0], [b = 0]) => a - b);
            expect(await read(floor(start, DAY) - DAY, start + 2 * DAY, period)).toEqual(sorted);
          }
          clock.advance(wait * MINUTE);
          /* oxlint-enable no-await-in-loop */
        }
      }),
      { numRuns: 25, seed: 7 },
    );
    const chunks = (kind: string) =>
      [...storage().documents.list([scope.account, scope.region, kind])].length;
    expect([chunks("metric-5m"), chunks("metric-1h")]).not.toContain(0);
  });

  it("reads a value once while it is committed to chunks", async () => {
    const { documents } = storage();
    const commit = documents.commit.bind(documents);
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const start = clock.now();
    add(1, start);
    await cloudwatch.store.settle();
    let begun = false;
    documents.commit = async (changes) => {
      const revision = await commit(changes);
      begun = true;
      await ended;
      return revision;
    };
    const sealed = cloudwatch.store.seal();
    await vi.waitUntil(() => begun);
    const periods = [MINUTE, 5 * MINUTE, HOUR];
    const found = Promise.all(periods.map((period) => read(start, start + HOUR, period)));
    await turn();
    end();
    expect(await found).toEqual(periods.map(() => [[start, 1, 1]]));
    documents.commit = commit;
    await sealed;
  });

  it("reads every value once over kills, failed sealings, days away and sweeps", async () => {
    const step = fc.record({
      value: fc.integer({ min: 1, max: 100 }),
      // As old and as far ahead as AWS takes them, often at an age that there is something of already.
      minutes: fc.oneof(
        fc.constant(0),
        fc.integer({ min: -14 * 24 * 60 + 1, max: 120 }),
        fc.constantFrom(...[13.9, 10, 1].map((days) => -days * 24 * 60)),
      ),
      next: fc.array(fc.constantFrom("log", "seal", "fail", "sweep", "kill"), { maxLength: 4 }),
      // Minutes, hours or days; the whole run stays within the 63 days of five minutes.
      wait: fc.oneof(fc.nat(50), fc.nat(600), fc.nat(4 * 24 * 60)),
    });
    const { documents } = storage();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 11 }), async (steps) => {
        metric = { ...metric, dimensions: [["Kills", `${run++}`]] };
        const start = clock.now();
        const expected = [5 * MINUTE, HOUR].map((period) => ({ period, bins: new Map<number, number[]>() }));
        for (const { value, minutes, next, wait } of steps) {
          /* oxlint-disable no-await-in-loop */
          const time = clock.now() + minutes * MINUTE;
          add(value, time);
          for (const { period, bins } of expected) {
            const at = floor(time, period);
            const [, count = 0, sum = 0] = bins.get(at) ?? [];
            bins.set(at, [at, count + 1, sum + value]);
          }
          await cloudwatch.store.settle();
          for (const each of next) {
            if (each === "seal") await cloudwatch.store.seal();
            if (each === "sweep") await cloudwatch.store.sweep();
            if (each === "fail")
              await failing(documents, () => cloudwatch.store.seal().catch(() => undefined));
            if (each === "kill") {
              // No timer of the killed one's fires any more.
              clock = new ManualClock(clock.now());
              cloudwatch = createCloudWatchFixture(storage(), { clock });
              await cloudwatch.store.start();
            }
            for (const { period, bins } of expected) {
              const sorted = [...bins.values()].toSorted(([a = 0], [b = 0]) => a - b);
              expect(await read(floor(start, DAY) - 15 * DAY, start + 60 * DAY, period)).toEqual(sorted);
            }
          }
          clock.advance(wait * MINUTE);
          /* oxlint-enable no-await-in-loop */
        }
      }),
      { numRuns: 15, seed: 3 },
    );
    await cloudwatch.store.close();
  });

  it("keeps what was logged after a sealing failed, until that is sealed itself", async () => {
    const { documents } = storage();
    const start = clock.now();
    add(1, start);
    await cloudwatch.store.settle();
    await failing(documents, () => expect(cloudwatch.store.seal()).rejects.toThrow("disk full"));
    clock.advance(SECOND);
    add(2, start);
    await cloudwatch.store.settle();
    clock.advance(SECOND);
    await cloudwatch.store.seal();
    // Killed.
    cloudwatch = createCloudWatchFixture(storage(), { clock });
    await cloudwatch.store.start();
    expect(await read(start, start + HOUR, MINUTE)).toEqual([[start, 2, 3]]);
  });

  it("leaves nothing in the log that is sealed, however little time has passed since, or if trimming failed", async () => {
    const { journal } = storage();
    const stream = [scope.account, scope.region, "metrics"] as const;
    add(1, clock.now());
    await cloudwatch.store.seal();
    expect(await journal.read(stream)).toEqual([]);
    add(2, clock.now());
    const trim = journal.trim.bind(journal);
    journal.trim = () => Promise.reject(new Error("disk full"));
    await expect(cloudwatch.store.seal()).rejects.toThrow("disk full");
    journal.trim = trim;
    await cloudwatch.store.seal();
    expect(await journal.read(stream)).toEqual([]);
    expect(cloudwatch.store.held(scope)).toBeUndefined();
  });

  it("sweeps no hour that a late value still waits for", async () => {
    const { documents } = storage();
    const start = floor(clock.now(), HOUR);
    add(1, start);
    add(1, start + 2 * HOUR);
    await cloudwatch.store.seal();
    clock.advance(13 * DAY);
    add(2, start);
    await cloudwatch.store.settle();
    clock.advance(3 * DAY);
    await failing(documents, () => expect(cloudwatch.store.seal()).rejects.toThrow("disk full"));
    await cloudwatch.store.sweep();
    await cloudwatch.store.seal();
    expect(await read(start, start + HOUR, HOUR)).toEqual([[start, 2, 3]]);
  });

  it("reads a value once while one scope after the other is sealed", async () => {
    const { documents } = storage();
    const commit = documents.commit.bind(documents);
    const start = clock.now();
    const other = { ...scope, account: "000000000000" };
    const one = new Summary();
    one.add(1);
    // More chunks than are read in one turn.
    for (let hour = 0; hour < 300; hour++) add(1, start - hour * HOUR);
    await cloudwatch.store.seal();
    cloudwatch.store.add(other, metric, "None", start, one, MINUTE);
    add(1, start);
    await cloudwatch.store.settle();
    const ended: (() => void)[] = [];
    documents.commit = async (changes) => {
      const [account] = changes[0]?.key ?? [];
      if (account === other.account) await new Promise<void>((resolve) => ended.push(resolve));
      return commit(changes);
    };
    const sealed = cloudwatch.store.seal();
    await vi.waitUntil(() => ended.length > 0);
    const list = documents.list.bind(documents);
    let lists = 0;
    // The second scope's turn comes when a part of its chunks is read.
    documents.list = (prefix, options) => {
      const found = [...list(prefix, options)];
      if (prefix[2] === "metric-1m" && options?.limit === 24 && lists++ === 0) ended[0]?.();
      return found as never;
    };
    const bins = await cloudwatch.reader.read(
      scope,
      metric,
      "None",
      { from: start - 300 * HOUR, to: start + HOUR, period: MINUTE },
      clock.now(),
      false,
    );
    documents.list = list;
    documents.commit = commit;
    await sealed;
    expect(bins.get(start)?.count).toBe(2);
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
    expect(rows.length).toBe(200 * 2);
    expect(bytes / 200).toBeLessThanOrEqual(50);
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

/** Runs `work` while nothing can be committed. */
async function failing(documents: Documents, work: () => Promise<void>): Promise<void> {
  const commit = documents.commit.bind(documents);
  documents.commit = () => Promise.reject(new Error("disk full"));
  try {
    await work();
  } finally {
    documents.commit = commit;
  }
}
