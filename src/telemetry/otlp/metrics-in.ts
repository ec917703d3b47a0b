import { createHash } from "node:crypto";
import { type Total, Totals } from "./totals.ts";
import { attributesOf, fieldsOf, listOf, numberOf, textOf } from "./values.ts";
import type { Fields, Plain } from "./values.ts";

/** AggregationTemporality. */
const CUMULATIVE = 2;
/** CloudWatch's. */
const MOST_DIMENSIONS = 30;

/** A value of a metric, in CloudWatch's words. */
export interface DatumIn {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly unit: string;
  readonly value: number | StatisticsIn;
  /** How far it takes its series, where the client tells totals. */
  readonly upTo?: { readonly series: string; readonly total: Total } | undefined;
}

export interface StatisticsIn {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
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
 * Reads metrics. Totals that a client goes on adding to are told as what has come since those that were taken last, of as
 * many series as there is room for: CloudWatch adds up what it is given.
 */
export class MetricsIn {
  readonly #totals = new Totals();

  /** Notes that data which were read are in CloudWatch. */
  taken(data: readonly DatumIn[], owner: string): void {
    for (const { upTo } of data) if (upTo !== undefined) this.#totals.set(owner, upTo.series, upTo.total);
  }

  /** @param owner keeps series of different clients apart @param now epoch milliseconds, for points without a time */
  read(request: Fields, owner: string, now: number): { data: readonly DatumIn[]; rejected: number } {
    const data: DatumIn[] = [];
    let rejected = 0;
    // A request may have several points of one series.
    const read = new Map<string, Total>();
    const before = (series: string): Total | undefined => read.get(series) ?? this.#totals.get(owner, series);
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
          const told = isTime(time) ? figuresOf(point) : undefined;
          if (name === "" || told === undefined) {
            rejected++;
            continue;
          }
          let { value } = told;
          let upTo: DatumIn["upTo"];
          if (cumulative) {
            // Processes of one service each tell totals of their own, told apart by their resource or their start.
            const start = numberOf(point["startTimeUnixNano"]) ?? 0;
            const series = seriesKey([namespace, name, dimensions, about, start]);
            upTo = { series, total: told.total };
            value = sinceThen(told, before(series));
            read.set(series, told.total);
          }
          if (typeof value === "number" || value.count > 0)
            data.push({
              namespace,
              name,
              dimensions,
              time,
              unit: unitOf(textOf(metric["unit"])),
              value,
              upTo,
            });
        }
    }
    return { data, rejected };
  }
}

interface Figures {
  readonly value: number | StatisticsIn;
  /** The same as a total: a single number is one of a count of one. */
  readonly total: Total;
}

/** What a point tells; undefined where it tells no number. */
function figuresOf(point: Fields): Figures | undefined {
  const count = numberOf(point["count"]);
  if (count === undefined) {
    const value = numberOf(point["asDouble"] ?? point["asInt"]);
    return value === undefined ? undefined : { value, total: { count: 1, sum: value } };
  }
  const sum = numberOf(point["sum"]) ?? 0;
  const mean = count === 0 ? 0 : sum / count;
  const min = Math.min(mean, numberOf(point["min"]) ?? mean);
  const max = Math.max(mean, numberOf(point["max"]) ?? mean);
  return { value: { count, sum, min, max }, total: { count, sum } };
}

/** What a total has grown by. One that is new here, or has fallen and so begun anew, counts whole. */
function sinceThen({ value, total }: Figures, before: Total | undefined): Figures["value"] {
  const anew =
    before === undefined ||
    before.count > total.count ||
    (before.count === total.count && total.sum < before.sum);
  const sum = anew ? total.sum : total.sum - before.sum;
  if (typeof value === "number") return sum;
  const count = anew ? total.count : total.count - before.count;
  const mean = count === 0 ? 0 : sum / count;
  // The extremes of a total are of all time: they bound what has come since, and the mean is among it.
  return { count, sum, min: Math.min(mean, value.min), max: Math.max(mean, value.max) };
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
