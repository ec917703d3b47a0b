import type { MetricDataQuery, MetricDataResult } from "@aws-sdk/client-cloudwatch";
import { OperatorError } from "#core/errors";
import { cloudwatchClient } from "../aws.ts";
import { type CliHost, type Command, exit } from "../command.ts";
import { clientFlags, clientOptions, text } from "../options.ts";
import { since } from "../since.ts";
import { requireFunction } from "./requests/limits.ts";
import { sparkline } from "../sparkline.ts";

/** One line of the output. */
interface Row {
  readonly label: string;
  readonly metric: string;
  readonly stat: string;
  /** What the whole time comes to: the sum of all values, or the largest. */
  readonly total: "sum" | "max";
  readonly unit: string;
  /** Left out where it has no values. */
  readonly optional?: boolean;
}

const ROWS: readonly Row[] = [
  { label: "Invocations", metric: "Invocations", stat: "Sum", total: "sum", unit: "" },
  { label: "Errors", metric: "Errors", stat: "Sum", total: "sum", unit: "" },
  { label: "Throttles", metric: "Throttles", stat: "Sum", total: "sum", unit: "" },
  { label: "Duration p50", metric: "Duration", stat: "p50", total: "max", unit: " ms" },
  { label: "Duration p99", metric: "Duration", stat: "p99", total: "max", unit: " ms" },
  { label: "Duration max", metric: "Duration", stat: "Maximum", total: "max", unit: " ms" },
  { label: "Concurrency", metric: "ConcurrentExecutions", stat: "Maximum", total: "max", unit: "" },
  {
    label: "Async age",
    metric: "AsyncEventAge",
    stat: "Maximum",
    total: "max",
    unit: " ms",
    optional: true,
  },
  {
    label: "Async dropped",
    metric: "AsyncEventsDropped",
    stat: "Sum",
    total: "sum",
    unit: "",
    optional: true,
  },
  {
    label: "Iterator age",
    metric: "IteratorAge",
    stat: "Maximum",
    total: "max",
    unit: " ms",
    optional: true,
  },
  { label: "URL requests", metric: "UrlRequestCount", stat: "Sum", total: "sum", unit: "", optional: true },
];

/** Characters that a line of values may take. */
const WIDTH = 60;

const PERIODS = [60, 300, 900, 3600, 6 * 3600, 86_400];

export const metrics: Command = {
  name: "metrics",
  summary: "Show a function's metrics as lines of bars",
  arguments: [{ name: "<function>", description: "function name" }],
  options: [
    ...clientOptions,
    { flags: "--since <time>", description: "as 30m, 2h, 3d or an ISO time (default 1h)" },
    { flags: "--json", description: "one JSON object" },
  ],
  examples: [
    ["the last hour", "thaw metrics process-order"],
    ["the last week, for other programs", "thaw metrics process-order --since 7d --json"],
  ],
  async run(input, host) {
    const [name = ""] = input.arguments;
    const config = host.loadClientConfig(clientFlags(input));
    const end = Date.now();
    const start = since(text(input, "since") ?? "1h", end);
    if (start >= end) throw new OperatorError("--since: must be a time before now", exit.usage);
    const period = PERIODS.find((seconds) => (end - start) / seconds / 1000 <= WIDTH) ?? 86_400;
    const client = await cloudwatchClient(config);
    const results = await read(client, name, { start: floor(start, period), end, period });
    if (results.every((points) => points.size === 0)) await requireFunction(name, config);
    if (input.options["json"]) host.out.line(JSON.stringify(asJson(name, { start, end, period }, results)));
    else print(name, { start: floor(start, period), end, period }, results, host);
    return exit.ok;
  },
};

interface Span {
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  /** Seconds. */
  readonly period: number;
}

type Points = ReadonlyMap<number, number>;

async function read(
  client: Awaited<ReturnType<typeof cloudwatchClient>>,
  name: string,
  { start, end, period }: Span,
): Promise<readonly Points[]> {
  const { paginateGetMetricData } = await import("@aws-sdk/client-cloudwatch");
  const MetricDataQueries = ROWS.map(({ metric, stat }, index): MetricDataQuery => {
    const Dimensions = [{ Name: "FunctionName", Value: name }];
    const Metric = { Namespace: "AWS/Lambda", MetricName: metric, Dimensions };
    return { Id: `m${index}`, MetricStat: { Metric, Period: period, Stat: stat } };
  });
  const found: MetricDataResult[] = [];
  const request = { MetricDataQueries, StartTime: new Date(start), EndTime: new Date(end) };
  for await (const page of paginateGetMetricData({ client }, request))
    found.push(...(page.MetricDataResults ?? []));
  return ROWS.map(
    (_row, index) =>
      new Map(
        found
          .filter(({ Id }) => Id === `m${index}`)
          .flatMap(({ Timestamps = [], Values = [] }) =>
            Timestamps.map((time, at): [number, number] => [time.getTime(), Values[at] ?? 0]),
          ),
      ),
  );
}

function print(name: string, span: Span, results: readonly Points[], { out }: CliHost): void {
  const { start, end, period } = span;
  if (results.every((points) => points.size === 0)) {
    out.line(`${name} has no metrics since ${new Date(start).toISOString()}.`);
    return;
  }
  out.line(
    `${out.bold(name)}  ${out.dim(`${new Date(start).toISOString().slice(0, 16)}Z to now, ${periodText(period)} a bar`)}`,
  );
  const count = Math.ceil((end - start) / (period * 1000));
  const times = Array.from({ length: count }, (_, index) => start + index * period * 1000);
  const invocations = totalOf(results[0] ?? new Map(), "sum");
  for (const [index, row] of ROWS.entries()) {
    const points = results[index] ?? new Map<number, number>();
    if (points.size === 0 && row.optional === true) continue;
    const total = totalOf(points, row.total);
    const share =
      row.metric === "Errors" && invocations > 0 ? ` (${shown((100 * total) / invocations)} %)` : "";
    const value = points.size === 0 && row.total === "max" ? "-" : `${shown(total)}${row.unit}${share}`;
    const bars = sparkline(times.map((time) => points.get(time)));
    const failing = total > 0 && (row.metric === "Errors" || row.metric === "Throttles");
    out.line(`${row.label.padEnd(14)} ${failing ? out.red(bars) : bars}  ${value}`);
  }
}

function asJson(name: string, { start, end, period }: Span, results: readonly Points[]): object {
  return {
    function: name,
    start: new Date(start).toISOString(),
    end: new Date(end).toISOString(),
    period,
    metrics: ROWS.flatMap(({ metric, stat, total }, index) => {
      const points = results[index] ?? new Map<number, number>();
      if (points.size === 0) return [];
      const values = [...points]
        .toSorted(([a], [b]) => a - b)
        .map(([time, value]) => ({ time: new Date(time).toISOString(), value }));
      return [{ metric, stat, [total]: totalOf(points, total), values }];
    }),
  };
}

function totalOf(points: Points, total: Row["total"]): number {
  let result = 0;
  for (const value of points.values()) result = total === "sum" ? result + value : Math.max(result, value);
  return result;
}

function shown(value: number): string {
  return Number(value.toPrecision(value >= 1000 ? 15 : 3)).toLocaleString("en-US", {
    maximumFractionDigits: 2,
  });
}

function periodText(seconds: number): string {
  if (seconds < 3600) return `${seconds / 60} min`;
  return seconds < 86_400 ? `${seconds / 3600} h` : "1 day";
}

function floor(time: number, period: number): number {
  return Math.floor(time / (period * 1000)) * period * 1000;
}
