import { createIamService } from "#services/iam/service";
import type { Ingestion } from "#services/logs/ingestion";
import { createRetentionSweep } from "#services/logs/retention";
import { createQueryThread } from "#services/logs/insights/thread";
import { createLogsService } from "#services/logs/service";
import { createStsService } from "#services/sts/service";
import { cloudwatch } from "./cloudwatch.ts";
import type { ServicePart } from "./part.ts";
import type { Shared } from "./shared.ts";

/** The services round Lambda, in the order in which requests that name no service try them. */
export function createNeighbours(shared: Shared, parts: { readonly ingestion: Ingestion }): ServicePart[] {
  const { storage, clock, ids } = shared;
  const { documents } = storage;
  return [
    logs(shared, parts.ingestion),
    cloudwatch(shared),
    { definition: createIamService({ documents, clock, ids }) },
    { definition: createStsService() },
  ];
}

function logs({ storage, clock, ids, log }: Shared, ingestion: Ingestion): ServicePart {
  const { documents, journal } = storage;
  const retention = createRetentionSweep({
    documents,
    journal,
    clock,
    onError: (error) => log.error(error, "log retention"),
  });
  const service = createLogsService({
    documents,
    journal,
    clock,
    ids,
    ingestion,
    openRunner: () => createQueryThread(clock),
    onError: (error) => log.error(error, "a query of Logs Insights"),
  });
  return {
    definition: service,
    start: () => retention.start(),
    stop: async () => {
      await Promise.all([retention.stop(), service.close()]);
    },
    reset: () => service.reset(),
  };
}
