import type { BinaryOperator, Expression } from "./ast.ts";
import { QueryError } from "./error.ts";
import { compileCall } from "./functions.ts";
import { compileRegex } from "./regex.ts";
import type { Evaluate } from "./row.ts";
import { compareValues, isTruthy, toNumber, toText, type Value } from "./values.ts";

/** @throws QueryError where a function is unknown or is given something that it cannot take */
export function compile(expression: Expression): Evaluate {
  switch (expression.kind) {
    case "literal": {
      const { value } = expression;
      return () => value;
    }
    case "field": {
      const { name } = expression;
      return (row) => row.get(name);
    }
    case "call":
      return compileCall(expression, compile);
    case "unary": {
      const operand = compile(expression.operand);
      if (expression.operator === "not") return (row) => !isTruthy(operand(row));
      return (row) => {
        const number = toNumber(operand(row));
        return number === undefined ? undefined : -number;
      };
    }
    case "in": {
      const value = compile(expression.value);
      const list = expression.list.map((member) => compile(member));
      return (row) => {
        const wanted = value(row);
        return list.some((member) => {
          const given = member(row);
          return Array.isArray(given) ? given.some((one) => same(wanted, one as Value)) : same(wanted, given);
        });
      };
    }
    case "binary":
      return compileBinary(expression.operator, expression.left, expression.right);
    case "regex":
      throw new QueryError("a regular expression may stand after like, =~ and parse alone", expression.at);
    default:
      throw new QueryError(`unexpected symbol found ${expression.text}`, expression.at);
  }
}

function compileBinary(operator: BinaryOperator, left: Expression, right: Expression): Evaluate {
  if (operator === "like" || operator === "not like") return compileLike(operator === "like", left, right);
  const [first, second] = [compile(left), compile(right)];
  switch (operator) {
    case "or":
      return (row) => isTruthy(first(row)) || isTruthy(second(row));
    case "and":
      return (row) => isTruthy(first(row)) && isTruthy(second(row));
    case "=":
      return (row) => same(first(row), second(row));
    case "!=":
      return (row) => !same(first(row), second(row));
    case "<":
    case "<=":
    case ">":
    case ">=":
      return (row) => ordered(operator, first(row), second(row));
    default:
      return (row) => calculate(operator, toNumber(first(row)), toNumber(second(row)));
  }
}

function compileLike(wanted: boolean, left: Expression, right: Expression): Evaluate {
  const text = compile(left);
  if (right.kind === "regex") {
    const pattern = compileRegex(right.source, right.flags, right.at);
    return (row) => {
      const value = toText(text(row));
      return (value !== undefined && pattern.test(value)) === wanted;
    };
  }
  const part = compile(right);
  return (row) => {
    const [value, looked] = [toText(text(row)), toText(part(row))];
    return (value !== undefined && looked !== undefined && value.includes(looked)) === wanted;
  };
}

/** What is missing is equal to nothing, not even to what is missing too. */
function same(a: Value, b: Value): boolean {
  if (a === undefined || a === null || b === undefined || b === null) return false;
  if (typeof a === "string" && typeof b === "string" && a === b) return true;
  return compareValues(a, b) === 0;
}

function ordered(operator: "<" | "<=" | ">" | ">=", a: Value, b: Value): boolean {
  if (a === undefined || a === null || b === undefined || b === null) return false;
  const order = compareValues(a, b);
  if (operator === "<") return order < 0;
  if (operator === "<=") return order <= 0;
  return operator === ">" ? order > 0 : order >= 0;
}

function calculate(operator: BinaryOperator, a: number | undefined, b: number | undefined): Value {
  if (a === undefined || b === undefined) return undefined;
  const results: Partial<Record<BinaryOperator, number>> = {
    "+": a + b,
    "-": a - b,
    "*": a * b,
    "/": a / b,
    "%": a % b,
    "^": a ** b,
  };
  const result = results[operator];
  return result !== undefined && Number.isFinite(result) ? result : undefined;
}
