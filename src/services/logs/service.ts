import type { ServiceDefinition } from "#wire/operation";
import type { LogsDeps } from "./deps.ts";
import { LocalRunner, type QueryRunner } from "./insights/runner.ts";
import { eventOperations } from "./operations/events.ts";
import { filterOperations } from "./operations/filter.ts";
import { groupOperations } from "./operations/groups.ts";
import { queryDefinitionOperations } from "./operations/query-definitions.ts";
import { queryOperations } from "./operations/queries.ts";
import { streamOperations } from "./operations/streams.ts";
import { tagOperations } from "./operations/tags.ts";
import { Queries } from "./queries.ts";

export interface LogsService extends ServiceDefinition {
  /** Forgets queries; call after the storage was emptied. */
  reset(): void;
  /** Ends queries under way. */
  close(): Promise<void>;
}

export interface LogsServiceOptions extends LogsDeps {
  /** How queries run. Default: in the calling thread. */
  readonly openRunner?: () => QueryRunner;
  /** Told of queries that fail by no fault of their author's. Default: nobody is. */
  readonly onError?: (error: unknown) => void;
}

/** CloudWatch Logs. `ingestion` is shared with the platform's log sink. */
export function createLogsService(options: LogsServiceOptions): LogsService {
  const { openRunner = () => new LocalRunner(), onError = () => undefined, ...deps } = options;
  const queries = new Queries({ ...deps, openRunner, onError });
  return {
    name: "logs",
    operations: {
      ...groupOperations(deps),
      ...streamOperations(deps),
      ...eventOperations(deps),
      ...filterOperations(deps),
      ...tagOperations(deps),
      ...queryOperations(deps, queries),
      ...queryDefinitionOperations(deps),
    },
    reset: () => queries.reset(),
    close: () => queries.close(),
  };
}
