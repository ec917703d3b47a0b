import { setImmediate as nextTurn } from "node:timers/promises";
import { Summary } from "#telemetry/summary";
import { metricsInTurns } from "../data/listing.ts";
import { type KnownMetric, metricsPrefix, type Scope } from "../data/metric.ts";
import type { CloudWatchDeps } from "../deps.ts";
import { cloudwatchErrors } from "../errors.ts";
import { type Select, type SelectFunction, selects } from "../math/select.ts";
import { alignedStart, isPeriod } from "../statistics/align.ts";
import { evaluate } from "../statistics/evaluate.ts";
import type { Statistic } from "../statistics/statistic.ts";
import type { TimeRange } from "./read-stat.ts";
import { inOrder, type TimeSeries } from "./series.ts";

/** AWS's limit on what one query takes in. */
const MOST_METRICS = 10_000;

const STATISTICS: Readonly<Record<SelectFunction, Statistic>> = {
  AVG: { kind: "Average" },
  COUNT: { kind: "SampleCount" },
  MAX: { kind: "Maximum" },
  MIN: { kind: "Minimum" },
  SUM: { kind: "Sum" },
};

/**
 * Runs a query of Metrics Insights: the values of all metrics that it selects, added up by groups and periods.
 * @param period in milliseconds
 */
export async function runSelect(
  deps: CloudWatchDeps,
  scope: Scope,
  query: Select,
  { start, end }: TimeRange,
  period: number,
  id: string,
): Promise<readonly TimeSeries[]> {
  if (!isPeriod(period / 1000)) throw cloudwatchErrors.validation(`Invalid period: ${period / 1000}`);
  const { reader, clock } = deps;
  const now = clock.now();
  const span = { from: alignedStart(start, period, now), to: end, period };
  const groups = new Map<
    string,
    { readonly values: readonly string[]; readonly bins: Map<number, Summary> }
  >();
  for await (const metric of selected(deps, scope, query)) {
    const labels = new Map(metric.dimensions);
    const values = query.groupBy.map((label) => labels.get(label) ?? "");
    // Other values may make the same label.
    const key = JSON.stringify(values);
    for (const unit of metric.units)
      for (const [time, summary] of await reader.read(scope, metric, unit, span, now, true)) {
        let group = groups.get(key);
        if (group === undefined) groups.set(key, (group = { values, bins: new Map() }));
        const bin = group.bins.get(time);
        if (bin === undefined) group.bins.set(time, summary.copy());
        else bin.merge(summary);
      }
    await nextTurn();
  }
  const series = Array.from(groups.values(), ({ values, bins }) => {
    const points = Array.from(bins).flatMap(([time, summary]): [number, number][] => {
      const value = evaluate(summary, STATISTICS[query.function]);
      return value === undefined ? [] : [[time, value]];
    });
    const common = { id, period, points: inOrder(points) };
    if (query.groupBy.length === 0) return { ...common, label: id };
    const group = Object.fromEntries(query.groupBy.map((label, at) => [label, values[at] ?? ""]));
    return { ...common, label: values.join(" "), group };
  });
  return ordered(series, query).slice(0, query.limit);
}

async function* selected(
  { documents }: CloudWatchDeps,
  scope: Scope,
  query: Select,
): AsyncGenerator<KnownMetric> {
  const prefix = [...metricsPrefix(scope), query.namespace, query.name] as const;
  let taken = 0;
  for await (const some of metricsInTurns(documents, prefix))
    for (const metric of some) {
      if (!selects(query, metric)) continue;
      yield metric;
      if (++taken === MOST_METRICS) return;
    }
}

/** By what the function of ORDER BY makes of each series' values; without one by their labels. */
function ordered(series: readonly TimeSeries[], { orderBy }: Select): readonly TimeSeries[] {
  const byLabel = series.toSorted((a, b) => (a.label < b.label ? -1 : Number(a.label > b.label)));
  if (orderBy === undefined) return byLabel;
  const sign = orderBy.descending ? -1 : 1;
  const ranked = byLabel.map((one) => {
    const all = new Summary();
    for (const value of one.points.values()) all.add(value);
    return { one, rank: evaluate(all, STATISTICS[orderBy.function]) ?? 0 };
  });
  return ranked.toSorted((a, b) => sign * (a.rank - b.rank)).map(({ one }) => one);
}
