import { compileCidr } from "./cidr.ts";
import type { Dialect, NegatedOperator, Operator } from "./dialect.ts";
import { EventPatternError } from "./error.ts";
import type { JsonMember, JsonNode } from "./json.ts";
import { compileNumeric } from "./numeric.ts";
import type { ValueTest } from "./pattern.ts";
import { compileWildcard } from "./wildcard.ts";

/** Makes the error for a message and the offset that AWS's parser would name. */
export type Fail = (message: string, offset: number) => EventPatternError;

type ObjectNode = Extract<JsonNode, { kind: "object" }>;
type StringTest = (value: string) => boolean;

const ONE_KEY = "Only one key allowed in match expression";

/** Compiles `{ "prefix": "a" }` and its like; "absent" is `{ "exists": false }`, which no value can satisfy. */
export function compileOperator(node: ObjectNode, dialect: Dialect, fail: Fail): ValueTest | "absent" {
  const [member, second] = node.members;
  if (member === undefined) throw fail("Match expression name not found", node.end);
  const { name, value } = member;
  if (!isOperator(name, dialect)) throw fail(`Unrecognized match type ${name}`, value.at);
  const test = COMPILERS[name](value, dialect, fail);
  if (second !== undefined) throw fail(ONE_KEY, second.value.at);
  return test;
}

const COMPILERS: Readonly<
  Record<Operator, (operand: JsonNode, dialect: Dialect, fail: Fail) => ValueTest | "absent">
> = {
  prefix: (operand, dialect, fail) => onStrings(compileEnd("prefix", operand, dialect, fail)),
  suffix: (operand, dialect, fail) => onStrings(compileEnd("suffix", operand, dialect, fail)),
  "equals-ignore-case": (operand, _, fail) =>
    onStrings(ignoringCase(requireString("equals-ignore-case", operand, fail))),
  wildcard: (operand, _, fail) =>
    onStrings(compileWildcardAt(requireString("wildcard", operand, fail), operand, fail)),
  // AWS's own compiler names the wrong operator here (recorded: test_validate_policy_string_operators).
  cidr: (operand, _, fail) => onStrings(compileCidr(requireString("prefix", operand, fail))),
  numeric(operand, _, fail) {
    if (operand.kind !== "array") throw fail("Value of numeric must be an array.", operand.at);
    const inRange = compileNumeric(operand, fail);
    return (value) => typeof value === "number" && inRange(value);
  },
  exists(operand, _, fail) {
    if (operand.kind !== "literal" || operand.value === null)
      throw fail("exists match pattern must be either true or false.", operand.at);
    return operand.value ? () => true : "absent";
  },
  "anything-but": compileAnythingBut,
};

function isOperator(name: string, { operators }: Dialect): name is Operator {
  return (operators as ReadonlySet<string>).has(name);
}

function onStrings(test: StringTest): ValueTest {
  return (value) => typeof value === "string" && test(value);
}

function requireString(operator: string, node: JsonNode, fail: Fail): string {
  if (node.kind !== "string") throw fail(`${operator} match pattern must be a string`, node.at);
  return node.value;
}

function ignoringCase(wanted: string): StringTest {
  const folded = wanted.toLowerCase();
  return (value) => value.toLowerCase() === folded;
}

const ENDS = {
  prefix: (value: string, wanted: string) => value.startsWith(wanted),
  suffix: (value: string, wanted: string) => value.endsWith(wanted),
} as const;

function compileEnd(operator: "prefix" | "suffix", node: JsonNode, dialect: Dialect, fail: Fail): StringTest {
  const matches = ENDS[operator];
  if (node.kind !== "object" || !dialect.extended) {
    const wanted = requireString(operator, node, fail);
    return (value) => matches(value, wanted);
  }
  const [member, second] = node.members;
  const title = operator === "prefix" ? "Prefix" : "Suffix";
  if (member === undefined) throw fail(`${title} expression name not found`, node.end);
  if (member.name !== "equals-ignore-case")
    throw fail(`Unsupported ${operator} pattern: ${member.name}`, member.value.at);
  const folded = requireString(member.name, member.value, fail).toLowerCase();
  if (second !== undefined) throw fail(ONE_KEY, second.value.at);
  return (value) => matches(value.toLowerCase(), folded);
}

