import type * as client from "@aws-sdk/client-cloudwatch";
import { SECOND } from "../data/layers.ts";
import { type Metric, metricOf, type Scope } from "../data/metric.ts";
import type { MetricReader } from "../data/reader.ts";
import { cloudwatchErrors } from "../errors.ts";
import { alignedStart, isPeriod } from "../statistics/align.ts";
import { evaluate } from "../statistics/evaluate.ts";
import { isSimple, parseStatistic, type Statistic } from "../statistics/statistic.ts";
import { inOrder, type TimeSeries } from "./series.ts";

/** A MetricStat, checked. */
export interface StatQuery {
  readonly metric: Metric;
  readonly stat: string;
  readonly statistic: Statistic;
  /** Milliseconds. */
  readonly period: number;
  /** Undefined where any unit will do. */
  readonly unit: string | undefined;
}

export interface TimeRange {
  /** Epoch milliseconds, inclusive. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** @param at the parameter's name in errors */
export function readMetricStat(stat: client.MetricStat, at: string): StatQuery {
  const { Metric, Period = 0, Stat = "", Unit } = stat;
  if (Metric?.Namespace === undefined) throw cloudwatchErrors.required(`${at}.Metric.Namespace`);
  if (Metric.MetricName === undefined) throw cloudwatchErrors.required(`${at}.Metric.MetricName`);
  if (!isPeriod(Period))
    throw cloudwatchErrors.validation(`Period must be 1, 5, 10, 20, 30 or a multiple of 60`);
  const statistic = parseStatistic(Stat);
  if (statistic === undefined) throw cloudwatchErrors.validation(`Invalid statistic: ${Stat}`);
  return {
    metric: metricOf(Metric.Namespace, Metric.MetricName, Metric.Dimensions),
    stat: Stat,
    statistic,
    period: Period * SECOND,
    unit: Unit,
  };
}

/** Reads a metric's statistic over a range, as one series. */
export async function readSeries(
  reader: MetricReader,
  scope: Scope,
  query: StatQuery,
  { start, end }: TimeRange,
  now: number,
): Promise<Omit<TimeSeries, "id" | "label">> {
  const { metric, statistic, period } = query;
  const span = { from: alignedStart(start, period, now), to: end, period };
  const shallow = isSimple(statistic);
  const read = async (unit: string): Promise<ReadonlyMap<number, number>> => {
    const bins = await reader.read(scope, metric, unit, span, now, shallow);
    return inOrder(
      [...bins].flatMap(([time, summary]): [number, number][] => {
        const value = evaluate(summary, statistic);
        return value === undefined ? [] : [[time, value]];
      }),
    );
  };
  const source = {
    account: scope.account,
    region: scope.region,
    namespace: metric.namespace,
    name: metric.name,
    dimensions: metric.dimensions,
    statistic: query.stat,
  };
  if (query.unit !== undefined) return { period, points: await read(query.unit), source };
  // Recorded: of several units with values the first in the alphabet counts, and a message names them all.
  const found: { readonly unit: string; readonly points: ReadonlyMap<number, number> }[] = [];
  for (const unit of reader.units(scope, metric)) {
    const points = await read(unit);
    if (points.size > 0) found.push({ unit, points });
  }
  const points = found[0]?.points ?? new Map<number, number>();
  if (found.length < 2) return { period, points, source };
  const names = found.map(({ unit }) => unit).join(", ");
  return {
    period,
    points,
    source,
    messages: [{ code: "MultipleUnits", value: `Multiple units returned: '[${names}]'` }],
  };
}
