import type { Family } from "../open-metrics.ts";
import { keyValues } from "./values.ts";
import type { Fields } from "./values.ts";

const CUMULATIVE = 2;

/** A family of `/_thaw/metrics`, as it was at a time. */
export interface FamilyOut {
  readonly family: Family;
  /** Epoch milliseconds: since when totals are counted, and now. */
  readonly since: number;
  readonly time: number;
}

/** The metrics of `/_thaw/metrics`, by the same names. */
export function encodeMetrics(families: readonly FamilyOut[]): Fields {
  const resource = { attributes: keyValues({ "service.name": "thaw" }) };
  const metrics = families.map((family) => metricOf(family));
  return { resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: "thaw" }, metrics }] }] };
}

function metricOf({ family, since, time }: FamilyOut): Fields {
  const { name, type, help, samples } = family;
  const times = { startTimeUnixNano: `${since}000000`, timeUnixNano: `${time}000000` };
  const point = (labels: Readonly<Record<string, string>>) => ({ ...times, attributes: keyValues(labels) });
  const about = { name, ...(help === undefined ? {} : { description: help }) };
  if (type !== "summary") {
    const dataPoints = samples.map(({ labels, value }) => ({ ...point(labels), asDouble: value }));
    return type === "gauge"
      ? { ...about, gauge: { dataPoints } }
      : { ...about, sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true } };
  }
  const series = new Map<string, { labels: Readonly<Record<string, string>>; count: number; sum: number }>();
  for (const { suffix, labels, value } of samples) {
    const key = JSON.stringify(labels);
    const one = series.get(key) ?? { labels, count: 0, sum: 0 };
    series.set(key, one);
    if (suffix === "_count") one.count = value;
    if (suffix === "_sum") one.sum = value;
  }
  const dataPoints = Array.from(series.values(), ({ labels, count, sum }) => ({
    ...point(labels),
    count: String(Math.round(count)),
    sum,
  }));
  return { ...about, summary: { dataPoints } };
}
