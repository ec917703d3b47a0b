import { FilterPatternError } from "./error.ts";
import { compileRegex } from "./regex.ts";
import type { TokenReader } from "./tokens.ts";

const OPERATORS = ["=", "!=", "<", ">", "<=", ">="] as const;
type Operator = (typeof OPERATORS)[number];

/** A comparison with a literal; the value compared is a string or a number. */
export type Comparison = (value: unknown) => boolean;

/** Reads `operator literal`. Text may hold `*` wildcards and knows `=` and `!=` alone. @throws FilterPatternError */
export function readComparison(reader: TokenReader): Comparison {
  const token = reader.take();
  const operator = OPERATORS.find((known) => token.kind === "symbol" && known === token.text);
  if (operator === undefined)
    throw new FilterPatternError(`Invalid filter pattern: operator expected, not '${token.text}'`);
  const literal = reader.take();
  if (literal.kind === "symbol")
    throw new FilterPatternError(`Invalid filter pattern: value expected, not '${literal.text}'`);
  if (literal.kind === "regex") {
    if (operator !== "=" && operator !== "!=")
      throw new FilterPatternError(`Invalid filter pattern: '${operator}' needs a number`);
    const matches = compileRegex(literal.text);
    const wanted = operator === "=";
    return (value) =>
      (typeof value === "string" || typeof value === "number") && matches(String(value)) === wanted;
  }
  const number = literal.kind === "word" ? toNumber(literal.text) : undefined;
  if (number !== undefined) return compareNumbers(operator, number);
  if (operator !== "=" && operator !== "!=")
    throw new FilterPatternError(`Invalid filter pattern: '${operator}' needs a number`);
  const matches = wildcard(literal.text);
  const wanted = operator === "=";
  return (value) =>
    (typeof value === "string" || typeof value === "number") && matches(String(value)) === wanted;
}

function compareNumbers(operator: Operator, literal: number): Comparison {
  const test: Record<Operator, (value: number) => boolean> = {
    "=": (value) => value === literal,
    "!=": (value) => value !== literal,
    "<": (value) => value < literal,
    ">": (value) => value > literal,
    "<=": (value) => value <= literal,
    ">=": (value) => value >= literal,
  };
  return (value) => {
    const number =
      typeof value === "number" ? value : typeof value === "string" ? toNumber(value) : undefined;
    if (number === undefined) return operator === "!=" && value !== undefined && value !== null;
    return test[operator](number);
  };
}

function toNumber(text: string): number | undefined {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/u.test(text) ? Number(text) : undefined;
}

/** `*` stands for any text. Written without a regular expression, so that no pattern takes exponential time. */
export function wildcard(pattern: string): (text: string) => boolean {
  const parts = pattern.split("*");
  const [first = "", last = ""] = [parts[0], parts.at(-1)];
  if (parts.length === 1) return (text) => text === first;
  const middle = parts.slice(1, -1);
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
      return false;
    let at = first.length;
    for (const part of middle) {
      const found = text.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= text.length - last.length;
  };
}
