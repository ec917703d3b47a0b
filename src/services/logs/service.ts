import type { ServiceDefinition } from "#wire/operation";
import type { LogsDeps } from "./deps.ts";
import { eventOperations } from "./operations/events.ts";
import { filterOperations } from "./operations/filter.ts";
import { groupOperations } from "./operations/groups.ts";
import { streamOperations } from "./operations/streams.ts";
import { tagOperations } from "./operations/tags.ts";

/** CloudWatch Logs. `ingestion` is shared with the platform's log sink. */
export function createLogsService(deps: LogsDeps): ServiceDefinition {
  return {
    name: "logs",
    operations: {
      ...groupOperations(deps),
      ...streamOperations(deps),
      ...eventOperations(deps),
      ...filterOperations(deps),
      ...tagOperations(deps),
    },
  };
}
