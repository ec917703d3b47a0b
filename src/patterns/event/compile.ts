import type { Dialect } from "./dialect.ts";
import { patternError } from "./error.ts";
import type { JsonNode } from "./json.ts";
import { compileOperator, type Fail } from "./operators.ts";
import { emptyPattern, type Field, type Leaf, type ObjectPattern, type ValueTest } from "./pattern.ts";

type ObjectNode = Extract<JsonNode, { kind: "object" }>;
type ArrayNode = Extract<JsonNode, { kind: "array" }>;

const OR = "$or";
/** What cannot be a field's name inside of `$or`, because it would read as an operator there. */
const RESERVED: ReadonlySet<string> = new Set([
  "prefix",
  "suffix",
  "anything-but",
  "numeric",
  "exists",
  "equals-ignore-case",
  "wildcard",
  "cidr",
  "exactly",
]);

/**
 * Compiles a pattern that was read as JSON from `text`. Names with dots in them and nested objects are the same thing
 * (recorded: test_filter_policy_on_message_body_dot_attribute).
 * @throws EventPatternError in the words and with the places of AWS's own compiler
 */
export function compilePattern(node: JsonNode, text: string, dialect: Dialect): ObjectPattern {
  const fail: Fail = (message, offset) => patternError(message, text, offset);
  if (node.kind !== "object") throw fail("Filter is not an object", node.at);
  const root = emptyPattern();
  readObject(node, root, [], false);
  return root;

  function readObject(object: ObjectNode, into: ObjectPattern, path: readonly string[], inOr: boolean): void {
    if (object.members.length === 0) throw fail("Empty objects are not allowed", object.end);
    for (const { name, value } of object.members) {
      if (name === OR) {
        into.alternatives.push(readAlternatives(value, path));
        continue;
      }
      if (inOr && RESERVED.has(name))
        throw fail(`${name} is Ruler reserved fieldName which cannot be used inside ${OR}.`, value.at);
      const steps = name.split(".");
      const inner = [...path, ...steps];
      if (value.kind === "object") {
        const field = fieldAt(into, steps);
        field.object ??= emptyPattern();
        readObject(value, field.object, inner, inOr);
      } else if (value.kind === "array") fieldAt(into, steps).leaf = readLeaf(value, inner);
      else throw fail(`"${name}" must be an object or an array`, value.at);
    }
  }

  function readAlternatives(node: JsonNode, path: readonly string[]): readonly ObjectPattern[] {
    if (node.kind !== "array") throw fail(`It must be an Array followed with ${OR}.`, node.at);
    const alternatives = node.items.map((item) => {
      if (item.kind !== "object")
        throw fail(`Only JSON object is allowed in array of ${OR} relationship.`, item.at);
      const alternative = emptyPattern();
      readObject(item, alternative, path, true);
      return alternative;
    });
    if (alternatives.length < 2)
      throw fail(`There must have at least 2 Objects in ${OR} relationship.`, node.end);
    return alternatives;
  }

  function readLeaf(list: ArrayNode, path: readonly string[]): Leaf {
    if (list.items.length === 0) throw fail("Empty arrays are not allowed", list.end);
    const tests: ValueTest[] = [];
    const values = new Set<unknown>();
    let absent = false;
    for (const item of list.items) {
      if (item.kind === "array")
        throw fail("Match value must be String, number, true, false, or null", item.at);
      if (item.kind === "object") {
        const test = compileOperator(item, dialect, fail);
        if (test === "absent") absent = true;
        else tests.push(test);
      } else values.add(item.value);
    }
    if (values.size > 0) tests.unshift((value) => values.has(value));
    return { path, tests, absent, size: list.items.length };
  }
}

function fieldAt(pattern: ObjectPattern, steps: readonly string[]): Field {
  let fields = pattern.fields;
  const last = steps.length - 1;
  for (const step of steps.slice(0, last)) {
    const field = fields.get(step) ?? {};
    fields.set(step, field);
    field.object ??= emptyPattern();
    ({ fields } = field.object);
  }
  const name = steps[last] ?? "";
  const field = fields.get(name) ?? {};
  fields.set(name, field);
  return field;
}
