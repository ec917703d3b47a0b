import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AlarmRuleError, alarmsOf, holds, parseRule } from "./rule.ts";

const STATES = { a: "ALARM", b: "OK", "c d": "INSUFFICIENT_DATA" } as const;
const stateOf = (name: string) => (STATES as Record<string, "ALARM" | "OK" | "INSUFFICIENT_DATA">)[name];

describe("alarm rules", () => {
  it.each([
    ["ALARM(a)", true],
    ['ALARM("a")', true],
    ["ALARM(arn:aws:cloudwatch:us-east-1:111111111111:alarm:a)", true],
    ["OK(a)", false],
    ["INSUFFICIENT_DATA('c d')", undefined],
    ['INSUFFICIENT_DATA("c d")', true],
    ["NOT ALARM(a)", false],
    ["NOT (ALARM(a) AND OK(b))", false],
    ["ALARM(b) OR OK(b) AND ALARM(a)", true],
    ["(ALARM(b) OR OK(b)) AND ALARM(gone)", false],
    ["TRUE", true],
    ["FALSE OR NOT FALSE", true],
    ["ALARM(a) AND", undefined],
    ["alarm(a)", undefined],
    ["ALARM(a", undefined],
    ["ALARM(a) ALARM(b)", undefined],
    ["", undefined],
  ])("%s", (text, expected) => {
    if (expected === undefined) expect(() => parseRule(text)).toThrow(AlarmRuleError);
    else expect(holds(parseRule(text), stateOf)).toBe(expected);
  });

  it("names the alarms it looks at", () => {
    expect([...alarmsOf(parseRule('ALARM(a) AND NOT (OK(b) OR OK("c d") OR ALARM(a))'))]).toEqual([
      "a",
      "b",
      "c d",
    ]);
  });

  it("refuses any other text with an error of its own, however deep it is nested", () => {
    const part = fc.constantFrom(
      "ALARM",
      "(",
      ")",
      "NOT ",
      " AND ",
      " OR ",
      "a",
      '"',
      "\\",
      "TRUE",
      " ",
      "é",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        try {
          parseRule(parts.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(AlarmRuleError);
        }
      }),
    );
    expect(() => parseRule("(".repeat(10_000))).toThrow(AlarmRuleError);
    expect(() => parseRule("NOT ".repeat(2500))).toThrow(AlarmRuleError);
  });
});
