import type { MetricSeries, MetricSink } from "#engine/contract";
import type { Scope } from "../names.ts";
import { functionArn } from "../names.ts";
import type { UrlIdRecord } from "./records.ts";

/** The series of more URLs than these are looked up anew: URLs come and go. */
const MAX_URLS = 5000;

interface UrlMeter {
  readonly requests: readonly MetricSeries[];
  readonly clientErrors: readonly MetricSeries[];
  readonly serverErrors: readonly MetricSeries[];
  readonly latency: readonly MetricSeries[];
}

/** Counts a URL's answers (developer guide, "Monitoring Lambda function URLs"): by function, and by what the URL leads to. */
export class UrlMetrics {
  readonly #sink: MetricSink;
  readonly #meters = new Map<string, UrlMeter>();

  constructor(sink: MetricSink) {
    this.#sink = sink;
  }

  /** @param time epoch milliseconds at which the request arrived */
  answered(scope: Scope, url: UrlIdRecord, status: number, durationMs: number, time: number): void {
    const meter = this.#meterOf(scope, url);
    for (const series of meter.requests) series.record(1, time);
    for (const series of meter.latency) series.record(durationMs, time);
    if (status >= 400) {
      const errors = status < 500 ? meter.clientErrors : meter.serverErrors;
      for (const series of errors) series.record(1, time);
    }
  }

  #meterOf(scope: Scope, { name, qualifier }: UrlIdRecord): UrlMeter {
    const key = functionArn(scope, name, qualifier);
    const known = this.#meters.get(key);
    if (known !== undefined) return known;
    if (this.#meters.size >= MAX_URLS) this.#meters.clear();
    const Resource = qualifier === "$LATEST" ? name : `${name}:${qualifier}`;
    const series = (metric: string, unit: "Count" | "Milliseconds" = "Count") =>
      [{ FunctionName: name }, { FunctionName: name, Resource }].map((dimensions) => {
        const { account, region } = scope;
        return this.#sink.series({
          account,
          region,
          namespace: "AWS/Lambda",
          name: metric,
          unit,
          dimensions,
        });
      });
    const meter = {
      requests: series("UrlRequestCount"),
      clientErrors: series("Url4xxCount"),
      serverErrors: series("Url5xxCount"),
      latency: series("UrlRequestLatency", "Milliseconds"),
    };
    this.#meters.set(key, meter);
    return meter;
  }
}