function compileWildcardAt(wanted: string, node: JsonNode, fail: Fail): StringTest {
  try {
    return compileWildcard(wanted);
  } catch (error) {
    if (!(error instanceof EventPatternError)) throw error;
    throw fail(error.message, node.kind === "string" ? node.end : node.at);
  }
}

/** Matches every value, also one that is no string, but those that are listed or that its operator matches. */
function compileAnythingBut(node: JsonNode, dialect: Dialect, fail: Fail): ValueTest {
  if (node.kind === "object") return compileNegated(node, dialect, fail);
  if (node.kind !== "array" && node.kind !== "string" && node.kind !== "number")
    throw fail("Value of anything-but must be an array or single string/number value.", node.at);
  const excluded = new Set<unknown>();
  const kinds = new Set<string>();
  const [items, end] = node.kind === "array" ? [node.items, node.end] : [[node], node.at];
  for (const item of items) {
    if (item.kind !== "string" && item.kind !== "number")
      throw failInList("Inside anything but list, start|null|boolean is not supported.", item.at, fail);
    excluded.add(item.value);
    kinds.add(item.kind);
  }
  if (kinds.size !== 1)
    throw fail(
      "Inside anything but list, either all values are number or string, mixed type is not supported",
      end,
    );
  return (value) => !excluded.has(value);
}

function compileNegated(node: ObjectNode, dialect: Dialect, fail: Fail): ValueTest {
  const [member, second] = node.members;
  if (member === undefined) throw fail("Anything-But expression name not found", node.end);
  const { name, value } = member;
  if (!isNegated(name, dialect)) throw fail(`Unsupported anything-but pattern: ${name}`, value.at);
  const tests = negatedOperands(member, dialect, fail).map((operand) => {
    const inList = operand !== value;
    const wanted = negatedString(name, operand, dialect, inList ? (...at) => failInList(...at, fail) : fail);
    return compileNegatedString(name, wanted, operand, fail);
  });
  if (second !== undefined) throw fail(ONE_KEY, second.value.at);
  return (found) => typeof found !== "string" || !tests.some((test) => test(found));
}

function isNegated(name: string, { anythingBut }: Dialect): name is NegatedOperator {
  return (anythingBut as ReadonlySet<string>).has(name);
}

function negatedOperands({ value }: JsonMember, dialect: Dialect, fail: Fail): readonly JsonNode[] {
  if (!dialect.extended || value.kind === "string" || value.kind === "number") return [value];
  if (value.kind !== "array")
    throw fail("Value of anything-but must be an array or single string/number value.", value.at);
  return value.items;
}

function negatedString(name: NegatedOperator, node: JsonNode, { extended }: Dialect, fail: Fail): string {
  if (node.kind !== "string") {
    if (name === "equals-ignore-case")
      throw fail(
        "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
        node.at,
      );
    const operator = name === "wildcard" || !extended ? name : "prefix/suffix";
    throw fail(`${operator} match pattern must be a string`, node.at);
  }
  if (node.value === "" && (name === "prefix" || name === "suffix"))
    throw fail("Null prefix/suffix not allowed", node.end);
  return node.value;
}

function compileNegatedString(name: NegatedOperator, wanted: string, node: JsonNode, fail: Fail): StringTest {
  if (name === "equals-ignore-case") return ignoringCase(wanted);
  if (name === "wildcard") return compileWildcardAt(wanted, node, fail);
  return (value) => ENDS[name](value, wanted);
}

/** AWS wraps what is wrong inside of a list once more, so that the place stands there twice (recorded). */
function failInList(message: string, offset: number, fail: Fail): EventPatternError {
  return fail(fail(message, offset).message, offset);
}
