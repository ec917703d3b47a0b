import type { MetricSeriesHandle } from "#telemetry/metric-sink";
import type { SqsDeps } from "./deps.ts";
import type { FoundQueue } from "./store.ts";

/** Units of the metrics that calls count (developer guide, "Available CloudWatch metrics for Amazon SQS"). */
const UNITS = {
  NumberOfMessagesSent: "Count",
  NumberOfMessagesReceived: "Count",
  NumberOfMessagesDeleted: "Count",
  NumberOfEmptyReceives: "Count",
  SentMessageSize: "Bytes",
} as const;

export type SqsMetric = keyof typeof UNITS;

/** Handles of this many queues are kept at hand. */
const KEPT = 1000;

/** What calls count, in AWS/SQS by QueueName. */
export class SqsMetrics {
  readonly #sink: SqsDeps["metrics"];
  readonly #clock: SqsDeps["clock"];
  /** By queue and metric: to find a series anew costs more than storing a message's row. */
  readonly #queues = new Map<string, Map<SqsMetric, MetricSeriesHandle>>();

  constructor({ metrics, clock }: Pick<SqsDeps, "metrics" | "clock">) {
    this.#sink = metrics;
    this.#clock = clock;
  }

  record(queue: FoundQueue, metric: SqsMetric, value: number): void {
    if (this.#sink !== undefined) this.#series(this.#sink, queue, metric).record(value, this.#clock.now());
  }

  /** No more values are to be expected of a queue that was deleted. */
  close(queue: FoundQueue): void {
    for (const series of this.#queues.get(keyOf(queue))?.values() ?? []) series.close();
    this.#queues.delete(keyOf(queue));
  }

  #series(sink: NonNullable<SqsDeps["metrics"]>, queue: FoundQueue, metric: SqsMetric): MetricSeriesHandle {
    let known = this.#queues.get(keyOf(queue));
    if (known === undefined) {
      if (this.#queues.size >= KEPT) this.#queues.clear();
      known = new Map();
      this.#queues.set(keyOf(queue), known);
    }
    let series = known.get(metric);
    if (series === undefined) {
      const { account, region, name } = queue;
      series = sink.series({
        account,
        region,
        namespace: "AWS/SQS",
        name: metric,
        unit: UNITS[metric],
        dimensions: { QueueName: name },
      });
      known.set(metric, series);
    }
    return series;
  }
}

function keyOf({ account, region, name }: FoundQueue): string {
  return `${account} ${region} ${name}`;
}
