import type * as client from "@aws-sdk/client-cloudwatch";
import { ManualClock } from "../../src/core/clock.ts";
import { systemIds } from "../../src/core/ids.ts";
import type { AlarmScheduler } from "../../src/services/cloudwatch/alarms/scheduler.ts";
import { MetricReader } from "../../src/services/cloudwatch/data/reader.ts";
import { MetricStore } from "../../src/services/cloudwatch/data/store.ts";
import { createCloudWatchService } from "../../src/services/cloudwatch/service.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { createMetricSink, type AggregatingMetricSink } from "../../src/telemetry/metric-sink.ts";
import type { AwsCaller, CallContext, CallerIdentity, InputOf, OutputOf } from "../../src/wire/operation.ts";
import { callOf } from "./call.ts";

export interface RecordedCall {
  readonly service: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly by: CallerIdentity;
}

export interface CloudWatchFixture {
  readonly clock: ManualClock;
  readonly sink: AggregatingMetricSink;
  readonly store: MetricStore;
  readonly reader: MetricReader;
  readonly scheduler: AlarmScheduler;
  readonly dropped: number[];
  /** What was called of other services. */
  readonly calls: readonly RecordedCall[];
  call<Name extends string>(
    operation: Name,
    input: InputOf<typeof client, Name>,
    context?: Partial<CallContext>,
  ): Promise<OutputOf<typeof client, Name>>;
}

/** A value as PutMetricData takes it. @param time epoch milliseconds */
export function datum(
  MetricName: string,
  Value: number,
  time: number,
  dimensions: Readonly<Record<string, string>> = {},
): client.MetricDatum {
  return {
    MetricName,
    Value,
    Timestamp: new Date(time),
    Dimensions: Object.entries(dimensions).map(([Name, Text]) => ({ Name, Value: Text })),
  };
}

/** What GetMetricData answers of so many minutes from `start` on, the oldest first. */
export async function metricData(
  cloudwatch: CloudWatchFixture,
  start: number,
  minutes: number,
  MetricDataQueries: client.MetricDataQuery[],
): Promise<client.MetricDataResult[]> {
  const { MetricDataResults = [] } = await cloudwatch.call("GetMetricData", {
    MetricDataQueries,
    StartTime: new Date(start),
    EndTime: new Date(start + minutes * 60_000),
    ScanBy: "TimestampAscending",
  });
  return MetricDataResults;
}

/** CloudWatch over real storage, at a time that the test moves. */
export function createCloudWatchFixture(
  { documents, journal }: Pick<Storage, "documents" | "journal">,
  options: { readonly clock?: ManualClock; readonly maxPoints?: number; readonly refuse?: Error } = {},
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
  const calls: RecordedCall[] = [];
  const caller: AwsCaller = {
    call: async (service, operation, input, by) => {
      calls.push({ service, operation, input: input as Record<string, unknown>, by });
      if (options.refuse !== undefined) throw options.refuse;
      return {};
    },
  };
  const service = createCloudWatchService({
    documents,
    journal,
    clock,
    ids: systemIds,
    caller,
    store,
    reader,
    onError: (error) => {
      throw error;
    },
  });
  return {
    clock,
    calls,
    scheduler: service.scheduler,
    sink,
    store,
    reader,
    dropped,
    async call(operation, input, context) {
      const handler = service.operations[operation];
      if (handler === undefined) throw new Error(`${operation} has no handler`);
      return (await handler(input as never, callOf(context))) as never;
    },
  };
}
