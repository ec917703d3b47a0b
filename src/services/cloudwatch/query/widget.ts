import type * as client from "@aws-sdk/client-cloudwatch";

/** What is wrong with a widget, and where: a JSON path such as `/widgets/0/properties/metrics/1`. */
export interface WidgetProblem {
  readonly path: string;
  readonly message: string;
}

/** One metric of a widget with how it is to be shown. */
export interface WidgetMetric {
  readonly query: client.MetricDataQuery;
  readonly visible: boolean;
  readonly colour: string | undefined;
}

type Json = unknown;
type Members = Readonly<Record<string, Json>>;

export interface WidgetDefaults {
  readonly period: number;
  readonly stat: string;
}

/**
 * Reads a widget's `metrics`: arrays of namespace, name and dimensions, in which `.` stands for what the array before
 * has in its place and `...` for all that comes before the last, or an expression; with options behind (API reference,
 * "Metric Widget Structure and Syntax").
 */
export function readWidgetMetrics(
  metrics: Json,
  defaults: WidgetDefaults,
  at: string,
): { readonly metrics: readonly WidgetMetric[]; readonly problems: readonly WidgetProblem[] } {
  if (!Array.isArray(metrics))
    return { metrics: [], problems: [{ path: at, message: "Should be an array" }] };
  const read: WidgetMetric[] = [];
  const problems: WidgetProblem[] = [];
  let before: readonly string[] = [];
  for (const [index, row] of metrics.entries()) {
    const path = `${at}/${index}`;
    if (!Array.isArray(row) || row.length === 0) {
      problems.push({ path, message: "Should be an array that is not empty" });
      continue;
    }
    const last: Json = row.at(-1);
    const options: Members = isMembers(last) ? last : {};
    const given: Json[] = isMembers(last) ? row.slice(0, -1) : row;
    if (given.some((part) => typeof part !== "string")) {
      problems.push({ path, message: "Should hold texts, and an object of options as the last" });
      continue;
    }
    const parts = expand(given as string[], before);
    if (parts.length > 0) before = parts;
    const id = typeof options["id"] === "string" ? options["id"] : `thawm${index}`;
    const query = queryOf(parts, options, defaults, id);
    if (typeof query === "string") problems.push({ path, message: query });
    else
      read.push({
        query,
        visible: options["visible"] !== false,
        colour: typeof options["color"] === "string" ? options["color"] : undefined,
      });
  }
  return { metrics: read, problems };
}

function expand(given: readonly string[], before: readonly string[]): readonly string[] {
  if (given[0] === "...") return [...before.slice(0, before.length - (given.length - 1)), ...given.slice(1)];
  return given.map((part, index) => (part === "." ? (before[index] ?? part) : part));
}

function queryOf(
  [Namespace, MetricName, ...dimensions]: readonly string[],
  options: Members,
  { period, stat }: WidgetDefaults,
  Id: string,
): client.MetricDataQuery | string {
  const label = typeof options["label"] === "string" ? { Label: options["label"] } : {};
  const Period = typeof options["period"] === "number" ? options["period"] : period;
  if (typeof options["expression"] === "string")
    return { Id, Expression: options["expression"], Period, ...label };
  if (Namespace === undefined || MetricName === undefined) return "Should have a namespace and a metric name";
  if (dimensions.length % 2 !== 0) return "Should have a value for each dimension";
  const Dimensions = dimensions.flatMap((Name, index) =>
    index % 2 === 0 ? [{ Name, Value: dimensions[index + 1] ?? "" }] : [],
  );
  const Stat = typeof options["stat"] === "string" ? options["stat"] : stat;
  return { Id, MetricStat: { Metric: { Namespace, MetricName, Dimensions }, Period, Stat }, ...label };
}

export function isMembers(value: Json): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
