import type { BinaryOperator, Expression } from "./ast.ts";
import { QueryError } from "./error.ts";
import type { TokenStream } from "./token-stream.ts";

/** Nested deeper than any query that a person writes; the parser calls itself for each level. */
const MOST_NESTED = 100;

type Level = readonly (readonly [symbol: string, operator: BinaryOperator])[];

/** From those that bind least to those that bind most; `or`, `and`, `not` and comparisons come before them. */
const ARITHMETIC: readonly Level[] = [
  [
    ["+", "+"],
    ["-", "-"],
  ],
  [
    ["*", "*"],
    ["/", "/"],
    ["%", "%"],
  ],
];

const COMPARISONS: Level = [
  ["=", "="],
  ["==", "="],
  ["!=", "!="],
  ["<=", "<="],
  [">=", ">="],
  ["<", "<"],
  [">", ">"],
  ["=~", "like"],
  ["!~", "not like"],
];

/** Reads an expression up to the first token that cannot go on with it. @throws QueryError */
export function parseExpression(tokens: TokenStream): Expression {
  return new ExpressionParser(tokens).or();
}

class ExpressionParser {
  readonly #tokens: TokenStream;
  #depth = 0;

  constructor(tokens: TokenStream) {
    this.#tokens = tokens;
  }

  or(): Expression {
    if (++this.#depth > MOST_NESTED) throw new QueryError("nested too deeply", this.#tokens.peek().at);
    let left = this.#and();
    while (this.#tokens.acceptKeyword("or") || this.#tokens.acceptSymbol("||"))
      left = { kind: "binary", operator: "or", left, right: this.#and() };
    this.#depth--;
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#tokens.acceptKeyword("and") || this.#tokens.acceptSymbol("&&"))
      left = { kind: "binary", operator: "and", left, right: this.#not() };
    return left;
  }

  #not(): Expression {
    let negations = 0;
    while (this.#tokens.acceptKeyword("not")) negations++;
    const operand = this.#comparison();
    return negations % 2 === 0 ? operand : { kind: "unary", operator: "not", operand };
  }

  #comparison(): Expression {
    const left = this.#arithmetic(0);
    const tokens = this.#tokens;
    for (const [symbol, operator] of COMPARISONS)
      if (tokens.acceptSymbol(symbol)) return { kind: "binary", operator, left, right: this.#arithmetic(0) };
    const negated = tokens.isKeyword("not") && (tokens.isKeyword("like", 1) || tokens.isKeyword("in", 1));
    if (negated) tokens.take();
    if (tokens.acceptKeyword("like"))
      return { kind: "binary", operator: negated ? "not like" : "like", left, right: this.#arithmetic(0) };
    if (!tokens.acceptKeyword("in")) return left;
    const found: Expression = { kind: "in", value: left, list: this.#list() };
    return negated ? { kind: "unary", operator: "not", operand: found } : found;
  }

  #list(): readonly Expression[] {
    const close = this.#tokens.acceptSymbol("[") ? "]" : ")";
    if (close === ")") this.#tokens.expectSymbol("(");
    const list: Expression[] = [];
    if (this.#tokens.acceptSymbol(close)) return list;
    do list.push(this.or());
    while (this.#tokens.acceptSymbol(","));
    this.#tokens.expectSymbol(close);
    return list;
  }

  #arithmetic(level: number): Expression {
    const operators = ARITHMETIC[level];
    if (operators === undefined) return this.#power();
    let left = this.#arithmetic(level + 1);
    for (;;) {
      const found = operators.find(([symbol]) => this.#tokens.acceptSymbol(symbol));
      if (found === undefined) return left;
      left = { kind: "binary", operator: found[1], left, right: this.#arithmetic(level + 1) };
    }
  }

  #power(): Expression {
    const operands = [this.#unary()];
    while (this.#tokens.acceptSymbol("^")) operands.push(this.#unary());
    return operands.reduceRight((right, left) => ({ kind: "binary", operator: "^", left, right }));
  }

  #unary(): Expression {
    let negations = 0;
    while (this.#tokens.acceptSymbol("-")) negations++;
    const operand = this.#primary();
    return negations % 2 === 0 ? operand : { kind: "unary", operator: "-", operand };
  }

  #primary(): Expression {
    const tokens = this.#tokens;
    if (tokens.acceptSymbol("(")) {
      const inner = this.or();
      tokens.expectSymbol(")");
      return inner;
    }
    const token = tokens.take();
    const { at, text } = token;
    switch (token.kind) {
      case "string":
        return { kind: "literal", value: text };
      case "number":
        return { kind: "literal", value: Number(text) };
      case "duration":
        return { kind: "duration", text, at };
      case "regex":
        return { kind: "regex", source: text, flags: token.flags, at };
      case "name":
        if (!token.quoted && tokens.isSymbol("(")) {
          const args = this.#arguments();
          const column = tokens.columnFrom(at);
          return column === undefined
            ? { kind: "call", name: text, args, at }
            : { kind: "field", name: column };
        }
        if (!token.quoted && /^(?:true|false)$/iu.test(text))
          return { kind: "literal", value: text.toLowerCase() === "true" };
        return { kind: "field", name: text + this.#items() };
      default:
        throw new QueryError(`unexpected symbol found ${text}`, at);
    }
  }

  /** `[0]` and `["name"].other` after a field, as part of its path. */
  #items(): string {
    const tokens = this.#tokens;
    let path = "";
    while (tokens.acceptSymbol("[")) {
      const item = tokens.take();
      if (item.kind !== "number" && item.kind !== "string")
        throw new QueryError(`a number or a text expected, not ${item.text}`, item.at);
      path += `.${item.text}`;
      tokens.expectSymbol("]");
      if (tokens.acceptSymbol(".")) path += `.${tokens.takeName("a name")}`;
    }
    return path;
  }

  #arguments(): readonly Expression[] {
    const tokens = this.#tokens;
    tokens.expectSymbol("(");
    // `count(*)` counts events, as `count()` does.
    if (tokens.isSymbol("*")) {
      tokens.take();
      tokens.expectSymbol(")");
      return [];
    }
    const args: Expression[] = [];
    if (tokens.acceptSymbol(")")) return args;
    do args.push(this.or());
    while (tokens.acceptSymbol(","));
    tokens.expectSymbol(")");
    return args;
  }
}
