import { describe, expect, it } from "vitest";
import { compileConditions, isOperator } from "./conditions.ts";
import type { ConditionElement } from "./document.ts";

type Context = Readonly<Record<string, readonly string[]>>;

function holds(element: ConditionElement, context: Context): boolean {
  const conditions = compileConditions(element, true) ?? [];
  return conditions.every((condition) => condition.holds((name) => context[name]));
}

const one = (operator: string, value: string | readonly string[]): ConditionElement => ({
  [operator]: { "a:Key": value },
});

describe("condition operators", () => {
  it.each<[operator: string, policy: string | readonly string[], request: string, holds: boolean]>([
    ["StringEquals", "x", "x", true],
    ["StringEquals", ["y", "x"], "x", true],
    ["StringEquals", "x*", "xyz", false],
    ["StringEquals", "X", "x", false],
    ["StringNotEquals", ["y", "x"], "x", false],
    ["StringNotEquals", ["y", "z"], "x", true],
    ["StringEqualsIgnoreCase", "X", "x", true],
    ["StringNotEqualsIgnoreCase", "X", "x", false],
    ["StringLike", "x*z?", "xyyz1", true],
    ["StringNotLike", "x*", "xy", false],
    ["NumericEquals", "5", "5.0", true],
    ["NumericNotEquals", "5", "6", true],
    ["NumericLessThan", "5", "5", false],
    ["NumericLessThanEquals", "5", "5", true],
    ["NumericGreaterThan", "5", "50", true],
    ["NumericGreaterThanEquals", "5", "4", false],
    ["NumericEquals", "5", "five", false],
    ["DateEquals", "2026-01-01T00:00:00Z", "1767225600", true],
    ["DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", true],
    ["DateGreaterThanEquals", "2026-01-01", "2025-12-31T23:59:59Z", false],
    ["Bool", "true", "TRUE", true],
    ["Bool", "true", "false", false],
    ["BinaryEquals", "QmlucA==", "QmlucA==", true],
    ["IpAddress", "10.0.0.0/8", "10.9.8.7", true],
    ["IpAddress", "10.0.0.0/8", "::ffff:10.9.8.7", true],
    ["IpAddress", "2001:db8::/32", "2001:db8:1::1", true],
    ["IpAddress", "10.0.0.1", "10.0.0.2", false],
    ["IpAddress", "10.0.0.0/33", "10.0.0.0", false],
    ["NotIpAddress", "10.0.0.0/8", "11.0.0.1", true],
    ["ArnLike", "arn:aws:sns:*:111111111111:t*", "arn:aws:sns:us-east-1:111111111111:topic", true],
    ["ArnEquals", "arn:aws:sns:*:*:t", "arn:aws:sns:us-east-1:111111111111:t", true],
    ["ArnLike", "arn:aws:*:t", "arn:aws:sns:us-east-1:111111111111:t", false],
    ["ArnNotLike", "arn:aws:sns:*:*:t", "arn:aws:sns:us-east-1:111111111111:t", false],
  ])("%s %j of %j: %s", (operator, policy, request, expected) => {
    expect(holds(one(operator, policy), { "a:key": [request] })).toBe(expected);
  });

  it.each<[operator: string, holds: boolean]>([
    ["StringEquals", false],
    ["StringNotEquals", true],
    ["StringEqualsIfExists", true],
    ["ForAllValues:StringEquals", true],
    ["ForAnyValue:StringEquals", false],
    ["ForAnyValue:StringNotEquals", false],
    ["Bool", false],
    ["NotIpAddress", true],
  ])("%s of a key that the request lacks: %s", (operator, expected) => {
    expect(holds(one(operator, "x"), {})).toBe(expected);
  });

  it("tells all from any where a key has several values", () => {
    const context = { "a:key": ["x", "y"] };
    expect(holds(one("ForAllValues:StringEquals", ["x", "y", "z"]), context)).toBe(true);
    expect(holds(one("ForAllValues:StringEquals", ["x"]), context)).toBe(false);
    expect(holds(one("ForAnyValue:StringEquals", ["y"]), context)).toBe(true);
    expect(holds(one("ForAnyValue:StringNotEquals", ["x", "y"]), context)).toBe(false);
  });

  it("asks with Null whether a key is there", () => {
    expect(holds(one("Null", "true"), {})).toBe(true);
    expect(holds(one("Null", "false"), {})).toBe(false);
    expect(holds(one("Null", "false"), { "a:key": ["x"] })).toBe(true);
  });

  it("replaces policy variables, whose values are text and no patterns", () => {
    const context = { "a:key": ["home/ann"], "aws:username": ["ann"], "app:any": ["*"] };
    expect(holds(one("StringLike", "home/${aws:username}"), context)).toBe(true);
    expect(holds(one("StringLike", "home/${app:any}"), context)).toBe(false);
    expect(holds(one("StringLike", "home/${aws:nobody, 'ann'}"), context)).toBe(true);
    expect(holds(one("StringEquals", "home/${aws:nobody}"), context)).toBe(false);
    expect(holds(one("StringNotEquals", "home/${aws:nobody}"), context)).toBe(false);
    expect(holds(one("StringLike", "home/${*}"), { "a:key": ["home/*"] })).toBe(true);
    expect(holds(one("StringLike", "home/${*}"), { "a:key": ["home/x"] })).toBe(false);
  });

  it("knows what is an operator", () => {
    for (const name of ["StringEquals", "stringlikeifexists", "ForAnyValue:ArnLike", "Null"])
      expect(isOperator(name)).toBe(true);
    for (const name of ["StringEqual", "ForSomeValues:StringEquals", "NullIfExists", ""])
      expect(isOperator(name)).toBe(false);
  });
});
