import { setImmediate as nextTurn } from "node:timers/promises";
import { AwsError } from "#core/errors";
import type { CloudWatchDeps } from "../deps.ts";
import type { Scope } from "../data/metric.ts";
import { cloudwatchErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { checkCall, evaluateExpression } from "../math/evaluate.ts";
import { type Expression, idsOf, parseExpression } from "../math/parse.ts";
import type { MathContext } from "../math/context.ts";
import { type SearchCall, searchesOf, searchOf } from "../math/searches.ts";
import { isSelect, parseSelect, type Select } from "../math/select.ts";
import { MathError } from "../math/tokens.ts";
import { manySeries, oneSeries, type Value } from "../math/values.ts";
import { alignedStart } from "../statistics/align.ts";
import { findMetrics } from "./find.ts";
import { defaultLabels, fillLabel } from "./labels.ts";
import { readSeries, type TimeRange } from "./read-stat.ts";
import { type DataQuery, isStat } from "./request.ts";
import { runSelect } from "./select.ts";
import type { TimeSeries } from "./series.ts";

interface Parsed extends DataQuery {
  readonly expression: Expression | undefined;
  /** A query of Metrics Insights, which stands in the place of an expression. */
  readonly select: Select | undefined;
}

/** Of what names no period itself. */
const DEFAULT_PERIOD_MS = 300_000;

/**
 * Runs queries and gives back those that return data, in their order; of an expression that comes to several series,
 * each. @param zone of labels' times, minutes east of UTC
 * @throws AwsError for expressions that cannot be evaluated
 */
export async function runQueries(
  deps: CloudWatchDeps,
  scope: Scope,
  queries: readonly DataQuery[],
  range: TimeRange,
  zone: number,
): Promise<readonly TimeSeries[]> {
  const parsed = parseQueries(queries);
  const stats = await readStats(deps, scope, parsed, range);
  const searches = new Map<string, readonly TimeSeries[]>();
  for (const { id, of, expression } of parsed)
    if (expression !== undefined && !isStat(of))
      for (const call of searchesOf(expression)) {
        const period = call.period ?? periodOf(of.period, expression, stats);
        const found = await readSearch(deps, scope, { ...call, period }, range, id);
        searches.set(keyOf(id, call), found);
      }
  const selections = new Map<string, readonly TimeSeries[]>();
  for (const { id, of, select } of parsed)
    if (select !== undefined && !isStat(of))
      selections.set(id, await runSelect(deps, scope, select, range, of.period ?? DEFAULT_PERIOD_MS, id));
  const run = new Run(deps, parsed, { stats, searches, selections }, range);
  const results: TimeSeries[] = [];
  for (const query of parsed) {
    if (!query.returned) continue;
    for (const series of named(() => run.result(query), query.id))
      results.push(
        query.label === undefined
          ? series
          : { ...series, label: fillLabel(query.label, series, series.label, zone) },
      );
    await nextTurn();
  }
  return results;
}

/** @throws AwsError for an expression that cannot be parsed, or that refers to what there is not */
export function checkExpressions(queries: readonly DataQuery[]): void {
  parseQueries(queries);
}

function parseQueries(queries: readonly DataQuery[]): readonly Parsed[] {
  const ids = new Set(queries.map(({ id }) => id));
  return queries.map((query) => {
    const { id, of } = query;
    if (isStat(of)) return { ...query, expression: undefined, select: undefined };
    return named(() => {
      if (isSelect(of.expression))
        return { ...query, expression: undefined, select: parseSelect(of.expression) };
      const expression = parseExpression(of.expression);
      checkCalls(expression);
      for (const other of idsOf(expression))
        if (/^[a-z]/.test(other) && !ids.has(other)) throw new MathError(`Undefined id: ${other}`);
      return { ...query, expression, select: undefined };
    }, id);
  });
}

async function readSearch(
  deps: CloudWatchDeps,
  scope: Scope,
  { query, statistic, period }: SearchCall & { readonly period: number },
  range: TimeRange,
  id: string,
): Promise<readonly TimeSeries[]> {
  const found = await findMetrics(deps, scope, query, statistic, period);
  const labels = defaultLabels(found);
  const results: TimeSeries[] = [];
  for (const [index, stat] of found.entries()) {
    const series = await readSeries(deps.reader, scope, stat, range, deps.clock.now());
    results.push({ id, label: labels[index] ?? id, ...series });
    await nextTurn();
  }
  return results;
}

/** The expression's own, else the longest of the metrics that it is about, else of all in the request, else five minutes. */
function periodOf(
  own: number | undefined,
  expression: Expression,
  stats: ReadonlyMap<string, TimeSeries>,
): number {
  if (own !== undefined) return own;
  const about = [...idsOf(expression)].flatMap((id) => stats.get(id)?.period ?? []);
  const all = Array.from(stats.values(), ({ period }) => period);
  const [first, ...rest] = about.length > 0 ? about : all;
  return first === undefined ? DEFAULT_PERIOD_MS : Math.max(first, ...rest);
}

function keyOf(id: string, call: SearchCall): string {
  return JSON.stringify([id, call]);
}

function checkCalls(expression: Expression): void {
  if (expression.kind === "call") {
    checkCall(expression);
    searchOf(expression);
    expression.arguments.forEach(checkCalls);
  } else if (expression.kind === "binary") [expression.left, expression.right].forEach(checkCalls);
  else if (expression.kind === "negate") checkCalls(expression.of);
  else if (expression.kind === "array") expression.of.forEach(checkCalls);
}

/** Errors in expressions as AWS words them. */
function named<T>(work: () => T, id: string): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof AwsError || !(error instanceof MathError)) throw error;
    throw cloudwatchErrors.validation(`Error in expression '${id}': ${error.message}`);
  }
}

