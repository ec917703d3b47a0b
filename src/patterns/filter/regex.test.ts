import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FilterPatternError } from "./error.ts";
import { compileRegex } from "./regex.ts";

describe("matches", () => {
  it.each([
    ["ab", "xaby", true],
    ["^ab$", "ab", true],
    ["^ab$", "xab", false],
    ["a|b", "xb", true],
    ["(ab)+c", "ababc", true],
    ["^(a|b)*$", "abba", true],
    ["a?b", "b", true],
    ["a{2,3}b", "aab", true],
    ["^a{2,3}$", "aaaa", false],
    ["a{2}", "aba", false],
    ["[a-c]x", "bx", true],
    ["[^a-c]x", "bx", false],
    [String.raw`\d+ms`, "took 12ms", true],
    [String.raw`\D`, "12", false],
    [String.raw`^\w+\s\w+$`, "two words", true],
    [String.raw`\x41`, "A", true],
    [String.raw`10\.0`, "10x0", false],
    ["", "", true],
    ["^$", "", true],
    ["a.c", "a\u{1f600}c", true],
  ])("%s on %s", (source, text, expected) => {
    expect(compileRegex(source)(text)).toBe(expected);
  });

  it.each(["(", "a)", "[a", "a{x}", "a{3,2}", "\\", "\\q", "a{9999}{9999}", "[b-a]"])(
    "refuses %s",
    (source) => {
      expect(() => compileRegex(source)).toThrow(FilterPatternError);
    },
  );
});

it("agrees with the language's own engine", () => {
  const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\d", "^", "$");
  const source = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { depthSize: "small" },
      atom,
      fc.tuple(tie("node"), tie("node")).map(([a, b]) => a + b),
      fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(${a}|${b})`),
      fc.tuple(tie("node"), fc.constantFrom("*", "+", "?", "{1,2}")).map(([a, times]) => `(${a})${times}`),
    ),
  })).node;
  fc.assert(
    fc.property(
      source,
      fc.string({ unit: fc.constantFrom("a", "b", "1"), maxLength: 8 }),
      (pattern, text) => {
        expect(compileRegex(pattern)(text)).toBe(new RegExp(pattern, "su").test(text));
      },
    ),
    { numRuns: 2000 },
  );
});

it("takes no more time for an expression that would take others for ever", () => {
  // Counted in steps of the text, not in time: an engine that tries every way would not come to an end here.
  expect(compileRegex("^(a+)+$")(`${"a".repeat(5000)}b`)).toBe(false);
});
