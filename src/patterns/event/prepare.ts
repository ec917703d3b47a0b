/** An event as patterns read it. */
export interface PreparedEvent {
  readonly value: unknown;
}

/** What lies deeper than any pattern reaches is left out, so that no event can exhaust the stack. */
const MAX_DEPTH = 400;

/**
 * Makes an event that was parsed from JSON ready for any number of patterns: members with dots in their names become
 * nested ones, `{"a.b": 1}` is `{"a": {"b": 1}}` (recorded: test_filter_policy_on_message_body_dot_attribute).
 */
export function prepareEvent(event: unknown): PreparedEvent {
  return { value: prepare(event, 0) };
}

type Members = Record<string, unknown>;

/** Copies only what changes. */
function prepare(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth > MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return prepareList(value, depth);
  let changed = false;
  const prepared: [string, unknown][] = [];
  for (const name of Object.keys(value)) {
    const before = (value as Members)[name];
    const member = prepare(before, depth + 1);
    changed ||= member !== before || name.includes(".");
    prepared.push([name, member]);
  }
  return changed ? nest(prepared) : value;
}

function prepareList(list: readonly unknown[], depth: number): readonly unknown[] {
  const prepared = list.map((element) => prepare(element, depth + 1));
  return prepared.some((element, index) => element !== list[index]) ? prepared : list;
}

function nest(members: readonly (readonly [string, unknown])[]): Members {
  // Without a prototype: a member may have any name.
  const result = Object.create(null) as Members;
  for (const [name, value] of members) {
    const steps = name.split(".");
    if (steps.length > MAX_DEPTH) continue;
    const first = steps[0] ?? "";
    let inner = value;
    for (const step of steps.slice(1).toReversed())
      inner = Object.assign(Object.create(null), { [step]: inner });
    result[first] = first in result ? merge(result[first], inner) : inner;
  }
  return result;
}

/** Two values that have come to stand at the same place. */
function merge(one: unknown, other: unknown): unknown {
  if (isMembers(one) && isMembers(other)) {
    const merged = Object.assign(Object.create(null) as Members, one);
    for (const [name, value] of Object.entries(other))
      merged[name] = name in merged ? merge(merged[name], value) : value;
    return merged;
  }
  if (Array.isArray(one) && isMembers(other)) return mergeInto(one, other);
  if (isMembers(one) && Array.isArray(other)) return mergeInto(other, one);
  return [one, other];
}

/** What stands beside a list holds for each of its elements. */
function mergeInto(list: readonly unknown[], members: Members): unknown {
  if (list.length === 0) return members;
  return list.map((element) => merge(element, members));
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
