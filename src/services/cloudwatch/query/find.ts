import type { DocumentPrefix } from "#storage/documents";
import type { CloudWatchDeps } from "../deps.ts";
import { metricsInTurns } from "../data/listing.ts";
import { type KnownMetric, metricsPrefix, type Scope } from "../data/metric.ts";
import { cloudwatchErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { MAX_RESULTS, parseSearch } from "../math/search.ts";
import { MathError } from "../math/tokens.ts";
import { isPeriod } from "../statistics/align.ts";
import { parseStatistic } from "../statistics/statistic.ts";
import type { StatQuery } from "./read-stat.ts";

/** The metrics that a search finds, of those that had a value within two weeks; at most 500. @param period in milliseconds */
export async function findMetrics(
  { documents, reader, clock }: CloudWatchDeps,
  scope: Scope,
  query: string,
  stat: string,
  period: number,
): Promise<readonly StatQuery[]> {
  const search = parsed(query);
  const statistic = parseStatistic(stat);
  if (statistic === undefined) throw cloudwatchErrors.validation(`Invalid statistic: ${stat}`);
  if (!isPeriod(period / 1000)) throw cloudwatchErrors.validation(`Invalid period: ${period / 1000}`);
  const since = clock.now() - LIMITS.listedFor;
  const found: KnownMetric[] = [];
  const all = metricsPrefix(scope);
  const prefix: DocumentPrefix = search.schema === undefined ? all : [...all, search.schema.namespace];
  for await (const some of metricsInTurns(documents, prefix)) {
    for (const metric of some)
      if (found.length < MAX_RESULTS && search.matches(metric) && reader.activeSince(scope, metric, since))
        found.push(metric);
    if (found.length === MAX_RESULTS) break;
  }
  return found.map((metric) => ({ metric, stat, statistic, period, unit: undefined }));
}

function parsed(query: string) {
  try {
    return parseSearch(query);
  } catch (error) {
    if (error instanceof MathError) throw cloudwatchErrors.validation(error.message);
    throw error;
  }
}
