import type { TimeSeries } from "../query/series.ts";
import type { SearchCall } from "./searches.ts";
import type { Value } from "./values.ts";

/** What an expression is evaluated in. */
export interface MathContext {
  /** Milliseconds: of the expression's own, for what has no other. */
  readonly period: number;
  /** The value of another query of the request. @throws MathError where there is none of this id */
  value(id: string): Value;
  /** The request's metrics, without its expressions. */
  metrics(): readonly TimeSeries[];
  /** The start of every period of the request's range: in a series' own periods, or in the expression's. */
  times(of?: TimeSeries): readonly number[];
  /** The metrics that a search finds, with their values. */
  search(call: SearchCall): readonly TimeSeries[];
}
