import type { Expression } from "./parse.ts";
import { MathError } from "./tokens.ts";

/** A call of SEARCH: what it looks for has to be read before the expression is evaluated, so its arguments are literals. */
export interface SearchCall {
  readonly query: string;
  readonly statistic: string;
  /** Milliseconds; undefined for the expression's own. */
  readonly period: number | undefined;
}

/** Undefined for the call of another function. @throws MathError for arguments that are no literals */
export function searchOf({
  name,
  arguments: given,
}: Extract<Expression, { kind: "call" }>): SearchCall | undefined {
  if (name !== "SEARCH") return undefined;
  const [query, statistic, period] = given;
  if (query?.kind !== "string" || statistic?.kind !== "string")
    throw new MathError("SEARCH needs its query and its statistic as texts in quotation marks");
  if (period !== undefined && period.kind !== "number")
    throw new MathError("SEARCH needs its period as a number of seconds");
  return {
    query: query.value,
    statistic: statistic.value,
    period: period === undefined ? undefined : period.value * 1000,
  };
}

/** All calls of SEARCH in an expression. */
export function searchesOf(expression: Expression): readonly SearchCall[] {
  switch (expression.kind) {
    case "call": {
      const own = searchOf(expression);
      return own === undefined ? expression.arguments.flatMap(searchesOf) : [own];
    }
    case "binary":
      return [...searchesOf(expression.left), ...searchesOf(expression.right)];
    case "negate":
      return searchesOf(expression.of);
    case "array":
      return expression.of.flatMap(searchesOf);
    default:
      return [];
  }
}
