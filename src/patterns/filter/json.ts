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
  const reader = new TokenReader(text);
  reader.expect("{");
  const condition = readCondition<unknown>(reader, () => readLeaf(reader));
  reader.expect("}");
  reader.end();
  return (message) => {
    if (!/^\s*[{[]/u.test(message)) return false;
    let document: unknown;
    try {
      document = JSON.parse(message);
    } catch {
      return false;
    }
    return condition(document);
  };
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
