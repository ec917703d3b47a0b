import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileEventPattern, EVENT_BRIDGE, EventPatternError, FILTER_POLICY } from "./event.ts";

function refusalOf(pattern: string): string {
  try {
    compileEventPattern(pattern);
  } catch (error) {
    if (error instanceof EventPatternError) return error.message;
    throw error;
  }
  throw new Error(`${pattern} was accepted`);
}

describe("what AWS's compiler refuses by its source", () => {
  it.each([
    ["{}", "Empty objects are not allowed"],
    ['{"a":{}}', "Empty objects are not allowed"],
    ['{"a":[{}]}', "Match expression name not found"],
    ['{"$or":{"a":["x"]}}', "It must be an Array followed with $or."],
    ['{"$or":[{"a":["x"]}]}', "There must have at least 2 Objects in $or relationship."],
    ['{"$or":[{"a":["x"]},1]}', "Only JSON object is allowed in array of $or relationship."],
    [
      '{"$or":[{"a":["x"]},{"prefix":["x"]}]}',
      "prefix is Ruler reserved fieldName which cannot be used inside $or.",
    ],
    [
      '{"a":[{"anything-but":["x",1]}]}',
      "Inside anything but list, either all values are number or string, mixed type is not supported",
    ],
    [
      '{"a":[{"anything-but":[]}]}',
      "Inside anything but list, either all values are number or string, mixed type is not supported",
    ],
    ['{"a":[{"anything-but":{}}]}', "Anything-But expression name not found"],
    ['{"a":[{"numeric":[]}]}', "Invalid member in numeric match: ]"],
    ['{"a":[{"numeric":["~",1]}]}', "Unrecognized numeric range operator: ~"],
    ['{"a":[{"numeric":["=","1"]}]}', "Value of equals must be numeric"],
    ['{"a":[{"numeric":["<",1,">",0]}]}', "Too many elements in numeric expression"],
    ['{"a":[{"numeric":[">",1,"<",0]}]}', "Bottom must be less than top"],
    ['{"a":[{"numeric":[">",1,"<",2,3]}]}', "Too many terms in numeric range expression"],
    ['{"a":[{"numeric":["=",6e9]}]}', "Value must be between -5.0E9 and 5.0E9, inclusive"],
    ['{"a":[{"wildcard":"a**"}]}', "Consecutive wildcard characters at pos 2"],
    ['{"a":[{"wildcard":"\\\\a"}]}', "Invalid escape character at pos 1"],
    ['{"a":[{"cidr":"10.0.0.0/32"}]}', "IPv4 mask bits must be < 32"],
    ['{"a":[{"cidr":"::/128"}]}', "IPv6 mask bits must be < 128"],
    ['{"a":[{"prefix":{"suffix":"x"}}]}', "Unsupported prefix pattern: suffix"],
  ])("%s", (pattern, refusal) => {
    expect(refusalOf(pattern).split("\n")[0]).toBe(refusal);
  });

  it("tells the place in a pattern of several lines, and repeats no more than 500 characters of it", () => {
    const pattern = `{\n  "a": [],\n  "b": ["${"x".repeat(600)}"]\n}`;
    expect(refusalOf(pattern)).toBe(
      `Empty arrays are not allowed\n at [Source: (String)"${pattern.slice(0, 500)}"` +
        `[truncated ${pattern.length - 500} chars]; line: 2, column: 10]`,
    );
  });
});

describe("patterns from anywhere", () => {
  it("are compiled or refused, never anything else", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 80 }),
      fc.json(),
      fc.stringMatching(/^\{("(\$or|prefix|numeric|anything-but|a\.b|x)"|[[\]{}:,"]|=|<|0|null){0,12}\}$/),
    );
    fc.assert(
      fc.property(text, fc.jsonValue(), (pattern, event) => {
        for (const dialect of [EVENT_BRIDGE, FILTER_POLICY]) {
          try {
            expect(typeof compileEventPattern(pattern, dialect)(event)).toBe("boolean");
          } catch (error) {
            expect(error).toBeInstanceOf(EventPatternError);
          }
        }
      }),
    );
  });

  it.each([
    ["opened lists", "[".repeat(100_000)],
    ["opened objects", '{"a":'.repeat(50_000)],
    ["a long string that never ends", `{"a":["${"\\n".repeat(100_000)}`],
  ])("may be hostile: %s", (_, pattern) => {
    expect(() => compileEventPattern(pattern)).toThrow(EventPatternError);
  });
});
