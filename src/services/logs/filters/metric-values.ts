import type { AggregatingMetricSink } from "#telemetry/metric-sink";
import { compileField, compileFilterPattern, type LogFilter } from "#patterns/filter/pattern";
import type { Scope } from "../store.ts";
import type { MetricFilterDocument, MetricTransformationRecord } from "./store.ts";

const MINUTE = 60_000;

interface Compiled {
  readonly transformation: MetricTransformationRecord;
  readonly value: (message: string) => number | undefined;
  readonly dimensions: readonly (readonly [name: string, read: (message: string) => string | undefined])[];
}

/** A metric filter at work: publishes what it finds in events. */
export class MetricExtractor {
  readonly filter: MetricFilterDocument;
  readonly #scope: Scope;
  readonly #metrics: Pick<AggregatingMetricSink, "series">;
  readonly #matches: LogFilter;
  readonly #compiled: readonly Compiled[];

  /** @throws FilterPatternError */
  constructor(scope: Scope, filter: MetricFilterDocument, metrics: Pick<AggregatingMetricSink, "series">) {
    this.filter = filter;
    this.#scope = scope;
    this.#metrics = metrics;
    this.#matches = compileFilterPattern(filter.pattern);
    this.#compiled = filter.transformations.map((transformation) => ({
      transformation,
      value: compileValue(filter.pattern, transformation.value),
      dimensions: Object.entries(transformation.dimensions ?? {}).map(
        ([name, selector]) => [name, compileField(filter.pattern, selector)] as const,
      ),
    }));
  }

  /** Looks at events that came together. */
  take(events: readonly { readonly timestamp: number; readonly message: string }[]): void {
    /** Minutes in which events came, and whether one of them matched. */
    const minutes = new Map<number, boolean>();
    for (const { timestamp, message } of events) {
      const minute = Math.floor(timestamp / MINUTE) * MINUTE;
      const hit = this.#matches(message);
      minutes.set(minute, hit || minutes.get(minute) === true);
      if (!hit) continue;
      for (const { transformation, value, dimensions } of this.#compiled) {
        const number = value(message);
        const values = dimensions.map(([name, read]) => [name, read(message)] as const);
        // A dimension that an event lacks leaves the event out ("Configuring metric values for a metric filter").
        if (number === undefined || values.some(([, text]) => text === undefined || text === "")) continue;
        this.#record(transformation, Object.fromEntries(values) as Record<string, string>, number, timestamp);
      }
    }
    for (const { transformation } of this.#compiled) {
      if (transformation.defaultValue === undefined) continue;
      for (const [minute, hit] of minutes)
        if (!hit) this.#record(transformation, {}, transformation.defaultValue, minute);
    }
  }

  #record(
    { namespace, name, unit }: MetricTransformationRecord,
    dimensions: Record<string, string>,
    value: number,
    time: number,
  ): void {
    const { account, region } = this.#scope;
    this.#metrics
      .series({ account, region, namespace, name, unit: unit ?? "None", dimensions })
      .record(value, time);
  }
}

/** @throws FilterPatternError */
export function compileValue(pattern: string, value: string): (message: string) => number | undefined {
  if (!value.startsWith("$")) {
    const number = Number(value);
    return () => (Number.isFinite(number) ? number : undefined);
  }
  const read = compileField(pattern, value);
  return (message) => {
    const text = read(message);
    const number = text === undefined || text.trim() === "" ? NaN : Number(text);
    return Number.isFinite(number) ? number : undefined;
  };
}
