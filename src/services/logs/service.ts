import type { AggregatingMetricSink } from "#telemetry/metric-sink";
import { decodeLogRecord } from "#telemetry/log-record";
import type { AwsCaller, ServiceDefinition } from "#wire/operation";
import { createLogsAuthorisation } from "./authorisation.ts";
import type { LogsDeps } from "./deps.ts";
import { mayHoldMetrics, publishEmbedded } from "./embedded-metrics.ts";
import { FilterFollower } from "./filters/follower.ts";
import { countIncoming } from "./filters/incoming.ts";
import { groupsWithFilters } from "./filters/store.ts";
import { LocalRunner, type QueryRunner } from "./insights/runner.ts";
import { eventOperations } from "./operations/events.ts";
import { filterOperations } from "./operations/filter.ts";
import { LiveTail } from "./live-tail/live-tail.ts";
import { groupOperations } from "./operations/groups.ts";
import { liveTailOperations } from "./operations/live-tail.ts";
import { metricFilterOperations } from "./operations/metric-filters.ts";
import { queryDefinitionOperations } from "./operations/query-definitions.ts";
import { queryOperations } from "./operations/queries.ts";
import { streamOperations } from "./operations/streams.ts";
import { subscriptionFilterOperations } from "./operations/subscription-filters.ts";
import { tagOperations } from "./operations/tags.ts";
import { Queries } from "./queries.ts";

export interface LogsService extends ServiceDefinition {
  /** Takes up what filters did not come to before the platform last stopped. */
  start(): void;
  /** Forgets queries and filters; call after the storage was emptied. */
  reset(): void;
  /** Ends queries and sessions under way, and lets filters finish what they are at. */
  close(): Promise<void>;
}

export interface LogsServiceOptions extends LogsDeps {
  /** Where metric filters publish. */
  readonly metrics: Pick<AggregatingMetricSink, "series">;
  /** Invokes the functions of subscription filters. */
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
      ...groupOperations(deps),
      ...streamOperations(deps),
      ...eventOperations(deps),
      ...filterOperations(deps),
      ...tagOperations(deps),
      ...queryOperations(deps, queries),
      ...queryDefinitionOperations(deps),
      ...metricFilterOperations(deps, follower),
      ...subscriptionFilterOperations(deps, follower, caller),
      ...liveTailOperations(deps, liveTail),
    },
    start: () => follower.resume(groupsWithFilters(deps.documents)),
    reset() {
      liveTail.close();
      queries.reset();
      follower.reset();
    },
    async close() {
      liveTail.close();
      await Promise.all([queries.close(), follower.stop()]);
    },
  };
}
