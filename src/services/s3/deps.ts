import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Documents } from "#storage/documents";
import type { Objects } from "#storage/objects";
import type { Queue } from "#storage/queue";
import type { AggregatingMetricSink } from "#telemetry/metric-sink";
import type { AwsCaller } from "#wire/operation";
import type { ObjectBytes } from "./bytes.ts";
import type { EventLog } from "./notifications/events.ts";
import type { Versions } from "./versions.ts";

/** What the service is made of. */
export interface S3Options {
  readonly documents: Documents;
  readonly objects: Objects;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Reaches the functions, queues and topics that notifications go to. */
  readonly caller: AwsCaller;
  /** Counts what buckets hold, and requests to them, in AWS/S3. */
  readonly metrics?: Pick<AggregatingMetricSink, "series">;
  /** Told of what goes wrong in the background. */
  readonly onError: (error: unknown) => void;
}

/** What its operations share. */
export interface S3Deps extends S3Options {
  readonly bytes: ObjectBytes;
  readonly versions: Versions;
  readonly events: EventLog;
}
