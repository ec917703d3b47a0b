import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileEventPattern } from "./event.ts";
import { naivelyMatches } from "../../../test/support/naive-event-matcher.ts";

function matches(pattern: unknown, event: unknown): boolean {
  return compileEventPattern(JSON.stringify(pattern))(event);
}

describe("one value", () => {
  it.each([
    [["a"], "a", true],
    [["a"], "A", false],
    [["1"], 1, false],
    [[1], 1.0, true],
    [[null], null, true],
    [[null], "null", false],
    [[""], "", true],
    [[{ prefix: "ab" }], "abc", true],
    [[{ prefix: "ab" }], 12, false],
    [[{ prefix: { "equals-ignore-case": "AB" } }], "abc", true],
    [[{ suffix: ".png" }], "a.png", true],
    [[{ suffix: { "equals-ignore-case": ".PNG" } }], "a.png", true],
    [[{ "equals-ignore-case": "AlIcE" }], "alice", true],
    [[{ numeric: [">", 0, "<=", 5] }], 5, true],
    [[{ numeric: [">", 0, "<=", 5] }], 0, false],
    [[{ numeric: ["=", 3.018e2] }], 301.8, true],
    [[{ numeric: ["=", 5] }], "5", false],
    [[{ exists: true }], null, true],
    [[{ exists: false }], null, false],
    [[{ cidr: "10.0.0.0/24" }], "10.0.0.255", true],
    [[{ cidr: "10.0.0.0/24" }], "10.0.1.0", false],
    [[{ cidr: "2001:db8::/32" }], "2001:db8:1234::1", true],
    [[{ cidr: "2001:db8::/32" }], "10.0.0.1", false],
    [[{ wildcard: "dir/*/a*.png" }], "dir/x/y/abc.png", true],
    [[{ wildcard: "a*a" }], "a", false],
    [[{ wildcard: "a\\*b" }], "a*b", true],
    [[{ wildcard: "*" }], "", true],
    [[{ "anything-but": "a" }], "b", true],
    [[{ "anything-but": "a" }], "a", false],
    [[{ "anything-but": ["a", "b"] }], null, true],
    [[{ "anything-but": [1, 2] }], 2, false],
    [[{ "anything-but": { prefix: ["a", "b"] } }], "bc", false],
    [[{ "anything-but": { prefix: "a" } }], 7, true],
    [[{ "anything-but": { suffix: ".txt" } }], "a.png", true],
    [[{ "anything-but": { "equals-ignore-case": ["A"] } }], "a", false],
    [[{ "anything-but": { wildcard: "*/lib/*" } }], "x/lib/y", false],
  ])("%j against %j", (list, value, expected) => {
    expect(matches({ key: list }, { key: value })).toBe(expected);
  });
});

describe("members and lists", () => {
  it.each([
    ["an element of a list is enough", { tags: ["b"] }, { tags: ["a", "b"] }, true],
    ["a list in a list is the same list", { tags: ["b"] }, { tags: [["a"], ["b"]] }, true],
    [
      "two members have to match in one element",
      { staff: { first: ["Anna"], last: ["Smith"] } },
      {
        staff: [
          { first: "Anna", last: "Jones" },
          { first: "Bob", last: "Smith" },
        ],
      },
      false,
    ],
    ["objects do not exist", { a: [{ exists: true }] }, { a: { b: 1 } }, false],
    ["an empty list has no value", { a: [{ exists: false }] }, { a: [] }, true],
    [
      "absence is asked of all elements",
      { a: { b: [{ exists: false }] } },
      { a: [{ b: 1 }, { c: 2 }] },
      false,
    ],
    ["absent where the parent is", { a: { b: [{ exists: false }] } }, {}, true],
    ["absent or a value", { a: ["x", { exists: false }] }, {}, true],
    ["anything-but wants a value", { a: [{ "anything-but": "x" }] }, {}, false],
    ["inherited members are none", { constructor: [{ exists: true }] }, {}, false],
    [
      "a member called __proto__",
      JSON.parse('{"__proto__.a":["x"]}'),
      JSON.parse('{"__proto__":{"a":"x"}}'),
      true,
    ],
  ])("%s", (_, pattern, event, expected) => {
    expect(matches(pattern, event)).toBe(expected);
  });

  const dotted = [{ a: { b: { c: "x" } } }, { "a.b.c": "x" }, { "a.b": { c: "x" } }, { a: { "b.c": "x" } }];
  it.each(dotted.flatMap((event) => dotted.map((form) => [form, event])))(
    "dots in names are nesting (recorded: test_filter_policy_on_message_body_dot_attribute): %j, %j",
    (form, event) => {
      expect(matches(JSON.parse(JSON.stringify(form).replace('"x"', '["x"]')), event)).toBe(true);
    },
  );

  it("takes one of the alternatives, beside all else", () => {
    const pattern = { source: ["s"], $or: [{ a: [1] }, { b: [2], c: [3] }] };
    expect(matches(pattern, { source: "s", a: 1 })).toBe(true);
    expect(matches(pattern, { source: "s", b: 2, c: 3 })).toBe(true);
    expect(matches(pattern, { source: "s", b: 2 })).toBe(false);
    expect(matches(pattern, { source: "t", a: 1 })).toBe(false);
  });
});

const key = fc.constantFrom("a", "b", "c", "a.b", "b.c");
const scalar = fc.constantFrom("x", "xy", "Y", "", 0, 1, 2.5, true, null);
const { event } = fc.letrec<{ event: object; value: unknown }>((tie) => ({
  event: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    tie("event"),
  ),
}));
const item = fc.oneof(
  scalar,
  fc.constantFrom(
    { exists: true },
    { exists: false },
    { prefix: "x" },
    { "anything-but": ["x", "Y"] },
    { "anything-but": { suffix: "y" } },
    { numeric: [">", 0, "<", 2] },
    { wildcard: "*y*" },
    { "equals-ignore-case": "y" },
  ),
);
const { pattern } = fc.letrec<{ pattern: object; field: unknown }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.dictionary(fc.constantFrom("a", "b", "c"), fc.array(item, { minLength: 1, maxLength: 2 }), {
      minKeys: 1,
      maxKeys: 2,
      noNullPrototype: true,
    }),
    fc.dictionary(fc.constantFrom("a", "b", "c"), tie("pattern"), {
      minKeys: 1,
      maxKeys: 2,
      noNullPrototype: true,
    }),
    fc.record({ $or: fc.array(tie("pattern"), { minLength: 2, maxLength: 2 }) }),
  ),
  field: tie("pattern"),
}));

describe("against a matcher that tries every combination of values", () => {
  it("agrees on all patterns and events", () => {
    fc.assert(
      fc.property(pattern, event, (rule, value) => {
        expect(matches(rule, value)).toBe(naivelyMatches(rule, value));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("what takes long elsewhere", () => {
  it("many stars against a long value, and absence in a long list", () => {
    const wildcard = "*a".repeat(40);
    expect(matches({ k: [{ wildcard: `${wildcard}*b` }] }, { k: "a".repeat(200_000) })).toBe(false);
    const list = Array.from({ length: 50_000 }, () => ({ b: 1 }));
    expect(matches({ l: { a: [{ exists: false }], b: [2] } }, { l: list })).toBe(false);
  });

  it("an event that is nested deeper than the stack is deep", () => {
    const deep = JSON.parse(`{"a":${"[".repeat(100_000)}1${"]".repeat(100_000)}}`);
    expect(matches({ a: [1] }, deep)).toBe(false);
  });
});
