import { createS3Service } from "#services/s3/service";
import type { ServicePart } from "../part.ts";
import type { SharedByServices } from "../shared.ts";

export function s3({ storage, clock, ids, caller, log }: SharedByServices): ServicePart {
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
      request.method === "OPTIONS" ? () => Promise.resolve(service.preflight(request)) : undefined,
    start: () => service.start(),
    stop: (graceMs) => service.stop(graceMs),
  };
}
