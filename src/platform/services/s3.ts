import type { HttpRequest } from "#server/listener";
import { createS3Service } from "#services/s3/service";
import type { ServicePart } from "../part.ts";
import type { SharedByServices } from "../shared.ts";

export function s3({ storage, clock, ids, metrics, caller, log }: SharedByServices): ServicePart {
  const { documents, objects, queue } = storage;
  const service = createS3Service({
    documents,
    objects,
    queue,
    clock,
    ids,
    metrics,
    caller,
    onError: (error) => log.error(error, "S3, in the background"),
  });
  return {
    definition: service,
    serve: (request) => {
      if (request.method === "OPTIONS") return () => Promise.resolve(service.preflight(request));
      return isForm(request) ? () => Promise.resolve(service.form()) : undefined;
    },
    start: () => service.start(),
    reset: () => service.reset(),
    stop: (graceMs) => service.stop(graceMs),
  };
}

/** What browsers post is signed within the form, not as a request. */
function isForm({ method, headers }: HttpRequest): boolean {
  return (
    method === "POST" &&
    headers["content-type"]?.startsWith("multipart/form-data") === true &&
    headers["authorization"] === undefined
  );
}
