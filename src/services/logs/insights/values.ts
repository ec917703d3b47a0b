/** A JSON value that a field or a function may have. */
export type Value = string | number | boolean | Date | null | undefined | readonly Value[] | ValueMap;

export interface ValueMap {
  readonly [name: string]: Value;
}

/** What lies within a map or a list, by the names and numbers that lead to it. */
export function valueWithin(value: Value, path: readonly string[]): Value {
  let found = value;
  for (const name of path) {
    if (typeof found !== "object" || found === null || found instanceof Date) return undefined;
    // A list has a length of its own, which is no item of it.
    if (!Object.prototype.propertyIsEnumerable.call(found, name)) return undefined;
    found = (found as ValueMap)[name];
  }
  return found;
}

/** What text, where it is wholly a number, stands for; undefined for everything that is no number. */
export function toNumber(value: Value): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "string") {
    // Number() takes "", " " and "0x1f" for numbers, too.
    if (!/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/u.test(value)) return undefined;
    return Number(value);
  }
  if (value instanceof Date) return value.getTime();
  if (typeof value === "boolean") return value ? 1 : 0;
  return undefined;
}

/** As results show a value; undefined where there is none. */
export function toText(value: Value): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  if (typeof value === "number") return formatNumber(value);
  if (value instanceof Date) return formatTime(value.getTime());
  if (typeof value === "boolean") return value ? "1" : "0";
  return JSON.stringify(value);
}

/** At most four digits behind the point, as results of aggregations show them. */
function formatNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toFixed(4)));
}

/** `2026-02-17 10:11:12.345`, in UTC. */
export function formatTime(time: number): string {
  if (!(Math.abs(time) <= 8.64e15)) return String(time);
  return new Date(time).toISOString().replace("T", " ").replace("Z", "");
}

export function isTruthy(value: Value): boolean {
  if (typeof value === "string") return value !== "" && value !== "0" && value.toLowerCase() !== "false";
  return value !== undefined && value !== null && value !== false && value !== 0;
}

/** Order of two values: numbers by size, where both are some, else texts by code units; what is missing comes first. */
export function compareValues(a: Value, b: Value): number {
  const [left, right] = [toNumber(a), toNumber(b)];
  if (left !== undefined && right !== undefined) return left - right;
  const [first, second] = [toText(a), toText(b)];
  if (first === undefined || second === undefined)
    return Number(first !== undefined) - Number(second !== undefined);
  return first < second ? -1 : Number(first > second);
}

/** Milliseconds of a unit of time; months, quarters and years are not of one length and have none. */
const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  msec: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const MONTHS: Readonly<Record<string, number>> = { mo: 1, mon: 1, q: 3, qtr: 3, y: 12, yr: 12 };

/** A length of time as queries write it, `5m` or `1mo`. */
export type Period =
  | { readonly kind: "fixed"; readonly ms: number }
  | { readonly kind: "months"; readonly months: number };

export function parsePeriod(text: string): Period | undefined {
  const [, digits = "", unit = ""] = /^(\d+)([a-z]+)$/u.exec(text) ?? [];
  const count = Number(digits);
  if (count < 1) return undefined;
  const [ms, months] = [UNITS[unit], MONTHS[unit]];
  if (ms !== undefined) return { kind: "fixed", ms: ms * count };
  return months === undefined ? undefined : { kind: "months", months: months * count };
}

/** The start of the period that a time (epoch ms) lies in, in UTC. */
export function floorTime(time: number, period: Period): number {
  if (period.kind === "fixed") return Math.floor(time / period.ms) * period.ms;
  const date = new Date(time);
  const month = date.getUTCFullYear() * 12 + date.getUTCMonth();
  return Date.UTC(0, Math.floor(month / period.months) * period.months - 1900 * 12);
}

export function ceilTime(time: number, period: Period): number {
  const floor = floorTime(time, period);
  if (floor === time) return time;
  if (period.kind === "fixed") return floor + period.ms;
  const date = new Date(floor);
  date.setUTCMonth(date.getUTCMonth() + period.months);
  return date.getTime();
}
