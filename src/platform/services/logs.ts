import type { Ingestion } from "#services/logs/ingestion";
import { createQueryThread } from "#services/logs/insights/thread";
import { createRetentionSweep } from "#services/logs/retention";
import { createLogsService } from "#services/logs/service";
import type { ServicePart } from "../part.ts";
import type { SharedByServices } from "../shared.ts";

/** @param ingestion where the platform's own log sink writes, too */
export function logs(shared: SharedByServices, ingestion: Ingestion): ServicePart {
  const { storage, clock, ids, log, metrics, caller } = shared;
  const { documents, journal } = storage;
  const retention = createRetentionSweep({
    documents,
    journal,
    clock,
    onError: (error) => log.error(error, "log retention"),
  });
  const service = createLogsService({
    documents,
    journal,
    clock,
    ids,
    ingestion,
    metrics,
    caller,
    openRunner: () => createQueryThread(clock),
    onError: (error) => log.error(error, "queries and filters of log events"),
  });
  return {
    definition: service,
    start() {
      retention.start();
      service.start();
    },
    async stop() {
      await Promise.all([retention.stop(), service.close()]);
    },
    reset: () => service.reset(),
  };
}
