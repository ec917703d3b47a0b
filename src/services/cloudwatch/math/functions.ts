import type { TimeSeries } from "../query/series.ts";
import type { MathContext } from "./context.ts";
import { MathError } from "./tokens.ts";
import {
  combine,
  eachSeries,
  manySeries,
  mapPoints,
  numberOf,
  oneSeries,
  scalar,
  seriesOf,
  stringOf,
  type Value,
  withPoints,
} from "./values.ts";

export type MathFunction = (values: readonly Value[], context: MathContext, name: string) => Value;

/** Which numbers of arguments a function takes, and what it does. */
export interface FunctionEntry {
  readonly least: number;
  readonly most: number;
  readonly run: MathFunction;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const average = (values: readonly number[]): number => sum(values) / values.length;

/** Of the whole population, as CloudWatch's STDDEV. */
function deviation(values: readonly number[]): number {
  const mean = average(values);
  return Math.sqrt(average(values.map((value) => (value - mean) ** 2)));
}

/** A number over one series' values; of several series, one series over what they have at each time. */
function aggregate(reduce: (values: readonly number[]) => number): FunctionEntry {
  const run: MathFunction = ([value], _context, name) => {
    if (value?.kind === "series") {
      const values = [...value.series.points.values()];
      return scalar(values.length === 0 ? NaN : reduce(values));
    }
    return oneSeries(combine(seriesOf(value, name), reduce));
  };
  return { least: 1, most: 1, run };
}

/** A function of each value, of numbers too. */
function ofEach(apply: (value: number) => number): FunctionEntry {
  const run: MathFunction = ([value], _context, name) => {
    if (value?.kind === "scalar") return scalar(apply(value.value));
    if (value === undefined) throw new MathError(`${name} needs an argument`);
    return eachSeries(value, name, (series) => mapPoints(series, apply));
  };
  return { least: 1, most: 1, run };
}

/** A function of one series, or of each of several. */
function ofSeries(apply: (series: TimeSeries) => TimeSeries): FunctionEntry {
  const run: MathFunction = ([value], _context, name) => {
    if (value === undefined) throw new MathError(`${name} needs an argument`);
    return eachSeries(value, name, apply);
  };
  return { least: 1, most: 1, run };
}

/** Each value with the one before it; the first has none. @param apply of value, the one before, and seconds between */
function withPrevious(apply: (value: number, before: number, seconds: number) => number): FunctionEntry {
  return ofSeries((series) => {
    const points: [number, number][] = [];
    let before: readonly [number, number] | undefined;
    for (const [time, value] of series.points) {
      if (before !== undefined) points.push([time, apply(value, before[1], (time - before[0]) / 1000)]);
      before = [time, value];
    }
    return withPoints(
      series,
      points.filter(([, value]) => Number.isFinite(value)),
    );
  });
}

/** A part of the time of each value, in UTC. */
function ofTime(part: (time: Date) => number): FunctionEntry {
  return ofSeries((series) => mapPoints(series, (_value, time) => part(new Date(time))));
}

const runningSum = ofSeries((series) => {
  let total = 0;
  return mapPoints(series, (value) => (total += value));
});

const metrics: MathFunction = ([filter], context, name) => {
  const part = filter === undefined ? "" : stringOf(filter, name);
  return manySeries(context.metrics().filter(({ id }) => id.includes(part)));
};

const timeSeries: MathFunction = ([value], context, name) => {
  const number = numberOf(value, name);
  const points = Number.isFinite(number) ? context.times().map((time) => [time, number] as const) : [];
  return oneSeries({ id: "", label: "", period: context.period, points: new Map(points) });
};

/** `IF(condition, then, else)`: by value where one of them is a series; a condition that is missing has no value. */
const choose: MathFunction = ([condition, then, otherwise], _context, name) => {
  if (condition === undefined || then === undefined || otherwise === undefined)
    throw new MathError(`${name} needs three arguments`);
  if (condition.kind === "scalar") return condition.value === 0 ? otherwise : then;
  const [test] = seriesOf(condition, name);
  if (condition.kind === "array" || test === undefined)
    throw new MathError(`${name} needs a number or one time series as its condition`);
  const branch = (value: Value, time: number): number | undefined => {
    if (value.kind === "scalar") return value.value;
    if (value.kind === "series") return value.series.points.get(time);
    throw new MathError(`${name} needs numbers or single time series to choose from`);
  };
  const points: [number, number][] = [];
  for (const [time, value] of test.points) {
    const chosen = branch(value === 0 ? otherwise : then, time);
    if (chosen !== undefined && Number.isFinite(chosen)) points.push([time, chosen]);
  }
  return oneSeries(withPoints(test, points));
};

/** `FILL(m1, 0)`, `FILL(m1, REPEAT)`, `FILL(m1, LINEAR)`, `FILL(m1, m2)`: over the whole range of the request. */
const fill: MathFunction = ([value, filler], context, name) => {
  if (value === undefined || filler === undefined) throw new MathError(`${name} needs two arguments`);
  return eachSeries(value, name, (series) => {
    const times = context.times(series);
    const missing = fillerOf(filler, name, series, times);
    return withPoints(
      series,
      times.flatMap((time, index) => {
        const filled = series.points.get(time) ?? missing(time, index);
        return filled === undefined ? [] : [[time, filled] as const];
      }),
    );
  });
};

/** What stands for a missing value, by its time and its place among `times`. */
function fillerOf(
  filler: Value,
  name: string,
  { points }: TimeSeries,
  times: readonly number[],
): (time: number, index: number) => number | undefined {
  if (filler.kind === "scalar") return () => filler.value;
  if (filler.kind === "series") return (time) => filler.series.points.get(time);
  const way = stringOf(filler, name);
  if (way !== "REPEAT" && way !== "LINEAR")
    throw new MathError(`${name} fills with a number, a metric, REPEAT or LINEAR`);
  const before = nearest(times, points);
  if (way === "REPEAT") return (_time, index) => points.get(before[index] ?? NaN);
  const after = nearest(times.toReversed(), points).toReversed();
  return (time, index) => {
    const [from, to] = [before[index] ?? NaN, after[index] ?? NaN];
    const [low, high] = [points.get(from), points.get(to)];
    if (low === undefined || high === undefined) return undefined;
    return low + ((high - low) * (time - from)) / (to - from);
  };
}

/** For each time the last one at or before it, in their order, that has a value. */
function nearest(
  times: readonly number[],
  points: ReadonlyMap<number, number>,
): readonly (number | undefined)[] {
  let last: number | undefined;
  return times.map((time) => (points.has(time) ? (last = time) : last));
}

const SORTS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  AVG: average,
  SUM: (values) => (values.length === 0 ? NaN : sum(values)),
  MIN: (values) => values.reduce((a, b) => Math.min(a, b), Infinity),
  MAX: (values) => values.reduce((a, b) => Math.max(a, b), -Infinity),
};

