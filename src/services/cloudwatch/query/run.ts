import { setImmediate as nextTurn } from "node:timers/promises";
import type { CloudWatchDeps } from "../deps.ts";
import type { Scope } from "../data/metric.ts";
import { cloudwatchErrors } from "../errors.ts";
import { defaultLabels, fillLabel } from "./labels.ts";
import { readSeries, type TimeRange } from "./read-stat.ts";
import { type DataQuery, isStat } from "./request.ts";
import type { TimeSeries } from "./series.ts";

/** Runs queries and gives back those that return data, in their order. @param zone of labels' times, minutes east of UTC */
export async function runQueries(
  { reader, clock }: CloudWatchDeps,
  scope: Scope,
  queries: readonly DataQuery[],
  range: TimeRange,
  zone: number,
): Promise<readonly TimeSeries[]> {
  const stats = queries.flatMap(({ id, of }) => (isStat(of) ? [{ id, of }] : []));
  const labels = defaultLabels(stats.map(({ of }) => of));
  const labelOf = new Map(stats.map(({ id }, index) => [id, labels[index] ?? id]));
  const results: TimeSeries[] = [];
  for (const { id, label, of, returned } of queries) {
    if (!isStat(of)) throw cloudwatchErrors.validation("Expressions are not supported.");
    const standard = labelOf.get(id) ?? id;
    const series = { id, label: standard, ...readSeries(reader, scope, of, range, clock.now()) };
    // One series may take a few milliseconds: others get a turn between two.
    await nextTurn();
    if (!returned) continue;
    results.push(
      label === undefined ? series : { ...series, label: fillLabel(label, series, standard, zone) },
    );
  }
  return results;
}
