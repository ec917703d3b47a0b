import type { SegmentsTaken } from "#services/xray/deps";
import { createXRayService } from "#services/xray/service";
import type { ServicePart } from "../part.ts";
import type { SharedByServices } from "../shared.ts";

export function xray(
  { storage, clock, ids, log }: SharedByServices,
  onTaken: (taken: SegmentsTaken) => void,
): ServicePart {
  const { documents, journal } = storage;
  const service = createXRayService({
    documents,
    journal,
    clock,
    ids,
    onTaken,
    onError: (error) => log.error(error, "X-Ray, in the background"),
  });
  return {
    definition: service,
    start: () => service.start(),
    stop: () => service.stop(),
    reset: () => service.reset(),
  };
}
