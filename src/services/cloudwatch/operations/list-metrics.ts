import type * as client from "@aws-sdk/client-cloudwatch";
import type { DocumentKey, DocumentPrefix } from "#storage/documents";
import type { Handler, InputOf, OperationsOf } from "#wire/operation";
import type { CloudWatchDeps } from "../deps.ts";
import { metricsInTurns } from "../data/listing.ts";
import { type KnownMetric, metricKey, metricsPrefix } from "../data/metric.ts";
import { LIMITS } from "../limits.ts";
import { readToken, writeToken } from "../tokens.ts";

type CloudWatch = typeof client;

export function listMetricsOperations({ documents, store, reader, clock }: CloudWatchDeps) {
  const ListMetrics: Handler<CloudWatch, "ListMetrics"> = async (input, call) => {
    await store.settle();
    const now = clock.now();
    const since = now - (input.RecentlyActive === undefined ? LIMITS.listedFor : LIMITS.recentlyActive);
    const found: KnownMetric[] = [];
    const scope = { account: call.account, region: call.region };
    const prefix = prefixOf(metricsPrefix(scope), input);
    let after: DocumentKey | undefined;
    if (input.NextToken !== undefined)
      after = [...metricsPrefix(scope), ...readToken(input.NextToken, ["string", "string", "string"])];
    for await (const some of metricsInTurns(documents, prefix, after))
      for (const metric of some) {
        if (!matches(metric, input) || !reader.activeSince(scope, metric, since)) continue;
        found.push(metric);
        if (found.length === LIMITS.listMetricsPage) return { ...page(found), ...tokenOf(scope, metric) };
      }
    return page(found);
  };

  return { ListMetrics } satisfies OperationsOf<CloudWatch>;
}

function page(metrics: readonly KnownMetric[]) {
  return {
    Metrics: metrics.map(({ namespace, name, dimensions }) => ({
      Namespace: namespace,
      MetricName: name,
      Dimensions: dimensions.map(([Name, Value]) => ({ Name, Value })),
    })),
  };
}

function tokenOf(scope: { account: string; region: string }, metric: KnownMetric) {
  return { NextToken: writeToken(metricKey(scope, metric).slice(3)) };
}

/** Names narrow the search where the namespace is given; keys are in that order. */
function prefixOf(
  prefix: readonly [string, string, string],
  { Namespace, MetricName }: InputOf<CloudWatch, "ListMetrics">,
): DocumentPrefix {
  if (Namespace === undefined) return prefix;
  return MetricName === undefined ? [...prefix, Namespace] : [...prefix, Namespace, MetricName];
}

/** All dimensions of the filter must be there, with the value where one is given; the metric may have more. */
function matches(metric: KnownMetric, { MetricName, Dimensions = [] }: InputOf<CloudWatch, "ListMetrics">) {
  if (MetricName !== undefined && metric.name !== MetricName) return false;
  return Dimensions.every(({ Name, Value }) =>
    metric.dimensions.some(([name, value]) => name === Name && (Value === undefined || value === Value)),
  );
}
