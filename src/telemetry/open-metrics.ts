import { formatArn } from "#core/arn";
import type { SeriesAddress } from "./metric-sink.ts";
import type { Summary } from "./summary.ts";

/** One metric of an exposition with all of its values. */
export interface Family {
  /** In snake case, with its unit behind. */
  readonly name: string;
  readonly type: "counter" | "gauge" | "summary";
  readonly help?: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** What follows the family's name, such as `_total` or `_sum`. */
  readonly suffix: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The exposition format of OpenMetrics 1.0, which Prometheus and its kin read. */
export function writeOpenMetrics(families: readonly Family[]): string {
  const lines: string[] = [];
  for (const { name, type, help, samples } of families) {
    lines.push(`# TYPE ${name} ${type}`);
    if (help !== undefined) lines.push(`# HELP ${name} ${escape(help)}`);
    for (const { suffix, labels, value } of samples) {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`);
      lines.push(`${name}${suffix}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}`);
    }
  }
  return `${[...lines, "# EOF"].join("\n")}\n`;
}

function escape(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll('"', String.raw`\"`);
}

/** What the name of a function's log group has before the function's. */
const LOG_GROUP = /^\/aws\/lambda\//;

interface Total {
  count: number;
  sum: number;
}

/** Series that differ in their dimensions' values alone. */
interface Kindred {
  readonly of: Omit<SeriesAddress, "dimensions">;
  /** The names of their dimensions, sorted. */
  readonly names: readonly string[];
  /** By the dimensions' values: the one, or an array as JSON. */
  readonly totals: Map<string, Total>;
}

/** What the platform's own metrics have come to since it was started: scrapers take differences by themselves. */
export class MetricTotals {
  readonly #kindred = new Map<string, Kindred>();
  readonly #maxSeries: number;
  #size = 0;

  /** @param maxSeries beyond these, a series that has been there for long begins anew with its next value */
  constructor(maxSeries = 20_000) {
    this.#maxSeries = maxSeries;
  }

  add(address: SeriesAddress, { count, sum }: Pick<Summary, "count" | "sum">): void {
    const { account, region, namespace, name, unit, dimensions } = address;
    const names = Object.keys(dimensions).toSorted();
    const key = [account, region, namespace, name, unit, ...names].join("\n");
    let kindred = this.#kindred.get(key);
    if (kindred === undefined) {
      kindred = { of: { account, region, namespace, name, unit }, names, totals: new Map() };
      this.#kindred.set(key, kindred);
    }
    const values = names.map((each) => dimensions[each] ?? "");
    const text = values.length === 1 ? String(values[0]) : JSON.stringify(values);
    const total = kindred.totals.get(text);
    if (total !== undefined) {
      total.count += count;
      total.sum += sum;
      return;
    }
    kindred.totals.set(text, { count, sum });
    if (++this.#size > this.#maxSeries) this.#makeRoom();
  }

  /** Forgets all series of functions that are gone, and of the log groups that Lambda made for them. @param arns unqualified */
  forget(arns: ReadonlySet<string>): void {
    for (const [key, kindred] of this.#kindred) {
      const { of, names, totals } = kindred;
      const at = names.findIndex((each) => each === "FunctionName" || each === "LogGroupName");
      if (at === -1) continue;
      for (const text of totals.keys()) {
        const name = valuesIn(kindred, text)[at]?.replace(LOG_GROUP, "") ?? "";
        if (arns.has(formatArn("lambda", of.region, of.account, `function:${name}`))) this.#drop(key, text);
      }
    }
  }

  clear(): void {
    this.#kindred.clear();
    this.#size = 0;
  }

  /** Each CloudWatch metric as a summary: how many values there were and what they add up to. */
  families(): readonly Family[] {
    const families = new Map<string, Sample[]>();
    for (const kindred of this.#kindred.values()) {
      const { account, region, namespace, name, unit } = kindred.of;
      const family = [namespace, name, ...(unit === "Count" || unit === "None" ? [] : [unit])]
        .map(snake)
        .join("_");
      const samples = families.get(family) ?? [];
      families.set(family, samples);
      const names = kindred.names.map(snake);
      for (const [text, { count, sum }] of kindred.totals) {
        const values = valuesIn(kindred, text);
        const own = Object.fromEntries(names.map((label, index) => [label, values[index] ?? ""]));
        const labels = { account, region, ...own };
        samples.push({ suffix: "_count", labels, value: count }, { suffix: "_sum", labels, value: sum });
      }
    }
    return [...families]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, samples]) => ({ name, type: "summary", samples }));
  }

  /** The oldest series go, one of each kind in turn. */
  #makeRoom(): void {
    const [first] = this.#kindred;
    if (first === undefined) return;
    const [key, kindred] = first;
    const [oldest] = kindred.totals.keys();
    this.#kindred.delete(key);
    this.#kindred.set(key, kindred);
    if (oldest !== undefined) this.#drop(key, oldest);
  }

  #drop(key: string, text: string): void {
    const totals = this.#kindred.get(key)?.totals;
    if (totals?.delete(text) === true) this.#size--;
    if (totals?.size === 0) this.#kindred.delete(key);
  }
}

function valuesIn({ names }: Kindred, text: string): readonly string[] {
  return names.length === 1 ? [text] : (JSON.parse(text) as readonly string[]);
}

/** `AWS/Lambda` is `aws_lambda`, `UrlRequestCount` is `url_request_count`. */
function snake(text: string): string {
  return text
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase();
}
