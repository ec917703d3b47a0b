import { inOrder, type TimeSeries } from "../query/series.ts";
import { MathError } from "./tokens.ts";

/** What an expression may come to: a number, a text (of SEARCH and FILL), one series, or several. */
export type Value =
  | { readonly kind: "scalar"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "series"; readonly series: TimeSeries }
  | { readonly kind: "array"; readonly of: readonly TimeSeries[] };

export const scalar = (value: number): Value => ({ kind: "scalar", value });
export const oneSeries = (series: TimeSeries): Value => ({ kind: "series", series });
export const manySeries = (of: readonly TimeSeries[]): Value => ({ kind: "array", of });

/** A series of the same name and period with other points: an expression's own, so it tells of no metric. */
export function withPoints(series: TimeSeries, points: Iterable<readonly [number, number]>): TimeSeries {
  const { id, label, period, source } = series;
  return { id, label, period, source, points: new Map(points) };
}

/** Changes every value; what is no number afterwards (a division by zero) is missing. */
export function mapPoints(series: TimeSeries, change: (value: number, time: number) => number): TimeSeries {
  const points: [number, number][] = [];
  for (const [time, value] of series.points) {
    const changed = change(value, time);
    if (Number.isFinite(changed)) points.push([time, changed]);
  }
  return withPoints(series, points);
}

/** Applies a function of one series to a series, or to each of several. */
export function eachSeries(value: Value, name: string, apply: (series: TimeSeries) => TimeSeries): Value {
  if (value.kind === "series") return oneSeries(apply(value.series));
  if (value.kind === "array") return manySeries(value.of.map(apply));
  throw new MathError(`${name} needs time series`);
}

/** The series of a value: of a single one, that. @throws MathError for a number or a text */
export function seriesOf(value: Value | undefined, name: string): readonly TimeSeries[] {
  if (value?.kind === "series") return [value.series];
  if (value?.kind === "array") return value.of;
  throw new MathError(`${name} needs time series`);
}

export function numberOf(value: Value | undefined, name: string): number {
  if (value?.kind === "scalar") return value.value;
  throw new MathError(`${name} needs a number`);
}

export function stringOf(value: Value | undefined, name: string): string {
  if (value?.kind === "string") return value.value;
  throw new MathError(`${name} needs a text in quotation marks`);
}

/** Makes one series of several: at each time, of the values that are there. */
export function combine(
  series: readonly TimeSeries[],
  reduce: (values: readonly number[]) => number,
): TimeSeries {
  const values = new Map<number, number[]>();
  for (const { points } of series)
    for (const [time, value] of points) {
      const known = values.get(time);
      if (known === undefined) values.set(time, [value]);
      else known.push(value);
    }
  const combined = [...values].map(([time, some]) => [time, reduce(some)] as const);
  const period = Math.max(...series.map((each) => each.period), 1000);
  return {
    id: "",
    label: "",
    period,
    points: inOrder(combined.filter(([, value]) => Number.isFinite(value))),
  };
}
