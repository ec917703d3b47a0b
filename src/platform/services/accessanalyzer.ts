import type { Holders, Usage } from "#services/accessanalyzer/deps";
import { createAnalyzerService } from "#services/accessanalyzer/service";
import type { ServicePart } from "../part.ts";
import type { SharedByServices } from "../shared.ts";

/** @param usage what the platform saw roles and users do */
export function accessanalyzer(
  { storage: { documents }, clock, ids }: SharedByServices,
  { usage, holders }: { readonly usage: Usage; readonly holders: Holders },
): ServicePart {
  return { definition: createAnalyzerService({ documents, clock, ids, usage, holders }) };
}
