import { FilterPatternError } from "./error.ts";

/** A token of JSON and column patterns. */
export type Token =
  | { readonly kind: "symbol"; readonly text: string }
  | { readonly kind: "string"; readonly text: string }
  /** What stands between percent signs. */
  | { readonly kind: "regex"; readonly text: string }
  | { readonly kind: "word"; readonly text: string };

const TOKEN =
  /\s*(?:(&&|\|\||!=|<=|>=|\.\.\.|[()[\]{},=<>])|"((?:[^"\\]|\\.)*)"|%([^%]*)%|(\$(?:\.[^\s.()[\]{},=<>!&|"]+|\.?\[(?:\d+|\*|"(?:[^"\\]|\\.)*")\])+)|([^\s()[\]{},=<>!&|"]+))/suy;

/** Splits a pattern into symbols, quoted strings, regular expressions, and words (numbers, names, `$.json.paths`). @throws FilterPatternError */
export function tokenise(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null)
      throw new FilterPatternError(`Invalid filter pattern at '${text.slice(start).trim()}'`);
    const [, symbol, quoted, regex, path, word] = match;
    if (symbol !== undefined) tokens.push({ kind: "symbol", text: symbol });
    else if (quoted !== undefined) tokens.push({ kind: "string", text: quoted.replaceAll(/\\(.)/gsu, "$1") });
    else if (regex !== undefined) tokens.push({ kind: "regex", text: regex });
    else tokens.push({ kind: "word", text: path ?? word ?? "" });
  }
  return tokens;
}

/** Reads tokens one after the other. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#tokens = tokenise(text);
  }

  peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  /** The next token, which must be there. */
  take(): Token {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw new FilterPatternError("Invalid filter pattern: it ends too early");
    this.#next += 1;
    return token;
  }

  /** Takes the next token where it is this symbol. */
  accept(symbol: string): boolean {
    const token = this.peek();
    if (token?.kind !== "symbol" || token.text !== symbol) return false;
    this.#next += 1;
    return true;
  }

  expect(symbol: string): void {
    if (!this.accept(symbol)) {
      const found = this.peek();
      const near = found === undefined ? "at its end" : `before '${found.text}'`;
      throw new FilterPatternError(`Invalid filter pattern: '${symbol}' expected ${near}`);
    }
  }

  end(): void {
    const token = this.peek();
    if (token !== undefined) throw new FilterPatternError(`Invalid filter pattern at '${token.text}'`);
  }
}

/** Conditions joined by `&&` and `||` with parentheses; `&&` binds closer. */
export function readCondition<T>(
  reader: TokenReader,
  leaf: () => (value: T) => boolean,
): (value: T) => boolean {
  const part = (): ((value: T) => boolean) => {
    if (!reader.accept("(")) return leaf();
    const inner = readCondition(reader, leaf);
    reader.expect(")");
    return inner;
  };
  const conjunction = (): ((value: T) => boolean) => {
    let left = part();
    while (reader.accept("&&")) {
      const [before, after] = [left, part()];
      left = (value) => before(value) && after(value);
    }
    return left;
  };
  let left = conjunction();
  while (reader.accept("||")) {
    const [before, after] = [left, conjunction()];
    left = (value) => before(value) || after(value);
  }
  return left;
}
