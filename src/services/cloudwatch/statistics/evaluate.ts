import type { Summary } from "#telemetry/summary";
import type { Statistic } from "./statistic.ts";

interface Entry {
  readonly value: number;
  readonly count: number;
}

/**
 * A statistic of some values; undefined where it cannot be told: of no values, or a percentile of statistic sets or of
 * negative values (user guide, "Percentiles").
 */
export function evaluate(summary: Summary, statistic: Statistic): number | undefined {
  const { count, sum, min, max } = summary;
  if (count === 0) return undefined;
  switch (statistic.kind) {
    case "SampleCount":
      return count;
    case "Sum":
      return sum;
    case "Average":
      return sum / count;
    case "Minimum":
      return min;
    case "Maximum":
      return max;
    case "percentile":
      return summary.opaque ? undefined : percentile(summary, statistic.percent);
    default:
      return summary.opaque ? undefined : trimmed(entriesOf(summary), summary, statistic);
  }
}

/** In ascending order; the middle of a bucket may lie outside of what was seen. */
function entriesOf({ count, min, max, distribution }: Summary): readonly Entry[] {
  if (distribution === undefined) return [{ value: min, count }];
  return distribution.sorted().map((entry) => ({ value: clamp(entry.value, min, max), count: entry.count }));
}

/** The value of nearest rank: the smallest that at least `percent` of all values are not above. */
function percentile({ count, min, max, distribution }: Summary, percent: number): number {
  if (percent <= 0 || distribution === undefined) return min;
  if (percent >= 100) return max;
  // Counts may be fractions: what they add up to is not exact. The middle of a bucket may lie outside of what was seen.
  const value = distribution.atRank(((count * percent) / 100) * (1 - 1e-12));
  return clamp(value ?? max, min, max);
}

function trimmed(
  entries: readonly Entry[],
  summary: Summary,
  { lower, upper, of, kind }: Extract<Statistic, { of: unknown }>,
): number | undefined {
  const { count, min, max } = summary;
  const inside =
    of === "percent"
      ? byRank(entries, (count * (lower ?? 0)) / 100, (count * (upper ?? 100)) / 100)
      : entries.filter(({ value }) => value > (lower ?? -Infinity) && value <= (upper ?? Infinity));
  const kept = inside.reduce((total, entry) => total + entry.count, 0);
  const sum = inside.reduce((total, entry) => total + entry.value * entry.count, 0);
  switch (kind) {
    case "TC":
      return kept;
    case "TS":
      return sum;
    case "PR":
      return (kept / count) * 100;
    case "TM":
      return kept === 0 ? undefined : sum / kept;
    default: {
      const [low, high] =
        of === "percent"
          ? [percentile(summary, lower ?? 0), percentile(summary, upper ?? 100)]
          : [lower ?? min, upper ?? max];
      return entries.reduce((total, { value, count }) => total + clamp(value, low, high) * count, 0) / count;
    }
  }
}

/** The values whose ranks lie in (from, to]; of a value that occurs often, as many as do. */
function byRank(entries: readonly Entry[], from: number, to: number): readonly Entry[] {
  const kept: Entry[] = [];
  let seen = 0;
  for (const { value, count } of entries) {
    const inside = Math.min(to, seen + count) - Math.max(from, seen);
    if (inside > 0) kept.push({ value, count: inside });
    seen += count;
  }
  return kept;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
