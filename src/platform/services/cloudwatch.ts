import { MetricReader } from "#services/cloudwatch/data/reader";
import { MetricStore } from "#services/cloudwatch/data/store";
import { MetricTotals } from "#telemetry/open-metrics";
import { createCloudWatchService } from "#services/cloudwatch/service";
import type { ServicePart } from "../part.ts";
import type { SharedByServices } from "../shared.ts";

/** CloudWatch, which keeps the platform's own metrics as well. */
export function cloudwatch({
  storage,
  clock,
  ids,
  log,
  metrics,
  drops,
  caller,
}: SharedByServices): ServicePart {
  const { documents, journal } = storage;
  const totals = new MetricTotals();
  const store = new MetricStore({
    documents,
    journal,
    clock,
    sink: metrics,
    onDrained: (address, summary) => totals.add(address, summary),
    onError: (error) => log.error(error, "metrics"),
    onDropped(values) {
      drops.add("metric values", values);
      log.error({ values }, "metrics: values were dropped, as memory has no room for more");
    },
  });
  const reader = new MetricReader(documents, store);
  const onError = (error: unknown): void => log.error(error, "alarms");
  const service = createCloudWatchService({ documents, journal, clock, ids, caller, store, reader, onError });
  return {
    definition: service,
    start: async () => {
      await store.start();
      service.scheduler.start();
    },
    stop: () => service.scheduler.stop(),
    // What the last functions did while others ended is counted, too.
    close: () => store.close(),
    forget: (arns) => totals.forget(arns),
    reset: () => {
      store.reset();
      totals.clear();
    },
    openMetrics: async () => {
      await store.settle();
      return totals.families();
    },
  };
}
