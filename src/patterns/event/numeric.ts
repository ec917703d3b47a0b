import type { JsonNode } from "./json.ts";

/** AWS compares numbers within these bounds only. */
const BOUND = 5e9;

type Test = (value: number) => boolean;

const COMPARISONS: Readonly<Record<string, (bound: number) => Test>> = {
  "=": (bound) => (value) => value === bound,
  "<": (bound) => (value) => value < bound,
  "<=": (bound) => (value) => value <= bound,
  ">": (bound) => (value) => value > bound,
  ">=": (bound) => (value) => value >= bound,
};

/**
 * Compiles the list behind `numeric`: `["=", 5]`, `[">", 0]`, or `[">", 0, "<=", 5]`.
 * @param fail makes the error for a message and the offset that AWS would name
 */
export function compileNumeric(
  list: Extract<JsonNode, { kind: "array" }>,
  fail: (message: string, offset: number) => Error,
): Test {
  const { items, end } = list;
  const [operator, bound, secondOperator, secondBound] = items;
  if (operator?.kind !== "string")
    throw fail(`Invalid member in numeric match: ${textOf(operator)}`, operator?.at ?? end);
  const compare = COMPARISONS[operator.value];
  if (compare === undefined)
    throw fail(`Unrecognized numeric range operator: ${operator.value}`, bound?.at ?? end);
  const number = requireNumber(operator.value === "=" ? "equals" : operator.value, bound);
  if (secondOperator === undefined) return compare(number);
  if (!operator.value.startsWith(">"))
    throw fail("Too many elements in numeric expression", secondOperator.at);
  if (secondOperator.kind !== "string")
    throw fail(`Bad value in numeric range: ${textOf(secondOperator)}`, secondOperator.at);
  const limit = secondOperator.value.startsWith("<") ? COMPARISONS[secondOperator.value] : undefined;
  if (limit === undefined)
    throw fail(`Bad numeric range operator: ${secondOperator.value}`, secondOperator.end);
  const top = requireNumber(secondOperator.value, secondBound);
  const [, , , , extra] = items;
  if (extra !== undefined) throw fail("Too many terms in numeric range expression", extra.at);
  if (number >= top) throw fail("Bottom must be less than top", end);
  const [above, below] = [compare(number), limit(top)];
  return (value) => above(value) && below(value);

  function requireNumber(name: string, node: JsonNode | undefined): number {
    if (node?.kind !== "number") throw fail(`Value of ${name} must be numeric`, node?.at ?? end);
    if (Math.abs(node.value) > BOUND)
      throw fail("Value must be between -5.0E9 and 5.0E9, inclusive", node.at);
    return node.value;
  }
}

function textOf(node: JsonNode | undefined): string {
  if (node === undefined) return "]";
  if (node.kind === "object") return "{";
  if (node.kind === "array") return "[";
  return node.kind === "number" ? node.text : String(node.value);
}
