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
    ["AT_LEAST(1, ALARM, (a, b))", true],
    ['AT_LEAST(2, ALARM, (a, "c d"))', false],
    ['AT_LEAST(2, NOT OK, (a, b, "c d", gone))', true],
    ['AT_LEAST(50%, OK, (a, b, "c d"))', false],
    ["AT_LEAST(50%, OK, (arn:aws:cloudwatch:us-east-1:111111111111:alarm:a, b)) AND NOT OK(a)", true],
    ["AT_LEAST(3, ALARM, (a, b))", undefined],
    ["AT_LEAST(0, ALARM, (a, b))", undefined],
    ["AT_LEAST(101%, ALARM, (a, b))", undefined],
    ["AT_LEAST(1, ALARM, ())", undefined],
    ["AT_LEAST(1, ALARM, a)", undefined],
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

  it("refuses other text in AWS's words", () => {
    // https://github.com/aws/aws-cdk/issues/13953 and 34662 tell what AWS said.
    expect(() => parseRule("ALARM(Sample Oldest)")).toThrow(
      "Unsupported token 'Oldest' at char 13, must be: ')'",
    );
    expect(() => parseRule("()")).toThrow("Unsupported token ')' at char 1, must be: '(', 'NOT', AT_LEAST");
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
      "AT_LEAST(",
      "1%",
      ",",
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
