/** Where a value stands: its path, and which element of which list holds it. */
interface Entry {
  readonly path: string;
  readonly value: unknown;
  readonly elements: ReadonlyMap<number, number>;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * What the documentation says, word for word: an event is flattened to values at dotted paths, a pattern to sets of
 * fields, and every combination of values is tried whose elements agree on each list. For comparison alone.
 */
export function naivelyMatches(pattern: unknown, event: unknown): boolean {
  let lists = 0;
  const entries = [...flatten(event, "", new Map())];
  return rulesOf(pattern as Json, "").some((rule) => search([...rule], []));

  function search(
    fields: readonly (readonly [string, readonly unknown[]])[],
    chosen: readonly Entry[],
  ): boolean {
    const [field, ...rest] = fields;
    if (field === undefined) return true;
    const [path, list] = field;
    const found = entries.filter((entry) => entry.path === path);
    if (found.length === 0 && list.some(isAbsent) && search(rest, chosen)) return true;
    return found.some(
      (entry) =>
        list.some((item) => compares(item, entry.value)) &&
        chosen.every((other) => agree(entry, other)) &&
        search(rest, [...chosen, entry]),
    );
  }

  function* flatten(value: unknown, path: string, elements: ReadonlyMap<number, number>): Generator<Entry> {
    if (Array.isArray(value)) {
      const list = lists++;
      for (const [index, element] of value.entries())
        yield* flatten(element, path, new Map([...elements, [list, index]]));
    } else if (typeof value === "object" && value !== null) {
      for (const [name, member] of Object.entries(value))
        yield* flatten(member, path === "" ? name : `${path}.${name}`, elements);
    } else yield { path, value, elements };
  }
}

type Rule = ReadonlyMap<string, readonly unknown[]>;

/** Every way to take one alternative of each `$or`. */
function rulesOf(pattern: Json, path: string): readonly Rule[] {
  let rules: readonly Rule[] = [new Map()];
  for (const [name, member] of Object.entries(pattern)) {
    const inner = path === "" ? name : `${path}.${name}`;
    let more: readonly Rule[];
    if (name === "$or") more = (member as readonly Json[]).flatMap((one) => rulesOf(one, path));
    else if (Array.isArray(member)) more = [new Map([[inner, member as readonly unknown[]]])];
    else more = rulesOf(member as Json, inner);
    rules = rules.flatMap((rule) => more.map((other) => new Map([...rule, ...other])));
  }
  return rules;
}

function agree(one: Entry, other: Entry): boolean {
  return [...one.elements].every(([list, index]) => (other.elements.get(list) ?? index) === index);
}

function isAbsent(item: unknown): boolean {
  return JSON.stringify(item) === '{"exists":false}';
}

function compares(item: unknown, value: unknown): boolean {
  if (typeof item !== "object" || item === null) return item === value;
  const text = typeof value === "string" ? value : undefined;
  switch (JSON.stringify(item)) {
    case '{"exists":true}':
      return true;
    case '{"prefix":"x"}':
      return text?.startsWith("x") === true;
    case '{"anything-but":["x","Y"]}':
      return value !== "x" && value !== "Y";
    case '{"anything-but":{"suffix":"y"}}':
      return text?.endsWith("y") !== true;
    case '{"numeric":[">",0,"<",2]}':
      return typeof value === "number" && value > 0 && value < 2;
    case '{"wildcard":"*y*"}':
      return text?.includes("y") === true;
    case '{"equals-ignore-case":"y"}':
      return text === "y" || text === "Y";
    default:
      return false;
  }
}
