import { DAY, floor, HOUR, MINUTE } from "../data/layers.ts";

/**
 * Where the first period of a query begins: its start is rounded down to what is kept of that age, or to whole periods
 * where these are shorter than a minute (GetMetricData API reference, "StartTime").
 * @param period in milliseconds
 */
export function alignedStart(start: number, period: number, now: number): number {
  const age = now - start;
  if (age > 63 * DAY) return floor(start, HOUR);
  if (age > 15 * DAY) return floor(start, 5 * MINUTE);
  return floor(start, Math.min(period, MINUTE));
}

/** 1, 5, 10, 20, 30 or any multiple of 60 seconds. */
export function isPeriod(seconds: number): boolean {
  return [1, 5, 10, 20, 30].includes(seconds) || (seconds > 0 && seconds % 60 === 0);
}
