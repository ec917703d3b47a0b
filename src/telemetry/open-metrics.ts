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

interface Total {
  readonly address: SeriesAddress;
  count: number;
  sum: number;
}

/** What the platform's own metrics have come to since it was started: scrapers take differences by themselves. */
export class MetricTotals {
  readonly #totals = new Map<string, Total>();
  readonly #maxSeries: number;

  /** @param maxSeries beyond these, the series that has been there for longest begins anew with its next value */
  constructor(maxSeries = 20_000) {
    this.#maxSeries = maxSeries;
  }

  add(address: SeriesAddress, { count, sum }: Pick<Summary, "count" | "sum">): void {
    const { account, region, namespace, name, dimensions } = address;
    const pairs = Object.entries(dimensions).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify([account, region, namespace, name, pairs]);
    const total = this.#totals.get(key);
    if (total !== undefined) {
      total.count += count;
      total.sum += sum;
      return;
    }
    const [longest] = this.#totals.keys();
    if (this.#totals.size >= this.#maxSeries && longest !== undefined) this.#totals.delete(longest);
    this.#totals.set(key, { address, count, sum });
  }

  clear(): void {
    this.#totals.clear();
  }

  /** Each CloudWatch metric as a summary: how many values there were and what they add up to. */
  families(): readonly Family[] {
    const families = new Map<string, Sample[]>();
    for (const { address, count, sum } of this.#totals.values()) {
      const { account, region, namespace, name, unit, dimensions } = address;
      const family = [namespace, name, ...(unit === "Count" || unit === "None" ? [] : [unit])]
        .map(snake)
        .join("_");
      const samples = families.get(family) ?? [];
      families.set(family, samples);
      const labels = {
        account,
        region,
        ...Object.fromEntries(Object.entries(dimensions).map(([label, value]) => [snake(label), value])),
      };
      samples.push({ suffix: "_count", labels, value: count }, { suffix: "_sum", labels, value: sum });
    }
    return [...families]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, samples]) => ({ name, type: "summary", samples }));
  }
}

/** `AWS/Lambda` is `aws_lambda`, `UrlRequestCount` is `url_request_count`. */
function snake(text: string): string {
  return text
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .toLowerCase();
}
