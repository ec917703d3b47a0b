import type { Leaf, ObjectPattern } from "./pattern.ts";
import type { PreparedEvent } from "./prepare.ts";

/**
 * Whether an event matches. A list matches where one of its elements does; what a pattern asks of the members of one
 * object has to hold within one element. `exists: false` asks about the whole event: no element may have a value there.
 * Objects are no values: they neither equal nor "exist" (EventBridge user guide, "Exists matching").
 */
export function matchesEvent(pattern: ObjectPattern, event: PreparedEvent): boolean {
  return new Match(event.value).object(pattern, event.value);
}

class Match {
  readonly #event: unknown;
  /** Answers about the whole event, which would otherwise be sought again for each element of a list. */
  readonly #absent = new Map<Leaf, boolean>();

  constructor(event: unknown) {
    this.#event = event;
  }

  object(pattern: ObjectPattern, value: unknown): boolean {
    if (Array.isArray(value) && value.length > 0)
      return value.some((element) => this.object(pattern, element));
    for (const [name, { object, leaf }] of pattern.fields) {
      const member = memberOf(value, name);
      if (object !== undefined && !this.object(object, member)) return false;
      if (leaf !== undefined && !this.#leaf(leaf, member)) return false;
    }
    return pattern.alternatives.every((group) =>
      group.some((alternative) => this.object(alternative, value)),
    );
  }

  #leaf(leaf: Leaf, value: unknown): boolean {
    if (satisfies(leaf, value)) return true;
    if (!leaf.absent) return false;
    const known = this.#absent.get(leaf);
    if (known !== undefined) return known;
    const absent = !hasValue(this.#event, leaf.path, 0);
    this.#absent.set(leaf, absent);
    return absent;
  }
}

function satisfies(leaf: Leaf, value: unknown): boolean {
  if (Array.isArray(value)) return value.some((element) => satisfies(leaf, element));
  return isScalar(value) && leaf.tests.some((test) => test(value));
}

function hasValue(value: unknown, path: readonly string[], depth: number): boolean {
  if (Array.isArray(value)) return value.some((element) => hasValue(element, path, depth));
  const name = path[depth];
  return name === undefined ? isScalar(value) : hasValue(memberOf(value, name), path, depth + 1);
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value !== undefined && (typeof value !== "object" || value === null);
}
