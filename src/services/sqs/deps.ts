import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Documents } from "#storage/documents";
import type { Queue } from "#storage/queue";
import type { AggregatingMetricSink } from "#telemetry/metric-sink";

export interface SqsDeps {
  readonly documents: Documents;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Counts what queues take and give, in AWS/SQS. */
  readonly metrics?: Pick<AggregatingMetricSink, "series">;
  /** Told of what goes wrong with nobody there to be answered. */
  readonly onProblem: (error: unknown) => void;
}
