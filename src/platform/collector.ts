import { otlpEnvironment } from "#config/config";
import type { Ingestion } from "#services/logs/ingestion";
import type { ReadFamilies } from "./open-metrics.ts";
import type { OtlpExport } from "./otlp-export.ts";
import type { Shared } from "./shared.ts";

/**
 * Sends what CloudWatch Logs takes, and metrics, to the operator's own collector; segments are handed to it.
 * @returns undefined where there is none: what sends is not even loaded then
 */
export async function openCollector(
  shared: Shared,
  ingestion: Ingestion,
  read: ReadFamilies,
): Promise<OtlpExport | undefined> {
  const endpoint = shared.config.otlp;
  if (endpoint === undefined) return undefined;
  const { openOtlpExport } = await import("./otlp-export.ts");
  const collector = openOtlpExport(shared, endpoint, otlpEnvironment(), read);
  ingestion.follow((events) => collector.logs(events));
  return collector;
}
