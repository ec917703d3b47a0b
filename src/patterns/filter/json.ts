import { readComparison } from "./comparison.ts";
import { FilterPatternError } from "./error.ts";
import type { LogFilter } from "./filter.ts";
import type { Token } from "./tokens.ts";
import { TokenReader, readCondition } from "./tokens.ts";

/** A member's name, an array's index, or every member or element. */
type Step = string | number | typeof EVERY;
const EVERY = Symbol("*");

/** `{ $.member[0].x = 1 && ($.y = "a*" || $.z IS NULL) }`. A message that is not a JSON object or array matches nothing. */
export function compileJson(text: string): LogFilter {
  const { condition } = parseJsonPattern(text);
  return (message) => {
    const document = parseDocument(message);
    return document !== undefined && condition(document);
  };
}

/** Reads what messages hold under the selectors that stand in a pattern, and under others. */
export function jsonReader(text: string): (message: string) => ReadonlyMap<string, string> {
  const { selectors } = parseJsonPattern(text);
  const paths = [...selectors].map((selector) => [selector, compileSelector(selector)] as const);
  return (message) => {
    const found = new Map<string, string>();
    const document = parseDocument(message);
    if (document === undefined) return found;
    for (const [selector, read] of paths) {
      const value = read(document);
      if (value !== undefined) found.set(selector, value);
    }
    return found;
  };
}

/** A reader of one selector, `$.a.b[0]`; undefined where there is nothing, or an object or array. @throws FilterPatternError */
export function compileSelector(selector: string): (document: object) => string | undefined {
  const path = readPath({ kind: "word", text: selector });
  return (document) => {
    const [value] = select(document, path);
    if (typeof value === "string") return value;
    return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
  };
}

/** A message's JSON object or array; undefined where it is none. */
export function parseDocument(message: string): object | undefined {
  if (!/^\s*[{[]/u.test(message)) return undefined;
  try {
    return JSON.parse(message) as object;
  } catch {
    return undefined;
  }
}

function parseJsonPattern(text: string): {
  readonly condition: (document: unknown) => boolean;
  readonly selectors: ReadonlySet<string>;
} {
  const reader = new TokenReader(text);
  const selectors = new Set<string>();
  reader.expect("{");
  const condition = readCondition<unknown>(reader, () => {
    const selector = reader.peek()?.text;
    const leaf = readLeaf(reader);
    if (selector !== undefined) selectors.add(selector);
    return leaf;
  });
  reader.expect("}");
  reader.end();
  return { condition, selectors };
}

function readLeaf(reader: TokenReader): (document: unknown) => boolean {
  const selector = reader.take();
  const path = readPath(selector);
  const word = keyword(reader.peek());
  if (word === "IS") {
    reader.take();
    return expectValue(path, keyword(reader.take()));
  }
  if (word === "NOT") {
    reader.take();
    if (keyword(reader.take()) !== "EXISTS")
      throw new FilterPatternError("Invalid filter pattern: EXISTS expected after NOT");
    return (document) => select(document, path).length === 0;
  }
  if (word === "EXISTS") {
    reader.take();
    return (document) => select(document, path).length > 0;
  }
  const compare = readComparison(reader);
  return (document) => select(document, path).some(compare);
}

function keyword(token: Token | undefined): string | undefined {
  return token?.kind === "word" ? token.text.toUpperCase() : undefined;
}

function expectValue(path: readonly Step[], word: string | undefined): (document: unknown) => boolean {
  const values = new Map<string | undefined, unknown>([
    ["TRUE", true],
    ["FALSE", false],
    ["NULL", null],
  ]);
  if (!values.has(word))
    throw new FilterPatternError("Invalid filter pattern: TRUE, FALSE or NULL expected after IS");
  const wanted = values.get(word);
  return (document) => select(document, path).some((value) => value === wanted);
}

function readPath(token: Token): readonly Step[] {
  if (token.kind !== "word" || !token.text.startsWith("$"))
    throw new FilterPatternError(
      `Invalid filter pattern: '${token.text}' is no property selector, which begins with $.`,
    );
  const steps: Step[] = [];
  const part = /\.?\[(?:(\d+)|(\*)|"((?:[^"\\]|\\.)*)")\]|\.([^.[\]]+)/suy;
  part.lastIndex = 1;
  while (part.lastIndex < token.text.length) {
    const match = part.exec(token.text);
    if (match === null) throw new FilterPatternError(`Invalid property selector '${token.text}'`);
    const [, index, every, quoted, name] = match;
    if (index !== undefined) steps.push(Number(index));
    else if (every !== undefined || name === "*") steps.push(EVERY);
    else steps.push(name ?? (quoted ?? "").replaceAll(/\\(.)/gsu, "$1"));
  }
  return steps;
}

function select(document: unknown, path: readonly Step[]): readonly unknown[] {
  let values: readonly unknown[] = [document];
  for (const step of path) values = values.flatMap((value) => descend(value, step));
  return values;
}

function descend(value: unknown, step: Step): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [];
  if (step === EVERY) return Object.values(value);
  if (typeof step === "number") return Array.isArray(value) && step < value.length ? [value[step]] : [];
  return !Array.isArray(value) && Object.hasOwn(value, step)
    ? [(value as Record<string, unknown>)[step]]
    : [];
}
