import { MetricReader } from "#services/cloudwatch/data/reader";
import { MetricStore } from "#services/cloudwatch/data/store";
import { createCloudWatchService } from "#services/cloudwatch/service";
import type { ServicePart } from "../part.ts";
import type { Shared } from "../shared.ts";

/** CloudWatch, which keeps the platform's own metrics as well. */
export function cloudwatch({ storage, clock, log, metrics }: Shared): ServicePart {
  const { documents, journal } = storage;
  const store = new MetricStore({
    documents,
    journal,
    clock,
    sink: metrics,
    onError: (error) => log.error(error, "metrics"),
    onDropped: (values) =>
      log.error({ values }, "metrics: values were dropped, as memory has no room for more"),
  });
  const reader = new MetricReader(documents, store);
  return {
    definition: createCloudWatchService({ documents, clock, store, reader }),
    start: () => store.start(),
    // What the last functions did while others ended is counted, too.
    close: () => store.close(),
    reset: () => store.reset(),
  };
}
