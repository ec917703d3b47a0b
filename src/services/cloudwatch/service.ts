import type { ServiceDefinition } from "#wire/operation";
import type { CloudWatchDeps } from "./deps.ts";
import { listMetricsOperations } from "./operations/list-metrics.ts";
import { metricDataOperations } from "./operations/metric-data.ts";
import { metricStatisticsOperations } from "./operations/metric-statistics.ts";
import { putMetricDataOperations } from "./operations/put-metric-data.ts";

export function createCloudWatchService(deps: CloudWatchDeps): ServiceDefinition {
  return {
    name: "cloudwatch",
    operations: {
      ...putMetricDataOperations(deps),
      ...metricStatisticsOperations(deps),
      ...metricDataOperations(deps),
      ...listMetricsOperations(deps),
    },
  };
}
