import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { createMetricSink } from "./metric-sink.ts";
import type { AggregatingMetricSink, SeriesAddress } from "./metric-sink.ts";

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
let clock: ManualClock;
let sink: AggregatingMetricSink;

beforeEach(() => {
  clock = new ManualClock(START);
  sink = createMetricSink({ clock, keepMinutes: 3, maxSeries: 4 });
});

function address(name: string, dimensions: Record<string, string> = {}): SeriesAddress {
  const scope = { account: "111111111111", region: "us-east-1", namespace: "AWS/Lambda" };
  return { ...scope, name, unit: "Count", dimensions };
}

const minutesOf = (name: string) => sink.read().find((series) => series.address.name === name)?.minutes;

describe("the metric sink", () => {
  it("adds up the values of each minute", () => {
    const series = sink.series(address("Duration"));
    series.record(5, START);
    series.record(1, START + 59_999);
    series.record(7, START + MINUTE);
    expect(minutesOf("Duration")).toEqual([
      { start: START, count: 2, sum: 6, min: 1, max: 5 },
      { start: START + MINUTE, count: 1, sum: 7, min: 7, max: 7 },
    ]);
  });

  it("puts late values into their own minute, and drops those older than it keeps", () => {
    const series = sink.series(address("Errors"));
    series.record(1, START + 3 * MINUTE);
    series.record(2, START + MINUTE);
    series.record(3, START + 2 * MINUTE);
    series.record(4, START + MINUTE);
    series.record(5, START);
    expect(minutesOf("Errors")?.map(({ sum }) => sum)).toEqual([6, 3, 1]);
    expect(sink.dropped).toBe(1);
  });

  it("gives handles of one address, dimensions in any order, one series", () => {
    const handles = [
      sink.series(address("Invocations", { FunctionName: "f", Resource: "f:1" })),
      sink.series(address("Invocations", { Resource: "f:1", FunctionName: "f" })),
    ];
    for (const handle of handles) handle.record(1, START);
    expect(minutesOf("Invocations")).toEqual([{ start: START, count: 2, sum: 2, min: 1, max: 1 }]);
  });

  it("forgets what is old, and lets a series that had nothing left begin anew", () => {
    const series = sink.series(address("Throttles"));
    series.record(1, START);
    clock.advance(4 * MINUTE);
    expect(sink.read()).toEqual([]);
    series.record(2, clock.now());
    expect(minutesOf("Throttles")?.map(({ sum }) => sum)).toEqual([2]);
  });

  it("keeps no more minutes of a busy series than it was told", () => {
    const series = sink.series(address("Invocations"));
    for (let minute = 0; minute < 10; minute++) series.record(minute, START + minute * MINUTE);
    expect(minutesOf("Invocations")?.map(({ sum }) => sum)).toEqual([7, 8, 9]);
  });

  it("keeps no more series than it was told, until there is room again", () => {
    for (let n = 0; n < 4; n++) sink.series(address(`m${n}`)).record(1, START);
    const fifth = sink.series(address("m4"));
    fifth.record(1, START);
    expect(sink.read()).toHaveLength(4);
    expect(sink.dropped).toBe(1);
    clock.advance(4 * MINUTE);
    fifth.record(1, clock.now());
    expect(sink.read()).toHaveLength(1);
  });

  it("keeps the values of closed series, but lets them make way, the longest closed first", () => {
    sink = createMetricSink({ clock, maxClosed: 2 });
    const [a, b, c] = ["a", "b", "c"].map((name) => sink.series(address(name)));
    for (const handle of [a, b, c]) handle?.record(1, START);
    for (const handle of [a, b]) handle?.close();
    expect(sink.read()).toHaveLength(3);
    c?.close();
    expect(sink.read().map((series) => series.address.name)).toEqual(["b", "c"]);
    a?.record(2, START);
    expect(minutesOf("a")).toEqual([{ start: START, count: 1, sum: 2, min: 2, max: 2 }]);
  });
});