async function readStats(
  { reader, clock }: CloudWatchDeps,
  scope: Scope,
  queries: readonly Parsed[],
  range: TimeRange,
): Promise<ReadonlyMap<string, TimeSeries>> {
  const stats = queries.flatMap(({ id, of }) => (isStat(of) ? [{ id, of }] : []));
  const labels = defaultLabels(stats.map(({ of }) => of));
  const read = new Map<string, TimeSeries>();
  for (const [index, { id, of }] of stats.entries()) {
    read.set(id, {
      id,
      label: labels[index] ?? id,
      ...(await readSeries(reader, scope, of, range, clock.now())),
    });
    // One series may take a few milliseconds: others get a turn between two.
    await nextTurn();
  }
  return read;
}

/** Without groups, a query comes to one series: math may use it as one. */
function selectionOf(series: readonly TimeSeries[], select: Select | undefined): Value {
  const [first] = series;
  return first !== undefined && select?.groupBy.length === 0 ? oneSeries(first) : manySeries(series);
}

/** The evaluation of one request's expressions: each once, whoever refers to it. */
class Run {
  readonly #deps: CloudWatchDeps;
  readonly #queries: ReadonlyMap<string, Parsed>;
  readonly #stats: ReadonlyMap<string, TimeSeries>;
  readonly #searches: ReadonlyMap<string, readonly TimeSeries[]>;
  readonly #selections: ReadonlyMap<string, readonly TimeSeries[]>;
  readonly #range: TimeRange;
  readonly #values = new Map<string, Value>();
  readonly #open = new Set<string>();

  constructor(
    deps: CloudWatchDeps,
    queries: readonly Parsed[],
    read: {
      readonly stats: ReadonlyMap<string, TimeSeries>;
      readonly searches: ReadonlyMap<string, readonly TimeSeries[]>;
      readonly selections: ReadonlyMap<string, readonly TimeSeries[]>;
    },
    range: TimeRange,
  ) {
    this.#deps = deps;
    this.#queries = new Map(queries.map((query) => [query.id, query]));
    this.#stats = read.stats;
    this.#searches = read.searches;
    this.#selections = read.selections;
    this.#range = range;
  }

  result({ id }: Parsed): readonly TimeSeries[] {
    const value = this.#value(id);
    const stat = this.#stats.get(id);
    if (stat !== undefined) return [stat];
    if (value.kind === "array") return value.of.map((series) => ({ ...series, id }));
    if (value.kind === "series") return [{ ...value.series, id, label: id, source: undefined }];
    throw new MathError("The expression does not come to a time series: TIME_SERIES makes one of a number");
  }

  #value(id: string): Value {
    const known = this.#values.get(id);
    if (known !== undefined) return known;
    const stat = this.#stats.get(id);
    const selection = this.#selections.get(id);
    if (selection !== undefined) return selectionOf(selection, this.#queries.get(id)?.select);
    const expression = this.#queries.get(id)?.expression;
    if (stat === undefined && expression === undefined) throw new MathError(`Undefined id: ${id}`);
    if (this.#open.has(id)) throw new MathError(`The expression refers to itself by way of ${id}`);
    this.#open.add(id);
    const value =
      stat === undefined && expression !== undefined
        ? evaluateExpression(expression, this.#context(id, expression))
        : oneSeries(stat as TimeSeries);
    this.#open.delete(id);
    this.#values.set(id, value);
    return value;
  }

  #context(id: string, expression: Expression): MathContext {
    const of = this.#queries.get(id)?.of;
    const own = of === undefined || isStat(of) ? undefined : of.period;
    const period = periodOf(own, expression, this.#stats);
    return {
      period,
      value: (other) => this.#value(other),
      metrics: () => [...this.#stats.values()],
      times: (of) => this.#times(of?.period ?? period),
      search: (call) => this.#searches.get(keyOf(id, call)) ?? [],
    };
  }

  #times(period: number): readonly number[] {
    const { start, end } = this.#range;
    const from = alignedStart(start, period, this.#deps.clock.now());
    const count = Math.max(0, Math.ceil((end - from) / period));
    if (count > LIMITS.metricDataDatapoints)
      throw new MathError(`The range has ${count} periods, more than ${LIMITS.metricDataDatapoints}`);
    return Array.from({ length: count }, (_, n) => from + n * period);
  }
}
