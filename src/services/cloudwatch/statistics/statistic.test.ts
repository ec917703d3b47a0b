import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Summary } from "#telemetry/summary";
import { evaluate } from "./evaluate.ts";
import { parseStatistic } from "./statistic.ts";

function of(values: readonly number[]): Summary {
  const summary = new Summary();
  for (const value of values) summary.add(value);
  return summary;
}

function statistic(values: readonly number[] | Summary, name: string): number | undefined {
  const parsed = parseStatistic(name);
  if (parsed === undefined) throw new Error(`${name} is no statistic`);
  return evaluate(values instanceof Summary ? values : of(values), parsed);
}

const TEN = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

describe("statistics", () => {
  it.each([
    ["SampleCount", 10],
    ["Sum", 55],
    ["Average", 5.5],
    ["Minimum", 1],
    ["Maximum", 10],
    ["p0", 1],
    ["p50", 5],
    ["p90", 9],
    ["p99.9", 10],
    ["p100", 10],
    ["tm90", 5],
    ["TM(10%:90%)", 5.5],
    ["TM(50%:)", 8],
    ["TM(:20%)", 1.5],
    ["TM(2:5)", 4],
    ["IQM", 5.5],
    ["tc50", 5],
    ["TC(2:5)", 3],
    ["ts20", 3],
    ["TS(:3)", 6],
    ["wm80", 5.2],
    ["WM(20%:80%)", 5.3],
    ["PR(:3)", 30],
    ["PR(3:5)", 20],
  ])("%s of one to ten is %d", (name, expected) => {
    expect(statistic(TEN, name)).toBeCloseTo(expected, 9);
  });

  it.each([
    "",
    "sum",
    "p",
    "p101",
    "tm(10%:90%)",
    "TM(10%:90)",
    "TM(:)",
    "TM(90%:10%)",
    "PR(10%:20%)",
    "IQM2",
    "TM(5%:200%)",
  ])("knows no statistic %s", (name) => {
    expect(parseStatistic(name)).toBeUndefined();
  });

  it("tells percentiles of many values to within 1.1 % of the exact ones", () => {
    const many = fc.array(fc.double({ min: 0.01, max: 1e4, noNaN: true }), { minLength: 40, maxLength: 300 });
    fc.assert(
      fc.property(many, fc.integer({ min: 1, max: 99 }), (values, percent) => {
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil((values.length * percent) / 100 - 1e-9) - 1] ?? NaN;
        const told = statistic(values, `p${percent}`) ?? NaN;
        expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * 0.011);
        const kept = sorted.slice(0, Math.ceil((values.length * percent) / 100));
        const least = kept.slice(0, -1).reduce((sum, value) => sum + value, 0);
        const most = kept.reduce((sum, value) => sum + value, 0);
        const trimmed = statistic(values, `ts${percent}`) ?? NaN;
        expect(trimmed).toBeGreaterThanOrEqual(least * 0.989 - 1e-9);
        expect(trimmed).toBeLessThanOrEqual(most * 1.011 + 1e-9);
      }),
    );
  });

  it("merges minutes into the percentiles of an hour", () => {
    const minutes = Array.from({ length: 60 }, (_, minute) => of(TEN.map((value) => value * (minute + 1))));
    const hour = new Summary();
    for (const minute of minutes) hour.merge(minute);
    const all = Array.from({ length: 60 }, (_, minute) => TEN.map((value) => value * (minute + 1))).flat();
    for (const name of ["p10", "p50", "p99"]) {
      const exact = statistic(all, name) ?? 0;
      expect(Math.abs((statistic(hour, name) ?? 0) - exact)).toBeLessThanOrEqual(exact * 0.0221);
    }
  });

  it("tells no percentile of statistic sets, except of a single value, nor of negative values", () => {
    const set = new Summary();
    set.addSet({ count: 3, sum: 6, min: 1, max: 3 });
    expect([statistic(set, "p50"), statistic(set, "TM(:50%)"), statistic(set, "Average")]).toEqual([
      undefined,
      undefined,
      2,
    ]);
    const single = new Summary();
    single.addSet({ count: 3, sum: 6, min: 2, max: 2 });
    expect(statistic(single, "p50")).toBe(2);
    expect(statistic([-1, 2], "p50")).toBeUndefined();
  });
});
