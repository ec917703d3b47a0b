import type { AggregatingMetricSink } from "#telemetry/metric-sink";
import { messageBytes } from "#telemetry/log-record";
import type { AppendedEvents } from "../ingestion.ts";

/** Counts what comes into a group ("Monitoring CloudWatch Logs usage with CloudWatch metrics"). */
export function countIncoming(
  metrics: Pick<AggregatingMetricSink, "series">,
  { scope, group, records }: AppendedEvents,
  now: number,
): void {
  const { account, region } = scope;
  const record = (name: string, unit: string, value: number): void =>
    metrics
      .series({ account, region, namespace: "AWS/Logs", name, unit, dimensions: { LogGroupName: group } })
      .record(value, now);
  record("IncomingLogEvents", "Count", records.length);
  const bytes = records.reduce((sum, { body }) => sum + messageBytes(body), 0);
  record("IncomingBytes", "Bytes", bytes);
}
