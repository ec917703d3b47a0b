import { FilterExpressionError } from "./error.ts";

export interface Token {
  readonly kind: "word" | "string" | "number" | "symbol" | "json" | "end";
  readonly text: string;
}

const TOKEN =
  /\s*(?:#|"((?:[^"\\]|\\.)*)"|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])|([A-Za-z_][\w.-]*(?:\[[^\]"]*\])?)|(<=|>=|!=|[()={}<>!,:]))/uy;

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
    const [whole, quoted, number, word, symbol] = match;
    if (whole.endsWith("#") && quoted === undefined) {
      const json = endOfJson(text, TOKEN.lastIndex);
      tokens.push({ kind: "json", text: text.slice(TOKEN.lastIndex, json) });
      TOKEN.lastIndex = json;
      continue;
    }
    if (quoted !== undefined) tokens.push({ kind: "string", text: quoted.replaceAll(/\\(.)/gu, "$1") });
    else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (word !== undefined) tokens.push({ kind: "word", text: word });
    else tokens.push({ kind: "symbol", text: symbol ?? "" });
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}

/** Where a JSON document ends that begins at `from`. @throws FilterExpressionError */
function endOfJson(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === "\\") at++;
    } else if ("[{".includes(character)) depth++;
    else if ("]}".includes(character) && --depth === 0) return at + 1;
    if (depth <= 0 && character.trim() !== "") break;
  }
  throw new FilterExpressionError("# begins a JSON document");
}
