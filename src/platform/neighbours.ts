import { createIamService } from "#services/iam/service";
import type { Ingestion } from "#services/logs/ingestion";
import { createRetentionSweep } from "#services/logs/retention";
import { createLogsService } from "#services/logs/service";
import { createS3Service } from "#services/s3/service";
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
    // Last: to S3, every path is a bucket's or an object's.
    s3(shared),
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

function s3({ storage, clock, ids, caller, log }: Shared): ServicePart {
  const { documents, objects, queue } = storage;
  const service = createS3Service({
    documents,
    objects,
    queue,
    clock,
    ids,
    caller,
    onError: (error) => log.error(error, "S3, in the background"),
  });
  return {
    definition: service,
    serve: (request) =>
      request.method === "OPTIONS" ? Promise.resolve(service.preflight(request)) : undefined,
    start: () => service.start(),
    stop: (graceMs) => service.stop(graceMs),
  };
}
