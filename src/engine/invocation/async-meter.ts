import type { MetricSeries, MetricSink } from "../contract.ts";
import type { AsyncEvent } from "./async-event.ts";

/** What is told of asynchronous events (AWS Lambda Developer Guide, "Types of metrics for Lambda functions"). */
export interface AsyncMeter {
  received(event: AsyncEvent, now: number): void;
  /** @param age milliseconds from acceptance to this try */
  tried(event: AsyncEvent, age: number, now: number): void;
  dropped(event: AsyncEvent, now: number): void;
}

/** Series of so many functions are at hand; finding one anew costs far more than recording. */
const KEPT = 2000;

type Name = "AsyncEventsReceived" | "AsyncEventAge" | "AsyncEventsDropped";

export function createAsyncMeter(sink: MetricSink): AsyncMeter {
  const kept = new Map<string, readonly MetricSeries[]>();

  function record(event: AsyncEvent, name: Name, value: number, now: number): void {
    const { account, region, functionName, qualifier } = event;
    const key = `${name}/${account}/${region}/${functionName}/${qualifier ?? ""}`;
    let series = kept.get(key);
    if (series === undefined) {
      if (kept.size >= KEPT) {
        for (const each of [...kept.values()].flat()) each.close();
        kept.clear();
      }
      const unit = name === "AsyncEventAge" ? "Milliseconds" : "Count";
      const Resource = qualifier === undefined ? functionName : `${functionName}:${qualifier}`;
      series = [{ FunctionName: functionName }, { FunctionName: functionName, Resource }].map((dimensions) =>
        sink.series({ account, region, namespace: "AWS/Lambda", name, unit, dimensions }),
      );
      kept.set(key, series);
    }
    for (const each of series) each.record(value, now);
  }

  return {
    received: (event, now) => record(event, "AsyncEventsReceived", 1, now),
    tried: (event, age, now) => record(event, "AsyncEventAge", Math.max(0, age), now),
    dropped: (event, now) => record(event, "AsyncEventsDropped", 1, now),
  };
}
