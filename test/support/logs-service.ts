import type { Clock } from "../../src/core/clock.ts";
import { systemIds } from "../../src/core/ids.ts";
import { createIngestion } from "../../src/services/logs/ingestion.ts";
import { createLogsService } from "../../src/services/logs/service.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { createMetricSink } from "../../src/telemetry/metric-sink.ts";
import type { AwsCaller } from "../../src/wire/operation.ts";

/** CloudWatch Logs over real storage, with its ingestion and what it counts. @param caller the services that it calls */
export function createLogsFixture(
  { documents, journal }: Pick<Storage, "documents" | "journal">,
  clock: Clock,
  caller: AwsCaller,
) {
  const ingestion = createIngestion({ documents, journal, clock });
  const metrics = createMetricSink({ clock });
  const service = createLogsService({
    documents,
    journal,
    clock,
    ids: systemIds,
    ingestion,
    metrics,
    caller,
  });
  return { service, ingestion, metrics };
}
