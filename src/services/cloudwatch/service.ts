import type { ServiceDefinition } from "#wire/operation";
import { Alarms } from "./alarms/alarms.ts";
import { AlarmScheduler } from "./alarms/scheduler.ts";
import { createCloudWatchAuthorisation } from "./authorisation.ts";
import type { CloudWatchDeps } from "./deps.ts";
import { alarmOperations } from "./operations/alarms.ts";
import { dashboardOperations } from "./operations/dashboards.ts";
import { describeAlarmOperations } from "./operations/describe-alarms.ts";
import { listMetricsOperations } from "./operations/list-metrics.ts";
import { metricDataOperations } from "./operations/metric-data.ts";
import { metricStatisticsOperations } from "./operations/metric-statistics.ts";
import { putMetricDataOperations } from "./operations/put-metric-data.ts";
import { tagOperations } from "./operations/tags.ts";
import { widgetImageOperations } from "./operations/widget-image.ts";

export interface CloudWatchService extends ServiceDefinition {
  /** Evaluates alarms from when it is started on. */
  readonly scheduler: AlarmScheduler;
}

export function createCloudWatchService(deps: CloudWatchDeps): CloudWatchService {
  const alarms = new Alarms(deps);
  return {
    name: "cloudwatch",
    operations: {
      ...putMetricDataOperations(deps),
      ...metricStatisticsOperations(deps),
      ...metricDataOperations(deps),
      ...listMetricsOperations(deps),
      ...alarmOperations(deps, alarms),
      ...describeAlarmOperations(deps, alarms),
      ...tagOperations(deps),
      ...dashboardOperations(deps),
      ...widgetImageOperations(deps),
    },
    authorisation: createCloudWatchAuthorisation(deps.documents),
    scheduler: new AlarmScheduler(deps, alarms),
  };
}
