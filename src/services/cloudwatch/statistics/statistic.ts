/** One end of a range that a trimmed statistic looks at; undefined where it is open. */
export type Bound = number | undefined;

/** A statistic as CloudWatch's users name it (user guide, "CloudWatch statistics definitions"), parsed. */
export type Statistic =
  | { readonly kind: "SampleCount" | "Average" | "Sum" | "Minimum" | "Maximum" }
  | { readonly kind: "percentile"; readonly percent: number }
  | {
      /** Trimmed mean, trimmed count, trimmed sum, winsorized mean, percentile rank. */
      readonly kind: "TM" | "TC" | "TS" | "WM" | "PR";
      /** Whether the bounds are ranks in per cent or values. */
      readonly of: "percent" | "value";
      /** Exclusive. */
      readonly lower: Bound;
      /** Inclusive. */
      readonly upper: Bound;
    };

const SIMPLE = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"] as const;

/** Parses a statistic; undefined where CloudWatch knows none of this name. */
export function parseStatistic(text: string): Statistic | undefined {
  const simple = SIMPLE.find((name) => name === text);
  if (simple !== undefined) return { kind: simple };
  if (text === "IQM") return { kind: "TM", of: "percent", lower: 25, upper: 75 };
  const short = /^(p|tm|tc|ts|wm)(\d{1,3}(?:\.\d{1,10})?)$/.exec(text);
  if (short !== null) return shortForm(short[1] ?? "", Number(short[2]));
  const long = /^(TM|TC|TS|WM|PR)\(([^:()]*):([^:()]*)\)$/.exec(text);
  if (long === null) return undefined;
  return longForm(long[1] as "TM" | "TC" | "TS" | "WM" | "PR", long[2] ?? "", long[3] ?? "");
}

/** Whether it can be told from count, sum and extremes alone. */
export function isSimple(statistic: Statistic): boolean {
  return SIMPLE.some((name) => name === statistic.kind);
}

function shortForm(name: string, percent: number): Statistic | undefined {
  if (percent > 100) return undefined;
  if (name === "p") return { kind: "percentile", percent };
  return {
    kind: name.toUpperCase() as "TM" | "TC" | "TS" | "WM",
    of: "percent",
    lower: undefined,
    upper: percent,
  };
}

/** `TM(10%:90%)`, `TC(0.5:)`, `PR(:300)`: both ends of one sort, one of them may be missing. */
function longForm(kind: "TM" | "TC" | "TS" | "WM" | "PR", low: string, high: string): Statistic | undefined {
  const ends = [low, high].map((end) => /^(\d+(?:\.\d+)?)?(%)?$/.exec(end.trim()));
  const [lower, upper] = ends;
  if (lower === null || upper === null || lower === undefined || upper === undefined) return undefined;
  const given = [lower, upper].filter((end) => end[0] !== "");
  if (given.length === 0 || given.some((end) => end[1] === undefined)) return undefined;
  const percent = given.every((end) => end[2] === "%");
  if (!percent && given.some((end) => end[2] === "%")) return undefined;
  if (percent && kind === "PR") return undefined;
  const [from, to] = [lower, upper].map((end) => (end[1] === undefined ? undefined : Number(end[1])));
  if (from !== undefined && to !== undefined && from >= to) return undefined;
  if (percent && [from, to].some((end) => end !== undefined && end > 100)) return undefined;
  return { kind, of: percent ? "percent" : "value", lower: from, upper: to };
}
