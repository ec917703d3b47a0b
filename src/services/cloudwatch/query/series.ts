/** A time series on its way through a query: what a metric was read as, or an expression came to. */
export interface TimeSeries {
  /** The query's id; of a search's results, that of the query that has the search. */
  readonly id: string;
  readonly label: string;
  /** Milliseconds. */
  readonly period: number;
  /** Values by their period's start (epoch ms), in ascending order. */
  readonly points: ReadonlyMap<number, number>;
  /** What dynamic labels may tell of the metric; undefined of an expression. */
  readonly source?: SeriesSource | undefined;
  /** What the query's GROUP BY made it of. */
  readonly group?: Readonly<Record<string, string>> | undefined;
  readonly messages?: readonly { readonly code: string; readonly value: string }[];
}

export interface SeriesSource {
  readonly account: string;
  readonly region: string;
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: readonly (readonly [string, string])[];
  readonly statistic: string;
}

/** The points of a map in ascending order of time. */
export function inOrder(points: Iterable<readonly [number, number]>): ReadonlyMap<number, number> {
  return new Map([...points].toSorted(([a], [b]) => a - b));
}
