import type { Clock } from "#core/clock";
import type { MetricSeries, MetricSink } from "#engine/contract";
import type { MappingMetric } from "#engine/pollers/contract";
import type { Scope } from "../names.ts";

/** Counts a mapping's events (AWS Lambda Developer Guide, "Event source mapping metrics"); each series is kept from its first value on. */
export function mappingMeter(
  metrics: MetricSink | undefined,
  { account, region }: Scope,
  uuid: string,
  clock: Clock,
): (metric: MappingMetric, events: number) => void {
  const kept = new Map<MappingMetric, MetricSeries | undefined>();
  return (name, events) => {
    if (!kept.has(name)) {
      const dimensions = { EventSourceMappingUUID: uuid };
      const address = { account, region, namespace: "AWS/Lambda", name, unit: "Count" as const, dimensions };
      kept.set(name, metrics?.series(address));
    }
    kept.get(name)?.record(events, clock.now());
  };
}