/** `SORT(series, SUM, DESC, 10)`. */
const sort: MathFunction = ([value, by, order, most], _context, name) => {
  const reduce = SORTS[stringOf(by, name)];
  const direction = stringOf(order, name);
  if (reduce === undefined || (direction !== "ASC" && direction !== "DESC"))
    throw new MathError(`${name} sorts by AVG, MIN, MAX or SUM, and ASC or DESC`);
  const keyed = seriesOf(value, name).map((series) => ({ series, key: reduce([...series.points.values()]) }));
  // Those without a value come last, whatever the order.
  const rank = (key: number): number =>
    Number.isFinite(key) ? (direction === "ASC" ? key : -key) : Infinity;
  const sorted = keyed.toSorted((a, b) => rank(a.key) - rank(b.key) || 0).map(({ series }) => series);
  return manySeries(most === undefined ? sorted : sorted.slice(0, numberOf(most, name)));
};

const slice: MathFunction = ([value, from, to], _context, name) => {
  const series = seriesOf(value, name);
  const start = numberOf(from, name);
  const [only] = series.slice(start, start + 1);
  if (to !== undefined) return manySeries(series.slice(start, numberOf(to, name)));
  if (only === undefined) throw new MathError(`${name}: there are only ${series.length} time series`);
  return oneSeries(only);
};

const ofEnd =
  (at: 0 | -1): MathFunction =>
  ([value], _context, name) => {
    const found = seriesOf(value, name).at(at);
    return found === undefined ? manySeries([]) : oneSeries(found);
  };

const period: MathFunction = ([value], _context, name) => {
  const [series] = seriesOf(value, name);
  return scalar((series?.period ?? 0) / 1000);
};

const metricCount: MathFunction = ([value], _context, name) => scalar(seriesOf(value, name).length);

const removeEmpty: MathFunction = ([value], _context, name) =>
  manySeries(seriesOf(value, name).filter(({ points }) => points.size > 0));

const entry = (least: number, most: number, run: MathFunction): FunctionEntry => ({ least, most, run });

/** Functions of metric math that are built here (user guide, "Functions supported for metric math"); SEARCH is apart. */
export const FUNCTIONS: Readonly<Record<string, FunctionEntry>> = {
  ABS: ofEach(Math.abs),
  AVG: aggregate(average),
  CEIL: ofEach(Math.ceil),
  DATAPOINT_COUNT: aggregate((values) => values.length),
  DATE: ofTime((time) => time.getUTCDate()),
  DAY: ofTime((time) => time.getUTCDay() || 7),
  DIFF: withPrevious((value, before) => value - before),
  DIFF_TIME: withPrevious((_value, _before, seconds) => seconds),
  EPOCH: ofTime((time) => time.getTime() / 1000),
  FILL: entry(2, 2, fill),
  FIRST: entry(1, 1, ofEnd(0)),
  FLOOR: ofEach(Math.floor),
  HOUR: ofTime((time) => time.getUTCHours()),
  IF: entry(3, 3, choose),
  LAST: entry(1, 1, ofEnd(-1)),
  LOG: ofEach(Math.log),
  LOG10: ofEach(Math.log10),
  MAX: aggregate((values) => values.reduce((a, b) => Math.max(a, b))),
  METRICS: entry(0, 1, metrics),
  METRIC_COUNT: entry(1, 1, metricCount),
  MIN: aggregate((values) => values.reduce((a, b) => Math.min(a, b))),
  MINUTE: ofTime((time) => time.getUTCMinutes()),
  MONTH: ofTime((time) => time.getUTCMonth() + 1),
  PERIOD: entry(1, 1, period),
  RATE: withPrevious((value, before, seconds) => (value - before) / seconds),
  REMOVE_EMPTY: entry(1, 1, removeEmpty),
  RUNNING_SUM: runningSum,
  SLICE: entry(2, 3, slice),
  SORT: entry(3, 4, sort),
  STDDEV: aggregate(deviation),
  SUM: aggregate(sum),
  TIME_SERIES: entry(1, 1, timeSeries),
  YEAR: ofTime((time) => time.getUTCFullYear()),
};

/** Those that AWS has and this platform has not. */
export const REFUSED: ReadonlySet<string> = new Set([
  "ANOMALY_DETECTION_BAND",
  "DB_PERF_INSIGHTS",
  "INSIGHT_RULE_METRIC",
  "LAMBDA",
  "SERVICE_QUOTA",
]);
