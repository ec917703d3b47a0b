import type * as client from "@aws-sdk/client-cloudwatch";
import { ManualClock } from "../../src/core/clock.ts";
import { MetricReader } from "../../src/services/cloudwatch/data/reader.ts";
import { MetricStore } from "../../src/services/cloudwatch/data/store.ts";
import { createCloudWatchService } from "../../src/services/cloudwatch/service.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { createMetricSink, type AggregatingMetricSink } from "../../src/telemetry/metric-sink.ts";
import type { CallContext, InputOf, OutputOf } from "../../src/wire/operation.ts";
import { testCall } from "./call.ts";

export interface CloudWatchFixture {
  readonly clock: ManualClock;
  readonly sink: AggregatingMetricSink;
  readonly store: MetricStore;
  readonly reader: MetricReader;
  readonly dropped: number[];
  call<Name extends string>(
    operation: Name,
    input: InputOf<typeof client, Name>,
    context?: Partial<CallContext>,
  ): Promise<OutputOf<typeof client, Name>>;
}

/** CloudWatch over real storage, at a time that the test moves. */
export function createCloudWatchFixture(
  { documents, journal }: Pick<Storage, "documents" | "journal">,
  options: { readonly clock?: ManualClock; readonly maxPoints?: number } = {},
): CloudWatchFixture {
  const { clock = new ManualClock(), ...limits } = options;
  const sink = createMetricSink({ clock });
  const dropped: number[] = [];
  const store = new MetricStore({
    documents,
    journal,
    clock,
    sink,
    onError: (error) => {
      throw error;
    },
    onDropped: (values) => dropped.push(values),
    ...limits,
  });
  const reader = new MetricReader(documents, store);
  const service = createCloudWatchService({ documents, clock, store, reader });
  return {
    clock,
    sink,
    store,
    reader,
    dropped,
    async call(operation, input, context) {
      const handler = service.operations[operation];
      if (handler === undefined) throw new Error(`${operation} has no handler`);
      return (await handler(input as never, { ...testCall(), ...context } as never)) as never;
    },
  };
}
