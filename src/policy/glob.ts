import type { ConditionKeys } from "./keys.ts";

/** `*` in a compiled pattern. */
const ANY = -1;
/** `?` in a compiled pattern. */
const ONE = -2;

/** UTF-16 units, with `ANY` and `ONE` for wildcards. */
type Units = readonly number[];

/** A policy variable: its key as it is written and in lower case, and what stands for it where the request lacks the key. */
interface Variable {
  readonly name: string;
  readonly key: string;
  readonly otherwise: string | undefined;
}

type Token = number | Variable;

export interface PatternOptions {
  /** `*` and `?` are wildcards. */
  readonly wildcards: boolean;
  /** `${key}` is replaced, as in documents of version 2012-10-17. */
  readonly variables: boolean;
}

/**
 * Whether a text fits a pattern. `undefined` where a policy variable of the pattern has no value in this request, which
 * fits nothing (IAM user guide, "IAM policy elements: Variables and tags").
 */
export type Pattern = (text: string, keys: ConditionKeys) => boolean | undefined;

export function compilePattern(source: string, options: PatternOptions): Pattern {
  const tokens = tokenise(source, options);
  if (tokens.every((token) => typeof token === "number")) return fixedPattern(tokens);
  return (text, keys) => {
    const units = expand(tokens, keys);
    return units === undefined ? undefined : matchUnits(units, text, 0, text.length);
  };
}

const COLON = 58;
const ARN_PARTS = 6;

/**
 * A pattern of ARNs: each of the six parts is compared on its own, so that a wildcard never reaches across a colon
 * before the resource part. Parts that are left out are `*` (IAM user guide, "IAM JSON policy elements: Resource").
 */
export function compileArnPattern(source: string, options: Pick<PatternOptions, "variables">): Pattern {
  const tokens = tokenise(source, { wildcards: true, variables: options.variables });
  if (tokens.length === 1 && tokens[0] === ANY) return () => true;
  const parts = splitParts(tokens);
  const simple = simpleArnPattern(parts);
  if (simple !== undefined) return simple;
  const fixed = parts.map((part) => part.filter((token) => typeof token === "number"));
  const plain = fixed.every((part, index) => part.length === parts[index]?.length);
  if (plain) return (text) => matchParts(fixed, text);
  return (text, keys) => {
    const units = parts.map((part) => expand(part, keys));
    const known = units.filter((part) => part !== undefined);
    return known.length < units.length ? undefined : matchParts(known, text);
  };
}

function matchParts(parts: readonly Units[], text: string): boolean {
  let start = 0;
  for (let part = 0; part < ARN_PARTS; part++) {
    const colon = part === ARN_PARTS - 1 ? -1 : text.indexOf(":", start);
    const end = colon === -1 ? text.length : colon;
    const wanted = parts[part];
    if (wanted !== undefined && !matchUnits(wanted, text, start, end)) return false;
    if (colon === -1) return part === ARN_PARTS - 1;
    start = colon + 1;
  }
  return true;
}

/** Without wildcards, or with one `*` at the very end, a pattern of six parts is a plain comparison. */
function simpleArnPattern(parts: readonly (readonly Token[])[]): Pattern | undefined {
  if (parts.length < ARN_PARTS) return undefined;
  const tokens = parts.flatMap((part, index) => (index === 0 ? part : [COLON, ...part]));
  const open = tokens.at(-1) === ANY;
  const fixed = (open ? tokens.slice(0, -1) : tokens).filter((token) => typeof token === "number");
  if (fixed.length < tokens.length - Number(open) || fixed.some((unit) => unit < 0)) return undefined;
  const text = String.fromCharCode(...fixed);
  return open ? (resource) => resource.startsWith(text) : (resource) => resource === text;
}

/** The keys that a pattern's variables name, as they are written. */
export function variablesOf(source: string): readonly string[] {
  return tokenise(source, { wildcards: false, variables: true }).flatMap((token) =>
    typeof token === "number" ? [] : [token.name],
  );
}

function fixedPattern(units: readonly number[]): Pattern {
  if (units.length === 1 && units[0] === ANY) return () => true;
  const wildcard = units.findIndex((unit) => unit < 0);
  if (wildcard === -1) {
    const exact = String.fromCharCode(...units);
    return (text) => text === exact;
  }
  if (wildcard === units.length - 1 && units[wildcard] === ANY) {
    const prefix = String.fromCharCode(...units.slice(0, -1));
    return (text) => text.startsWith(prefix);
  }
  return (text) => matchUnits(units, text, 0, text.length);
}

function tokenise(source: string, { wildcards, variables }: PatternOptions): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < source.length; at++) {
    const character = source[at] ?? "";
    const end = variables && character === "$" && source[at + 1] === "{" ? source.indexOf("}", at) : -1;
    if (end !== -1) {
      const inner = source.slice(at + 2, end);
      // `${*}`, `${?}` and `${$}` are those characters themselves.
      tokens.push(/^[*?$]$/.test(inner) ? inner.charCodeAt(0) : readVariable(inner));
      at = end;
    } else if (wildcards && character === "*") tokens.push(ANY);
    else if (wildcards && character === "?") tokens.push(ONE);
    else tokens.push(source.charCodeAt(at));
  }
  return tokens;
}

/** `aws:username`, or `aws:username, 'a default'`. */
function readVariable(inner: string): Variable {
  const [, key = inner, otherwise] = /^([^,]*?)\s*,\s*'(.*)'\s*$/s.exec(inner) ?? [];
  const name = key.trim();
  return { name, key: name.toLowerCase(), otherwise };
}

function splitParts(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (token === COLON && parts.length < ARN_PARTS) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

/** Values of variables are text: a `*` in one is no wildcard. A variable with several values has none. */
function expand(tokens: readonly Token[], keys: ConditionKeys): Units | undefined {
  const units: number[] = [];
  for (const token of tokens) {
    if (typeof token === "number") {
      units.push(token);
      continue;
    }
    const values = keys(token.key);
    const value = values?.length === 1 ? values[0] : token.otherwise;
    if (value === undefined) return undefined;
    for (let at = 0; at < value.length; at++) units.push(value.charCodeAt(at));
  }
  return units;
}

/** Backtracks to the last `*` alone, so that no pattern takes more than pattern × text steps. */
function matchUnits(units: Units, text: string, start: number, end: number): boolean {
  let at = start;
  let unit = 0;
  let star = -1;
  let resume = start;
  while (at < end) {
    const wanted = units[unit];
    if (wanted === ANY) {
      star = unit++;
      resume = at;
    } else if (wanted === ONE || wanted === text.charCodeAt(at)) {
      unit++;
      at++;
    } else if (star !== -1) {
      unit = star + 1;
      at = ++resume;
    } else return false;
  }
  while (units[unit] === ANY) unit++;
  return unit === units.length;
}
