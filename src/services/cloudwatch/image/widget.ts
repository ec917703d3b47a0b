import { cloudwatchErrors } from "../errors.ts";
import { isMembers, readWidgetMetrics, type WidgetMetric } from "../query/widget.ts";
import type { Colour } from "./canvas.ts";
import type { Chart } from "./chart.ts";

/** A MetricWidget, checked: what to read, and how to draw it. */
export interface Widget {
  readonly metrics: readonly WidgetMetric[];
  readonly chart: Omit<Chart, "lines">;
}

const MAX_METRICS = 100;
const MAX_BYTES = 100 * 1024;

/** CloudWatch's own order of colours. */
const COLOURS: readonly Colour[] = [
  [31, 119, 180],
  [255, 127, 14],
  [44, 160, 44],
  [214, 39, 40],
  [148, 103, 189],
  [140, 86, 75],
  [227, 119, 194],
  [127, 127, 127],
  [188, 189, 34],
  [23, 190, 207],
];

/** @throws AwsError for what is no widget */
export function readWidget(text: string, now: number): Widget {
  if (Buffer.byteLength(text) > MAX_BYTES) throw invalid("it has more than 100 KB");
  let widget: unknown;
  try {
    widget = JSON.parse(text);
  } catch {
    throw invalid("it is no JSON");
  }
  if (!isMembers(widget)) throw invalid("it is no object");
  const { title, view = "timeSeries", stacked = false, legend, yAxis, annotations } = widget;
  if (view !== "timeSeries") throw invalid("only the view timeSeries is drawn here");
  const start = readTime(widget["start"] ?? "-PT3H", now, "start");
  const end = readTime(widget["end"] ?? "-PT0H", now, "end");
  if (start >= end) throw invalid("start is not before end");
  const defaults = {
    period: readNumber(widget["period"] ?? 300, 1, 86_400 * 365, "period"),
    stat: typeof widget["stat"] === "string" ? widget["stat"] : "Average",
  };
  const { metrics, problems } = readWidgetMetrics(widget["metrics"], defaults, "/metrics");
  const [problem] = problems;
  if (problem !== undefined) throw invalid(`${problem.path}: ${problem.message}`);
  if (metrics.length === 0 || metrics.length > MAX_METRICS)
    throw invalid("it has not between 1 and 100 metrics");
  const left = isMembers(yAxis) && isMembers(yAxis["left"]) ? yAxis["left"] : {};
  return {
    metrics,
    chart: {
      width: Math.round(readNumber(widget["width"] ?? 600, 1, 2000, "width")),
      height: Math.round(readNumber(widget["height"] ?? 400, 1, 2000, "height")),
      title: typeof title === "string" ? title.slice(0, 200) : undefined,
      start,
      end,
      zone: readZone(widget["timezone"]),
      stacked: stacked === true,
      legend: !(isMembers(legend) && legend["position"] === "hidden"),
      min: typeof left["min"] === "number" ? left["min"] : undefined,
      max: typeof left["max"] === "number" ? left["max"] : undefined,
      thresholds: readThresholds(isMembers(annotations) ? annotations["horizontal"] : undefined),
    },
  };
}

/** The colour of the n-th line, where it has none of its own. */
export function colourOf(text: string | undefined, index: number): Colour {
  const digits = /^#([0-9a-f]{6})$/i.exec(text ?? "")?.[1];
  if (digits === undefined) return COLOURS[index % COLOURS.length] ?? [0, 0, 0];
  return [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16)) as unknown as Colour;
}

function readThresholds(horizontal: unknown): Chart["thresholds"] {
  if (!Array.isArray(horizontal)) return [];
  return horizontal.flatMap((annotation: unknown) => {
    if (!isMembers(annotation) || typeof annotation["value"] !== "number") return [];
    const { label, color } = annotation;
    return [
      {
        value: annotation["value"],
        label: typeof label === "string" ? label : "",
        colour: colourOf(typeof color === "string" ? color : "#d62728", 3),
      },
    ];
  });
}

const UNITS_MS: Readonly<Record<string, number>> = {
  S: 1000,
  M: 60_000,
  H: 3_600_000,
  D: 86_400_000,
  W: 7 * 86_400_000,
};

/** An ISO 8601 date, or how long before now: `-PT3H`, `-P7D`. */
function readTime(value: unknown, now: number, name: string): number {
  const text = typeof value === "string" ? value : "";
  const relative = /^-P(?:(\d{1,4})(D|W))?(?:T(\d{1,6})(H|M|S))?$/.exec(text);
  if (relative !== null && text.length > 2) {
    const [, days = "0", dayUnit = "D", times = "0", timeUnit = "H"] = relative;
    return now - Number(days) * (UNITS_MS[dayUnit] ?? 0) - Number(times) * (UNITS_MS[timeUnit] ?? 0);
  }
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw invalid(`${name} is neither a date nor a time before now such as -PT3H`);
  return time;
}

function readNumber(value: unknown, least: number, most: number, name: string): number {
  if (typeof value === "number" && value >= least && value <= most) return value;
  throw invalid(`${name} is not between ${least} and ${most}`);
}

/** `+0130` in minutes. */
function readZone(value: unknown): number {
  if (value === undefined) return 0;
  const [, sign, hours, minutes] = /^([+-])(\d\d)(\d\d)$/.exec(typeof value === "string" ? value : "") ?? [];
  if (sign === undefined) throw invalid("timezone is not of the form +0130");
  return (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
}

function invalid(why: string) {
  return cloudwatchErrors.validation(`The metric widget cannot be drawn: ${why}.`);
}
