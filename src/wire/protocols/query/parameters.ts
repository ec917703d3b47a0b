import { malformedInput } from "./errors.ts";

/**
 * The parameters of a query request as the tree that their dotted names spell: `Tags.member.1.Key=a` is the value `a`
 * at Tags, member, 1, Key. Maps, not arrays or objects, so that neither an index of two thousand million nor a name
 * such as `__proto__` is anything but a key.
 */
export interface Parameter {
  readonly value: string | undefined;
  readonly children: ReadonlyMap<string, Parameter>;
}

/** Twice as deep as any structure of the services that speak query. */
const MAX_DEPTH = 24;
/** The longest honest request is a PutMetricData of 1 MB: about 20,000 parameters. */
const MAX_PARAMETERS = 50_000;
/** Parameters and the steps on the way to them. Bounds the memory that one request can take to some ten megabytes. */
const MAX_NODES = 150_000;

/**
 * Reads `application/x-www-form-urlencoded` texts (a request's body, its query string) into one tree. Throws AwsError
 * MalformedInput where a text is not percent-encoded UTF-8 or gives a name two different values.
 */
export function readParameters(...forms: readonly string[]): Parameter {
  const tree = new Tree();
  let count = 0;
  for (const form of forms) {
    for (const pair of splitPairs(form)) {
      if (++count > MAX_PARAMETERS) throw malformedInput("Too many parameters");
      const equals = pair.indexOf("=");
      const name = decode(equals === -1 ? pair : pair.slice(0, equals));
      const value = equals === -1 ? "" : decode(pair.slice(equals + 1));
      tree.set(name, value);
    }
  }
  return tree.root;
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

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw malformedInput("Invalid percent-encoding in a parameter");
  }
}

class Node implements Parameter {
  value: string | undefined;
  #children: Map<string, Node> | undefined;

  get children(): ReadonlyMap<string, Node> {
    return this.#children ?? NO_CHILDREN;
  }

  add(part: string): Node {
    const child = new Node();
    (this.#children ??= new Map()).set(part, child);
    return child;
  }
}

const NO_CHILDREN: ReadonlyMap<string, Node> = new Map();

class Tree {
  readonly root = new Node();
  #nodes = 0;

  set(name: string, value: string): void {
    const path = name.split(".", MAX_DEPTH + 1);
    if (path.length > MAX_DEPTH) throw malformedInput("A parameter is nested too deeply");
    let at = this.root;
    for (const part of path) at = at.children.get(part) ?? this.#add(at, part);
    // Whoever checks one of two values must not be fooled by the other.
    if (at.value !== undefined && at.value !== value)
      throw malformedInput(`Duplicate parameter ${name.slice(0, 100)}`);
    at.value = value;
  }

  #add(parent: Node, part: string): Node {
    if (++this.#nodes > MAX_NODES) throw malformedInput("Too many parameters");
    return parent.add(part);
  }
}
