import { FilterExpressionError } from "./error.ts";

export interface Token {
  readonly kind: "word" | "string" | "number" | "symbol" | "end";
  readonly text: string;
}

const TOKEN =
  /\s*(?:"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])|([A-Za-z_][\w.-]*(?:\[[^\]"]*\])?)|(<=|>=|!=|[()={}<>!,:]))/uy;

/** Splits an expression into tokens, ending with one of kind `end`. @throws FilterExpressionError */
export function tokenise(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null)
      throw new FilterExpressionError(`unexpected ${text.slice(start).trim().slice(0, 20)}`);
    const [, quoted, number, word, symbol] = match;
    if (quoted !== undefined) tokens.push({ kind: "string", text: quoted.replaceAll(/\\(.)/gu, "$1") });
    else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (word !== undefined) tokens.push({ kind: "word", text: word });
    else tokens.push({ kind: "symbol", text: symbol ?? "" });
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}
