import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExpression } from "./parse.ts";
import { parseSearch } from "./search.ts";
import { MathError } from "./tokens.ts";

const parts = fc.constantFrom(
  "m1",
  "SUM",
  "(",
  ")",
  "[",
  "]",
  ",",
  "+",
  "-",
  "^",
  "&&",
  "<=",
  "1.5e3",
  '"a b"',
  "'",
  " OR ",
  "NOT ",
  "{",
  "}",
  "=",
  "é",
  " ",
);
const text = fc.array(parts, { maxLength: 40 }).map((some) => some.join(""));

/** With every operation in parentheses. */
function shown(expression: ReturnType<typeof parseExpression>): string {
  switch (expression.kind) {
    case "number":
      return String(expression.value);
    case "string":
      return `'${expression.value}'`;
    case "id":
      return expression.id;
    case "array":
      return `[${expression.of.map(shown).join(", ")}]`;
    case "negate":
      return `(-${shown(expression.of)})`;
    case "binary":
      return `(${shown(expression.left)} ${expression.operator} ${shown(expression.right)})`;
    default:
      return `${expression.name}(${expression.arguments.map(shown).join(", ")})`;
  }
}

describe("metric math", () => {
  it.each([
    ["m1+m2*3", "(m1 + (m2 * 3))"],
    ["(m1+m2)*3", "((m1 + m2) * 3)"],
    ["10-4-3", "((10 - 4) - 3)"],
    ["2^3^2", "(2 ^ (3 ^ 2))"],
    ["-2^2", "(-(2 ^ 2))"],
    ["m1 > 1 AND m2 < 2 OR m3", "(((m1 > 1) AND (m2 < 2)) OR m3)"],
    ["sum([m1, m2])/100", "(SUM([m1, m2]) / 100)"],
    [`SEARCH('{AWS/Lambda} "x"', "Sum", 300)`, `SEARCH('{AWS/Lambda} "x"', 'Sum', 300)`],
    ["FILL(METRICS(), 0)", "FILL(METRICS(), 0)"],
    ["1.5e-3", "0.0015"],
  ])("parses %s", (text, expected) => {
    expect(shown(parseExpression(text))).toBe(expected);
  });

  it.each(["", "m1 +", "(m1", "m1 m2", "SUM(m1,)", "m1 ? 2", "'open", "[m1"])("refuses %s", (text) => {
    expect(() => parseExpression(text)).toThrow(MathError);
  });

  it("answers any text with a tree or with an error of its own", () => {
    fc.assert(
      fc.property(text, (text) => {
        for (const parse of [parseExpression, parseSearch])
          try {
            parse(text);
          } catch (error) {
            expect(error).toBeInstanceOf(MathError);
          }
      }),
    );
    for (const deep of [
      "(".repeat(2048),
      "-".repeat(2048),
      "2^".repeat(1024),
      "NOT ".repeat(500),
      "a=".repeat(900),
    ])
      for (const parse of [parseExpression, parseSearch])
        try {
          parse(deep);
        } catch (error) {
          expect(error).toBeInstanceOf(MathError);
        }
  });
});

describe("search expressions", () => {
  const metric = {
    namespace: "AWS/Lambda",
    name: "ConcurrentExecutions",
    dimensions: [
      ["FunctionName", "my-order-Function2"],
      ["Resource", "my-order-Function2:live"],
    ],
  } as const;

  it.each([
    ["", true],
    ["{AWS/Lambda,FunctionName,Resource}", true],
    ['{AWS/Lambda,Resource, FunctionName} MetricName="ConcurrentExecutions"', true],
    ["{AWS/Lambda,FunctionName}", false],
    ["{AWS/SQS,FunctionName,Resource}", false],
    ["concurrent", true],
    ["Concurrent Executions order", true],
    ["MetricName=Concurrent", true],
    ['MetricName="Concurrent"', false],
    ['"AWS/Lambda"', true],
    ['"my-order"', false],
    ["FunctionName=(other OR order)", true],
    ['FunctionName="my-order-Function2" NOT Errors', true],
    ["NOT concurrent", false],
    ["errors OR (order AND live)", true],
    ["errors order", false],
    ["function 2", true],
    ["Namespace=AWS/Lambda", true],
  ])("%s", (text, expected) => {
    expect(parseSearch(text).matches(metric)).toBe(expected);
  });
});
