import type { AggregatingMetricSink } from "#telemetry/metric-sink";
import { decodeLogRecord } from "#telemetry/log-record";
import type { AwsCaller, ServiceDefinition } from "#wire/operation";
import { createLogsAuthorisation } from "./authorisation.ts";
import type { LogsDeps } from "./deps.ts";
import { mayHoldMetrics, publishEmbedded } from "./embedded-metrics.ts";
import { ExportTasks } from "./exports/tasks.ts";
import { FilterFollower } from "./filters/follower.ts";
import { countIncoming } from "./filters/incoming.ts";
import { groupsWithFilters } from "./filters/store.ts";
import { LocalRunner, type QueryRunner } from "./insights/runner.ts";
import { destinationOperations } from "./operations/destinations.ts";
import { encryptionOperations } from "./operations/encryption.ts";
import { eventOperations } from "./operations/events.ts";
import { exportTaskOperations } from "./operations/export-tasks.ts";
import { filterOperations } from "./operations/filter.ts";
import { LiveTail } from "./live-tail/live-tail.ts";
import { groupFieldOperations } from "./operations/group-fields.ts";
import { groupOperations } from "./operations/groups.ts";
import { listGroupOperations } from "./operations/list-groups.ts";
import { liveTailOperations } from "./operations/live-tail.ts";
import { metricFilterOperations } from "./operations/metric-filters.ts";
import { queryDefinitionOperations } from "./operations/query-definitions.ts";
import { queryOperations } from "./operations/queries.ts";
import { resourcePolicyOperations } from "./operations/resource-policies.ts";
import { streamOperations } from "./operations/streams.ts";
import { subscriptionFilterOperations } from "./operations/subscription-filters.ts";
import { tagOperations } from "./operations/tags.ts";
import { Queries } from "./queries.ts";

export interface LogsService extends ServiceDefinition {
  /** Takes up what filters and exports did not come to before the platform last stopped. */
  start(): void;
  /** Forgets queries, filters and exports; call after the storage was emptied. */
  reset(): void;
  /** Ends queries and sessions under way, and lets filters finish what they are at. */
  close(): Promise<void>;
}

export interface LogsServiceOptions extends LogsDeps {
  /** Where metric filters publish. */
  readonly metrics: Pick<AggregatingMetricSink, "series">;
  /** Invokes the functions of subscription filters, and writes to the buckets of exports. */
  readonly caller: AwsCaller;
  /** How queries run. Default: in the calling thread. */
  readonly openRunner?: () => QueryRunner;
  /** Told of queries that fail by no fault of their author's. Default: nobody is. */
  readonly onError?: (error: unknown) => void;
}

/** CloudWatch Logs. `ingestion` is shared with the platform's log sink. */
export function createLogsService(options: LogsServiceOptions): LogsService {
  const {
    openRunner = () => new LocalRunner(),
    onError = () => undefined,
    metrics,
    caller,
    ...deps
  } = options;
  const queries = new Queries({ ...deps, openRunner, onError });
  const follower = new FilterFollower({ ...deps, metrics, caller, onError });
  const liveTail = new LiveTail(deps.clock);
  const exports = new ExportTasks({ ...deps, caller, onError });
  deps.ingestion.follow((events) => {
    liveTail.appended(events);
    follower.appended(events);
    const now = deps.clock.now();
    countIncoming(metrics, events, now);
    for (const { body } of events.records)
      if (mayHoldMetrics(body)) publishEmbedded(metrics, events.scope, decodeLogRecord(body).message, now);
  });
  return {
    name: "logs",
    authorisation: createLogsAuthorisation(deps.documents),
    operations: {
      ...groupOperations(deps, (scope, group) => follower.forget(scope, group)),
      ...streamOperations(deps),
      ...eventOperations(deps),
      ...filterOperations(deps),
      ...tagOperations(deps),
      ...queryOperations(deps, queries),
      ...queryDefinitionOperations(deps),
      ...metricFilterOperations(deps, follower),
      ...subscriptionFilterOperations(deps, follower, caller),
      ...liveTailOperations(deps, liveTail),
      ...exportTaskOperations(deps, exports),
      ...resourcePolicyOperations(deps),
      ...destinationOperations(),
      ...encryptionOperations(deps),
      ...listGroupOperations(deps),
      ...groupFieldOperations(deps),
    },
    start() {
      follower.resume(groupsWithFilters(deps.documents));
      exports.resume();
    },
    reset() {
      liveTail.close();
      queries.reset();
      follower.reset();
      void exports.reset();
    },
    async close() {
      liveTail.close();
      await Promise.all([queries.close(), follower.stop(), exports.stop()]);
    },
  };
}
