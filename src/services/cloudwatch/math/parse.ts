import { MathError, type Token, tokenise } from "./tokens.ts";

export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "array"; readonly of: readonly Expression[] }
  | { readonly kind: "negate"; readonly of: Expression }
  | {
      readonly kind: "binary";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "call"; readonly name: string; readonly arguments: readonly Expression[] };

/** From the loosest to the tightest; words and symbols of one row are the same to each other. */
const PRECEDENCE: readonly (readonly string[])[] = [
  ["OR", "||"],
  ["AND", "&&"],
  ["==", "!=", "<", ">", "<=", ">="],
  ["+", "-"],
  ["*", "/"],
];

/** An expression of 2,048 characters could nest as deep. */
const MAX_DEPTH = 100;

/**
 * Parses metric math (user guide, "Using metric math").
 * @throws MathError
 */
export function parseExpression(text: string): Expression {
  const parser = new Parser(tokenise(text));
  const expression = parser.binary(0, 0);
  parser.end();
  return expression;
}

/** The ids that an expression refers to. */
export function idsOf(expression: Expression): ReadonlySet<string> {
  const ids = new Set<string>();
  const visit = (of: Expression): void => {
    if (of.kind === "id") ids.add(of.id);
    else if (of.kind === "array") of.of.forEach(visit);
    else if (of.kind === "negate") visit(of.of);
    else if (of.kind === "call") of.arguments.forEach(visit);
    else if (of.kind === "binary") [of.left, of.right].forEach(visit);
  };
  visit(expression);
  return ids;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  binary(level: number, depth: number): Expression {
    const operators = PRECEDENCE[level];
    if (operators === undefined) return this.#unary(depth);
    let left = this.binary(level + 1, depth);
    for (;;) {
      const operator = operators.find((word) => this.#take(word));
      if (operator === undefined) return left;
      left = { kind: "binary", operator, left, right: this.binary(level + 1, depth) };
    }
  }

  end(): void {
    const { kind, at } = this.#peek();
    if (kind !== "end") throw new MathError(`Unexpected text at position ${at + 1} of the expression`);
  }

  #unary(depth: number): Expression {
    if (depth > MAX_DEPTH) throw new MathError("The expression is nested too deeply");
    if (this.#take("-")) return { kind: "negate", of: this.#unary(depth + 1) };
    if (this.#take("+")) return this.#unary(depth + 1);
    return this.#power(depth);
  }

  /** Binds tighter than a minus before it, and to the right. */
  #power(depth: number): Expression {
    const left = this.#primary(depth);
    if (!this.#take("^")) return left;
    return { kind: "binary", operator: "^", left, right: this.#unary(depth + 1) };
  }

  #primary(depth: number): Expression {
    const token = this.#peek();
    this.#at++;
    switch (token.kind) {
      case "number":
        return { kind: "number", value: Number(token.text) };
      case "string":
        return { kind: "string", value: token.text };
      case "name":
        return this.#named(token.text, depth);
      default:
    }
    if (token.text === "(") {
      const inner = this.binary(0, depth + 1);
      this.#expect(")");
      return inner;
    }
    if (token.text === "[") return { kind: "array", of: this.#list("]", depth) };
    throw new MathError(
      token.kind === "end"
        ? "The expression ends too early"
        : `Unexpected ${token.text} at position ${token.at + 1} of the expression`,
    );
  }

  #named(name: string, depth: number): Expression {
    if (!this.#take("(")) return { kind: "id", id: name };
    return { kind: "call", name: name.toUpperCase(), arguments: this.#list(")", depth) };
  }

  #list(close: string, depth: number): readonly Expression[] {
    const elements: Expression[] = [];
    if (this.#take(close)) return elements;
    do elements.push(this.binary(0, depth + 1));
    while (this.#take(","));
    this.#expect(close);
    return elements;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "", at: 0 };
  }

  #take(text: string): boolean {
    const token = this.#peek();
    if (token.text !== text || token.kind === "string" || token.kind === "end") return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (this.#take(text)) return;
    const { at } = this.#peek();
    throw new MathError(`Expected ${text} at position ${at + 1} of the expression`);
  }
}
