import type { SqsDeps } from "./deps.ts";
import type { FoundQueue } from "./store.ts";

type Unit = "Count" | "Bytes";

/** Units of the metrics that calls count (developer guide, "Available CloudWatch metrics for Amazon SQS"). */
const UNITS = {
  NumberOfMessagesSent: "Count",
  NumberOfMessagesReceived: "Count",
  NumberOfMessagesDeleted: "Count",
  NumberOfEmptyReceives: "Count",
  SentMessageSize: "Bytes",
} as const satisfies Record<string, Unit>;

export type SqsMetric = keyof typeof UNITS;

export function recordMetric(
  { metrics, clock }: Pick<SqsDeps, "metrics" | "clock">,
  { account, region, name: QueueName }: FoundQueue,
  name: SqsMetric,
  value: number,
): void {
  metrics
    ?.series({
      account,
      region,
      namespace: "AWS/SQS",
      name,
      unit: UNITS[name],
      dimensions: { QueueName },
    })
    .record(value, clock.now());
}
