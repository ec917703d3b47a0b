import { createHash } from "node:crypto";
import { attributesOf, fieldsOf, listOf, numberOf, textOf } from "./values.ts";
import type { Fields, Plain } from "./values.ts";

/** AggregationTemporality. */
const CUMULATIVE = 2;
/** CloudWatch's. */
const MOST_DIMENSIONS = 30;
const MOST_SERIES = 10_000;

/** A value of a metric, in CloudWatch's words. */
export interface DatumIn {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly unit: string;
  readonly value: number | StatisticsIn;
}

export interface StatisticsIn {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

interface Total {
  readonly start: number;
  readonly count: number;
  readonly sum: number;
}

/** Units of UCUM, which OpenTelemetry uses, that CloudWatch has, too. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ["s", "Seconds"],
  ["ms", "Milliseconds"],
  ["us", "Microseconds"],
  ["By", "Bytes"],
  ["KiBy", "Kilobytes"],
  ["%", "Percent"],
  ["1", "Count"],
]);

/**
 * Reads metrics. Totals that a client goes on adding to are told as what has come since the last time, of as many series as
 * there is room for: CloudWatch adds up what it is given.
 */
export class MetricsIn {
  readonly #totals = new Map<string, Total>();

  /** @param owner keeps series of different clients apart @param now epoch milliseconds, for points without a time */
  read(request: Fields, owner: string, now: number): { data: readonly DatumIn[]; rejected: number } {
    const data: DatumIn[] = [];
    let rejected = 0;
    for (const { resource, scopeMetrics } of listOf(request["resourceMetrics"])) {
      const about = attributesOf(fieldsOf(resource)["attributes"]);
      const service = textOf(about["service.name"]) || "unknown_service";
      const namespace = (textOf(about["service.namespace"]) || service)
        .replace(/^AWS\//, "_AWS/")
        .slice(0, 255);
      const common = namespace === service ? {} : { "service.name": service };
      for (const metric of listOf(scopeMetrics).flatMap((scope) => listOf(scope["metrics"])))
        for (const { point, cumulative } of pointsOf(metric)) {
          const name = textOf(metric["name"]).slice(0, 255);
          const dimensions = dimensionsOf({ ...common, ...attributesOf(point["attributes"]) });
          const time = Math.floor((numberOf(point["timeUnixNano"]) || now * 1e6) / 1e6);
          const value = isTime(time)
            ? this.#valueOf(seriesKey([owner, namespace, name, dimensions]), point, cumulative)
            : undefined;
          if (name === "" || value === undefined) rejected++;
          else if (value !== "unchanged")
            data.push({
              namespace,
              name,
              dimensions,
              time,
              unit: unitOf(textOf(metric["unit"])),
              value,
            });
        }
    }
    return { data, rejected };
  }

  #valueOf(key: string, point: Fields, cumulative: boolean): number | StatisticsIn | "unchanged" | undefined {
    const count = numberOf(point["count"]);
    if (count === undefined) {
      const value = numberOf(point["asDouble"] ?? point["asInt"]);
      if (value === undefined || !cumulative) return value;
      return this.#since(key, point, { count: 1, sum: value }).sum;
    }
    const sum = numberOf(point["sum"]) ?? 0;
    const since = cumulative ? this.#since(key, point, { count, sum }) : { count, sum };
    if (since.count <= 0) return "unchanged";
    const mean = since.sum / since.count;
    // The extremes of a total are of all time: they bound what has come since, and the mean is among it.
    const min = Math.min(mean, numberOf(point["min"]) ?? mean);
    const max = Math.max(mean, numberOf(point["max"]) ?? mean);
    return { ...since, min, max };
  }

  /** What a total has grown by. One that begins anew, or is new here, counts whole. */
  #since(key: string, point: Fields, { count, sum }: Omit<Total, "start">): Omit<Total, "start"> {
    const start = numberOf(point["startTimeUnixNano"]) ?? 0;
    const before = this.#totals.get(key);
    this.#totals.delete(key);
    this.#totals.set(key, { start, count, sum });
    for (const oldest of this.#totals.keys()) {
      if (this.#totals.size <= MOST_SERIES) break;
      this.#totals.delete(oldest);
    }
    if (before === undefined || before.start !== start || before.count > count) return { count, sum };
    if (before.count === count && sum < before.sum) return { count, sum };
    return { count: count - before.count, sum: sum - before.sum };
  }
}

/** Of one length, whatever a client writes: the keys of all series stay in memory. */
function seriesKey(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64");
}

/** Whether a Date can hold it. */
function isTime(milliseconds: number): boolean {
  return Math.abs(milliseconds) <= 8.64e15;
}

function unitOf(unit: string): string {
  return UNITS.get(unit) ?? (/^\{.*\}$/.test(unit) ? "Count" : "None");
}

function* pointsOf(metric: Fields): Generator<{ readonly point: Fields; readonly cumulative: boolean }> {
  for (const kind of ["gauge", "sum", "histogram", "exponentialHistogram", "summary"]) {
    const data = fieldsOf(metric[kind]);
    const grows = kind === "summary" || numberOf(data["aggregationTemporality"]) === CUMULATIVE;
    // What may fall as well is a state, not a total.
    const cumulative = kind === "gauge" || (kind === "sum" && data["isMonotonic"] !== true) ? false : grows;
    for (const point of listOf(data["dataPoints"])) yield { point, cumulative };
  }
}

function dimensionsOf(attributes: { readonly [key: string]: Plain }): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(attributes)
      .filter(
        ([key, value]) => key !== "" && value !== null && typeof value !== "object" && String(value) !== "",
      )
      .slice(0, MOST_DIMENSIONS)
      .map(([key, value]) => [
        key.slice(0, 255),
        typeof value === "string" ? value.slice(0, 1024) : JSON.stringify(value),
      ]),
  );
}
