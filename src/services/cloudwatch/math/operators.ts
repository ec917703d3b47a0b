import type { TimeSeries } from "../query/series.ts";
import { MathError } from "./tokens.ts";
import { manySeries, mapPoints, oneSeries, scalar, type Value, withPoints } from "./values.ts";

type Operation = (a: number, b: number) => number;

const truth = (holds: boolean): number => (holds ? 1 : 0);

const OPERATIONS: Readonly<Record<string, Operation>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => a ** b,
  "==": (a, b) => truth(a === b),
  "!=": (a, b) => truth(a !== b),
  "<": (a, b) => truth(a < b),
  ">": (a, b) => truth(a > b),
  "<=": (a, b) => truth(a <= b),
  ">=": (a, b) => truth(a >= b),
  AND: (a, b) => truth(a !== 0 && b !== 0),
  "&&": (a, b) => truth(a !== 0 && b !== 0),
  OR: (a, b) => truth(a !== 0 || b !== 0),
  "||": (a, b) => truth(a !== 0 || b !== 0),
};

/**
 * An operator between two values: time by time between two series, for each value with a number, for each series of
 * several (user guide, "Using metric math"). Where one of two series has no value, neither has the result.
 */
export function operate(operator: string, left: Value, right: Value): Value {
  const apply = OPERATIONS[operator];
  if (apply === undefined) throw new MathError(`Unknown operator ${operator}`);
  if (left.kind === "string" || right.kind === "string")
    throw new MathError(`A text cannot be used with the operator ${operator}`);
  if (left.kind === "scalar")
    return right.kind === "scalar"
      ? scalar(apply(left.value, right.value))
      : each(right, (series) => mapPoints(series, (value) => apply(left.value, value)));
  if (right.kind === "scalar")
    return each(left, (series) => mapPoints(series, (value) => apply(value, right.value)));
  if (left.kind === "array" && right.kind === "array")
    throw new MathError(`The operator ${operator} cannot be used between two arrays of time series`);
  if (left.kind === "array") {
    const [other] = right.kind === "series" ? [right.series] : right.of;
    return each(left, (series) => pairwise(series, other, apply));
  }
  return each(right, (series) => pairwise(left.series, series, apply));
}

function each(
  value: Extract<Value, { kind: "series" | "array" }>,
  change: (series: TimeSeries) => TimeSeries,
): Value {
  return value.kind === "series" ? oneSeries(change(value.series)) : manySeries(value.of.map(change));
}

function pairwise(left: TimeSeries, right: TimeSeries | undefined, apply: Operation): TimeSeries {
  const points: [number, number][] = [];
  for (const [time, a] of left.points) {
    const b = right?.points.get(time);
    const value = b === undefined ? NaN : apply(a, b);
    if (Number.isFinite(value)) points.push([time, value]);
  }
  const period = Math.max(left.period, right?.period ?? 0);
  return { ...withPoints(left, points), period };
}
