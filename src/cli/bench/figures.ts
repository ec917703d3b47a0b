import type { Spread } from "./statistics.ts";

/** A line of the report. */
export interface Figure {
  readonly what: string;
  /** The ratio or figure, with its spread. */
  readonly value: Spread;
  readonly unit: string;
  readonly target: string;
  readonly met: boolean;
}

export function atMost(what: string, value: Spread, unit: string, limit: number): Figure {
  return { what, value, unit, target: `≤ ${limit}`, met: value.median <= limit };
}

export function atLeast(what: string, value: Spread, unit: string, limit: number): Figure {
  return { what, value, unit, target: `≥ ${limit}`, met: value.median >= limit };
}

/** Without a budget. */
export function told(what: string, value: Spread, unit: string): Figure {
  return { what, value, unit, target: "", met: true };
}
