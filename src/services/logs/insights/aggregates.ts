import type { Expression } from "./ast.ts";
import { compile } from "./compile.ts";
import { QueryError } from "./error.ts";
import { requireCount } from "./functions.ts";
import type { Evaluate, Row } from "./row.ts";
import { compareValues, toNumber, toText, type Value } from "./values.ts";

/** What one group of rows has come to. */
export interface Accumulator {
  add(row: Row): void;
  result(): Value;
}

export type MakeAccumulator = () => Accumulator;
type Call = Extract<Expression, { kind: "call" }>;

/** Values that percentiles are computed from at most, for each group; beyond these, a sample of them. */
const MOST_SAMPLES = 100_000;
/** Values that are told apart at most, for each group. AWS, too, answers an approximation beyond. */
const MOST_DISTINCT = 1_000_000;

/** Makes accumulators of an aggregate function; undefined for calls of others. @throws QueryError */
export function compileAggregate(call: Call): MakeAccumulator | undefined {
  const name = call.name.toLowerCase();
  const make = Object.hasOwn(AGGREGATES, name) ? AGGREGATES[name] : undefined;
  return make?.(call);
}

function overNumbers(make: () => { add(value: number): void; result(): Value }) {
  return (call: Call): MakeAccumulator => {
    requireCount(call, 1, 1);
    const value = argument(call, 0);
    return () => {
      const inner = make();
      return {
        add(row) {
          const number = toNumber(value(row));
          if (number !== undefined) inner.add(number);
        },
        result: () => inner.result(),
      };
    };
  };
}

/** Keeps one value: the first, or each that comes before (or after) the one kept, by what `key` makes of the row. */
function overOrder(takes: (candidate: Value, kept: Value) => boolean, byTime: boolean) {
  return (call: Call): MakeAccumulator => {
    requireCount(call, 1, 1);
    const value = argument(call, 0);
    return () => {
      let kept: { key: Value; value: Value } | undefined;
      return {
        add(row) {
          const given = value(row);
          if (given === undefined || given === null) return;
          const key = byTime ? row.get("@timestamp") : given;
          if (kept === undefined || takes(key, kept.key)) kept = { key, value: given };
        },
        result: () => kept?.value,
      };
    };
  };
}

const AGGREGATES: Readonly<Record<string, (call: Call) => MakeAccumulator>> = {
  count(call) {
    requireCount(call, 0, 1);
    const value = call.args.length === 0 ? undefined : argument(call, 0);
    return () => {
      let count = 0;
      return {
        add(row) {
          if (value === undefined || (value(row) ?? undefined) !== undefined) count++;
        },
        result: () => count,
      };
    };
  },
  count_distinct(call) {
    requireCount(call, 1, 1);
    const value = argument(call, 0);
    return () => {
      const seen = new Set<string>();
      return {
        add(row) {
          const text = toText(value(row));
          if (text !== undefined && seen.size < MOST_DISTINCT) seen.add(text);
        },
        result: () => seen.size,
      };
    };
  },
  sum: overNumbers(() => {
    let sum = 0;
    return { add: (value) => void (sum += value), result: () => sum };
  }),
  avg: overNumbers(() => {
    let [sum, count] = [0, 0];
    return {
      add(value) {
        sum += value;
        count++;
      },
      result: () => (count === 0 ? undefined : sum / count),
    };
  }),
  stddev: overNumbers(() => {
    // Welford's method: no large squares that cancel each other.
    let [count, mean, squares] = [0, 0, 0];
    return {
      add(value) {
        count++;
        const before = value - mean;
        mean += before / count;
        squares += before * (value - mean);
      },
      result: () => (count === 0 ? undefined : Math.sqrt(squares / count)),
    };
  }),
  min: overOrder((candidate, kept) => compareValues(candidate, kept) < 0, false),
  max: overOrder((candidate, kept) => compareValues(candidate, kept) > 0, false),
  sortsfirst: overOrder((candidate, kept) => (toText(candidate) ?? "") < (toText(kept) ?? ""), false),
  sortslast: overOrder((candidate, kept) => (toText(candidate) ?? "") > (toText(kept) ?? ""), false),
  earliest: overOrder((candidate, kept) => compareValues(candidate, kept) < 0, true),
  latest: overOrder((candidate, kept) => compareValues(candidate, kept) >= 0, true),
  pct: compilePercentile,
  percentile: compilePercentile,
};

function compilePercentile(call: Call): MakeAccumulator {
  requireCount(call, 2, 2);
  const value = argument(call, 0);
  const share = call.args[1];
  if (share?.kind !== "literal" || typeof share.value !== "number" || share.value < 0 || share.value > 100)
    throw new QueryError(`${call.name} needs a percentage from 0 to 100`, call.at);
  const percent = share.value;
  return () => {
    const samples = new Samples();
    return {
      add(row) {
        const number = toNumber(value(row));
        if (number !== undefined) samples.add(number);
      },
      result: () => samples.percentile(percent),
    };
  };
}

/** All values while they are few; then every second, every fourth… of them, which keeps their distribution. */
class Samples {
  readonly #values: number[] = [];
  #stride = 1;
  #skipped = 0;

  add(value: number): void {
    if (++this.#skipped < this.#stride) return;
    this.#skipped = 0;
    this.#values.push(value);
    if (this.#values.length < MOST_SAMPLES) return;
    for (let index = 0; index * 2 < MOST_SAMPLES; index++) this.#values[index] = this.#values[index * 2] ?? 0;
    this.#values.length = MOST_SAMPLES / 2;
    this.#stride *= 2;
  }

  /** The value that `percent` of all are not above: interpolated between the two round it. */
  percentile(percent: number): Value {
    if (this.#values.length === 0) return undefined;
    const sorted = Float64Array.from(this.#values).sort();
    const place = ((sorted.length - 1) * percent) / 100;
    const [below, above] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0];
    return below + (above - below) * (place - Math.floor(place));
  }
}

function argument(call: Call, index: number): Evaluate {
  const given = call.args[index];
  if (given === undefined) throw new QueryError(`${call.name} takes an argument`, call.at);
  return compile(given);
}
