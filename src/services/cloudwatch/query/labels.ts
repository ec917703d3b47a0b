import type { StatQuery } from "./read-stat.ts";
import type { TimeSeries } from "./series.ts";

/**
 * The labels that CloudWatch gives metrics of which the request gives none: the metric's name, and what the metrics of a
 * request differ in (recorded for statistics and periods; units are never told).
 */
export function defaultLabels(queries: readonly StatQuery[]): readonly string[] {
  const differ = (part: (query: StatQuery) => string): boolean => new Set(queries.map(part)).size > 1;
  const values = ({ metric }: StatQuery): string => metric.dimensions.map(([, value]) => value).join(" ");
  const parts: ((query: StatQuery) => string)[] = [];
  if (differ(values)) parts.push(values);
  parts.push(({ metric }) => metric.name);
  if (differ(({ stat }) => stat)) parts.push(({ stat }) => stat);
  if (differ(({ period }) => String(period))) parts.push(({ period }) => String(period / 1000));
  return queries.map((query) =>
    parts
      .map((part) => part(query))
      .filter((text) => text !== "")
      .join(" "),
  );
}

/**
 * Fills in a dynamic label (user guide, "Using dynamic labels"): `${MAX}`, `${LAST_TIME}`, `${PROP('Dim.FunctionName')}`.
 * What it does not know stays as it is.
 * @param zone minutes east of UTC
 */
export function fillLabel(label: string, series: TimeSeries, standard: string, zone: number): string {
  return label.replaceAll(/\$\{([A-Z_]+)(?:\('([^']*)'\))?\}/g, (whole, name: string, argument?: string) => {
    if (name === "LABEL") return standard;
    if (name === "PROP") return property(series, argument ?? "") ?? whole;
    return argument === undefined ? (figure(series, name, zone) ?? whole) : whole;
  });
}

function property({ source, period }: TimeSeries, name: string): string | undefined {
  if (name === "Period") return String(period / 1000);
  if (source === undefined) return undefined;
  if (name.startsWith("Dim."))
    return source.dimensions.find(([dimension]) => dimension === name.slice("Dim.".length))?.[1];
  const known: Readonly<Record<string, string>> = {
    AccountId: source.account,
    MetricName: source.name,
    Namespace: source.namespace,
    Region: source.region,
    Stat: source.statistic,
  };
  return known[name];
}

function figure({ points }: TimeSeries, name: string, zone: number): string | undefined {
  if (name === "DATAPOINT_COUNT") return String(points.size);
  const entries = [...points];
  const by = (better: (a: number, b: number) => boolean) =>
    entries.reduce<readonly [number, number] | undefined>(
      (best, entry) => (best === undefined || better(entry[1], best[1]) ? entry : best),
      undefined,
    );
  const sum = entries.reduce((total, [, value]) => total + value, 0);
  const at: Readonly<Record<string, readonly [number, number] | undefined>> = {
    MAX: by((a, b) => a > b),
    MIN: by((a, b) => a < b),
    FIRST: entries[0],
    LAST: entries.at(-1),
  };
  if (name === "SUM") return entries.length === 0 ? "" : format(sum);
  if (name === "AVG") return entries.length === 0 ? "" : format(sum / entries.length);
  const [, which = "", suffix] = /^(MAX|MIN|FIRST|LAST)(_TIME_RELATIVE|_TIME)?$/.exec(name) ?? [];
  if (!(which in at)) return undefined;
  const point = at[which];
  if (point === undefined) return "";
  if (suffix === undefined) return format(point[1]);
  return suffix === "_TIME" ? new Date(point[0] + zone * 60_000).toISOString().slice(0, 19) : undefined;
}

function format(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}
