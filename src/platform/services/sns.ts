import type { HttpRequest, HttpResponse } from "#server/listener";
import { isLink, linkOf } from "#services/sns/links";
import { createSnsService, type SnsService } from "#services/sns/service";
import { createPipeline } from "#wire/pipeline";
import type { ServicePart } from "../part.ts";
import type { SharedByServices } from "../shared.ts";

export function sns(shared: SharedByServices): ServicePart {
  const { storage, clock, ids, caller, metrics, url, log } = shared;
  const { documents, queue } = storage;
  const service = createSnsService({
    documents,
    queue,
    clock,
    ids,
    caller,
    url,
    metrics,
    onLost: (lost) => log.warn(lost, "gave up a notification"),
    onError: (error) => log.error(error, "SNS, in the background"),
  });
  return {
    definition: service,
    serve: serveLinks(shared, service),
    start: () => service.start(),
    stop: (graceMs) => service.stop(graceMs),
    reset: () => service.reset(),
    outbox: () => service.outbox(),
  };
}

/** Links in messages: whoever has one confirms, or unsubscribes, without a signature. And the certificate to check them by. */
function serveLinks(
  { models, ids, clock, log }: SharedByServices,
  service: SnsService,
): NonNullable<ServicePart["serve"]> {
  const pipeline = createPipeline({
    models,
    services: [service],
    authenticate: (request) => ({ ...linkOf(request), body: request.body }),
    // The token, or the unguessable id, is what allows it.
    authorise: () => undefined,
    ids,
    clock,
    onInternalError: (error, request) => log.error({ err: error, ...request }, "internal failure"),
  });
  return (request: HttpRequest) => {
    const certificate = request.method === "GET" ? service.certificate(request.path) : undefined;
    if (certificate !== undefined) return () => certificate.then(pemResponse);
    return isLink(request) ? () => pipeline.handle(request) : undefined;
  };
}

function pemResponse(pem: string): HttpResponse {
  return pem === ""
    ? { status: 404, headers: { "content-type": "text/plain" }, body: "There is no such certificate.\n" }
    : { status: 200, headers: { "content-type": "application/x-pem-file" }, body: pem };
}
