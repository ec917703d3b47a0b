import { createIamService } from "#services/iam/service";
import type { Ingestion } from "#services/logs/ingestion";
import { createRetentionSweep } from "#services/logs/retention";
import { createLogsService } from "#services/logs/service";
import { createSqsService } from "#services/sqs/service";
import { createStsService } from "#services/sts/service";
import type { ServicePart } from "./part.ts";
import type { Shared } from "./shared.ts";

/** The services round Lambda, in the order in which requests that name no service try them. */
export function createNeighbours(shared: Shared, parts: { readonly ingestion: Ingestion }): ServicePart[] {
  const { storage, clock, ids } = shared;
  const { documents } = storage;
  return [
    logs(shared, parts.ingestion),
    { definition: createIamService({ documents, clock, ids }) },
    { definition: createStsService() },
    sqs(shared),
  ];
}

function logs({ storage, clock, log }: Shared, ingestion: Ingestion): ServicePart {
  const { documents, journal } = storage;
  const retention = createRetentionSweep({
    documents,
    journal,
    clock,
    onError: (error) => log.error(error, "log retention"),
  });
  return {
    definition: createLogsService({ documents, journal, clock, ingestion }),
    start: () => retention.start(),
    stop: () => retention.stop(),
  };
}

function sqs({ storage, clock, ids, metrics, log }: Shared): ServicePart {
  const { documents, queue } = storage;
  return createSqsService({
    documents,
    queue,
    clock,
    ids,
    metrics,
    onProblem: (error) => log.error(error, "sqs, in the background"),
  });
}
