import { createSqsService } from "#services/sqs/service";
import type { ServicePart } from "../part.ts";
import type { SharedByServices } from "../shared.ts";

export function sqs({ storage, clock, ids, metrics, log }: SharedByServices): ServicePart {
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
