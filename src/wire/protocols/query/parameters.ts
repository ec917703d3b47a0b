import { malformedInput } from "./errors.ts";

/**
 * The parameters of a query request as the tree that their dotted names spell: `Tags.member.1.Key=a` is the value `a`
 * at Tags, member, 1, Key. Maps, not arrays or objects, so that neither an index of two thousand million nor a name
 * such as `__proto__` is anything but a key.
 */
export interface Parameter {
  value: string | undefined;
  readonly children: Map<string, Parameter>;
}

/** Deeper than any structure of the services that speak query; a recursive shape must end somewhere. */
const MAX_DEPTH = 32;
/** An honest request of the largest size (a batch of ten messages with ten attributes) has under a thousand. */
const MAX_PARAMETERS = 50_000;

/**
 * Reads `application/x-www-form-urlencoded` texts (a request's body, its query string) into one tree. Throws AwsError
 * MalformedInput where a text is not percent-encoded UTF-8 or gives a name two different values.
 */
export function readParameters(...forms: readonly string[]): Parameter {
  const root = newParameter();
  let count = 0;
  for (const form of forms) {
    for (const pair of splitPairs(form)) {
      if (++count > MAX_PARAMETERS) throw malformedInput("Too many parameters");
      const equals = pair.indexOf("=");
      const name = decode(equals === -1 ? pair : pair.slice(0, equals));
      const value = equals === -1 ? "" : decode(pair.slice(equals + 1));
      setValue(root, name, value);
    }
  }
  return root;
}

/** Like `split("&")` without empty parts, but lazily: the caller stops at its limit. */
function* splitPairs(form: string): Generator<string> {
  let start = 0;
  while (start < form.length) {
    const ampersand = form.indexOf("&", start);
    const end = ampersand === -1 ? form.length : ampersand;
    if (end > start) yield form.slice(start, end);
    start = end + 1;
  }
}

function newParameter(): Parameter {
  return { value: undefined, children: new Map() };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw malformedInput("Invalid percent-encoding in a parameter");
  }
}

function setValue(root: Parameter, name: string, value: string): void {
  const path = name.split(".", MAX_DEPTH + 1);
  if (path.length > MAX_DEPTH) throw malformedInput("A parameter is nested too deeply");
  let at = root;
  for (const part of path) {
    let next = at.children.get(part);
    if (next === undefined) at.children.set(part, (next = newParameter()));
    at = next;
  }
  // Whoever checks one of two values must not be fooled by the other.
  if (at.value !== undefined && at.value !== value) throw malformedInput(`Duplicate parameter ${name}`);
  at.value = value;
}
