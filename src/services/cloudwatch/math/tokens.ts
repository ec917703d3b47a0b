/** An expression that is not metric math, or that cannot be evaluated; its message is for whoever wrote it. */
export class MathError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MathError";
  }
}

export interface Token {
  readonly kind: "number" | "string" | "name" | "symbol" | "end";
  readonly text: string;
  readonly at: number;
}

const PATTERN =
  /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|("[^"]*"|'[^']*')|([A-Za-z_][A-Za-z0-9_]*)|(&&|\|\||==|!=|<=|>=|[-+*/^<>()[\],]))/y;

/** @throws MathError */
export function tokenise(text: string): readonly Token[] {
  const tokens: Token[] = [];
  PATTERN.lastIndex = 0;
  for (;;) {
    const at = PATTERN.lastIndex;
    if (text.slice(at).trim() === "") return [...tokens, { kind: "end", text: "", at: text.length }];
    const match = PATTERN.exec(text);
    if (match === null) throw new MathError(`Unexpected character at position ${at + 1} of the expression`);
    const [, number, string, name, symbol] = match;
    if (number !== undefined) tokens.push({ kind: "number", text: number, at });
    else if (string !== undefined) tokens.push({ kind: "string", text: string.slice(1, -1), at });
    else if (name !== undefined) tokens.push({ kind: "name", text: name, at });
    else tokens.push({ kind: "symbol", text: symbol ?? "", at });
  }
}
