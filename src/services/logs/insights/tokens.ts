import { QueryError } from "./error.ts";

export type TokenKind = "name" | "string" | "number" | "regex" | "duration" | "symbol" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** A string's or regular expression's content, without its quotes or slashes; else as written. */
  readonly text: string;
  /** A regular expression's flags. */
  readonly flags: string;
  /** Characters from the query's start. */
  readonly at: number;
  /** Of a name: it stood in backticks, and is no keyword. */
  readonly quoted: boolean;
}

/** White space and `#` comments, up to the end of their line. */
const SKIPPED = /(?:\s|#[^\n]*)+/uy;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/uy;
/** A whole number with a unit of time, such as `5m`; "AWS Logs Insights functions", bin. */
const DURATION = /\d+(?:ms|msec|s|sec|m|min|h|hr|d|w|mo|mon|q|qtr|y|yr)(?![\w@])/uy;
/** Fields may hold dots and `@`; array elements are fields of a numeric name. A dash needs backticks. */
const NAME = /[@$\p{L}_][\w@$.\p{L}]*(?:\{\})?/uy;
const SYMBOL = /\|\||&&|==|!=|<=|>=|=~|!~|[|,()[\]=<>+\-*/%^.]/uy;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/**
 * Splits a query into tokens, ending with one of kind `end`. A slash begins a regular expression where a value may stand.
 * @throws QueryError
 */
export function tokenise(query: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const add = (kind: TokenKind, text: string, more: Partial<Token> = {}): void => {
    tokens.push({ kind, text, flags: "", at, quoted: false, ...more });
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(query)?.[0];
  };
  for (;;) {
    at += match(SKIPPED)?.length ?? 0;
    if (at >= query.length) break;
    const character = query[at] ?? "";
    if (character === '"' || character === "'" || character === "`") {
      const { content, end } = readQuoted(query, at, character);
      if (character === "`") add("name", content, { quoted: true });
      else add("string", content);
      at = end;
      continue;
    }
    if (character === "/" && beginsRegex(tokens.at(-1))) {
      const { content, flags, end } = readRegex(query, at);
      add("regex", content, { flags });
      at = end;
      continue;
    }
    const duration = match(DURATION);
    const number = duration ?? match(NUMBER);
    const name = number ?? match(NAME);
    const text = name ?? match(SYMBOL);
    if (text === undefined) throw new QueryError(`unexpected symbol found ${character}`, at);
    if (duration !== undefined) add("duration", text);
    else if (number !== undefined) add("number", text);
    else add(name === undefined ? "symbol" : "name", text);
    at += text.length;
  }
  add("end", "");
  return tokens;
}

function readQuoted(query: string, start: number, quote: string): { content: string; end: number } {
  let content = "";
  for (let at = start + 1; at < query.length; at++) {
    const character = query[at] ?? "";
    if (character === quote) return { content, end: at + 1 };
    if (character !== "\\" || quote === "`") {
      content += character;
      continue;
    }
    at++;
    const escaped = query[at] ?? "";
    // Other sequences stay as they are: parse patterns are written with them.
    content += ESCAPES[escaped] ?? (escaped === quote || escaped === "\\" ? escaped : `\\${escaped}`);
  }
  throw new QueryError(`unbalanced ${quote}`, start);
}

function readRegex(query: string, start: number): { content: string; flags: string; end: number } {
  let content = "";
  let inClass = false;
  for (let at = start + 1; at < query.length; at++) {
    const character = query[at] ?? "";
    if (character === "/" && !inClass) {
      const flags = /[a-z]*/uy;
      flags.lastIndex = at + 1;
      const found = flags.exec(query)?.[0] ?? "";
      return { content, flags: found, end: at + 1 + found.length };
    }
    if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    content += character;
    if (character === "\\") content += query[++at] ?? "";
  }
  throw new QueryError("unbalanced /", start);
}

/** A slash after a value divides; after an operator, a keyword or a comma it begins a regular expression. */
function beginsRegex(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === "symbol") return before.text !== ")" && before.text !== "]";
  if (before.kind !== "name" || before.quoted) return false;
  return /^(?:like|not|in|and|or|parse|by)$/iu.test(before.text) || before.text.startsWith("@message");
}
