import type { Constraints, Shape } from "../schema/model.ts";
import type { Rule } from "./violation.ts";

/** A rule that a value may break: `broken` says whether it does. */
export interface Check {
  readonly rule: Rule;
  readonly wording: string;
  readonly broken: (value: unknown) => boolean;
}

/** A pattern is not tried on text this much longer than allowed, so that no pattern's backtracking can be abused. */
const patternSlack = 1024;

/** What `constraints` ask of one value, in the order in which AWS reports them. */
export function checksOf(shape: Shape, constraints: Constraints): readonly Check[] {
  const checks: Check[] = [];
  const { min, max, pattern, enum: allowed } = constraints;
  if (pattern !== undefined) {
    const expression = compilePattern(pattern);
    const longest = max === undefined ? Number.POSITIVE_INFINITY : max + patternSlack;
    checks.push({
      rule: { kind: "pattern" },
      wording: `Member must satisfy regular expression pattern: ${pattern}`,
      broken: (value) => typeof value === "string" && value.length <= longest && !expression.test(value),
    });
  }
  const size = sizeOf(shape);
  if (size !== undefined) {
    const noun = isNumber(shape) ? "value" : "length";
    if (max !== undefined)
      checks.push({
        rule: { kind: "max", limit: max },
        wording: `Member must have ${noun} less than or equal to ${max}`,
        broken: (value) => size(value) > max,
      });
    if (min !== undefined)
      checks.push({
        rule: { kind: "min", limit: min },
        wording: `Member must have ${noun} greater than or equal to ${min}`,
        broken: (value) => size(value) < min,
      });
  }
  if (allowed !== undefined) {
    const set: ReadonlySet<unknown> = new Set(allowed);
    checks.push({
      rule: { kind: "enum" },
      wording: `Member must satisfy enum value set: [${allowed.join(", ")}]`,
      broken: (value) => !set.has(value),
    });
  }
  return checks;
}

/**
 * The rules of a list's elements or a map's keys or values as one sentence, lengths first: AWS reports the list as a
 * whole, with everything that its elements must satisfy.
 */
export function elementWording(checks: readonly Check[], nullable: boolean): string {
  const patternLast = [
    ...checks.filter(({ rule }) => rule.kind !== "pattern"),
    ...checks.filter(({ rule }) => rule.kind === "pattern"),
  ];
  const wordings = patternLast.map(({ wording }) => wording);
  if (!nullable) wordings.push("Member must not be null");
  return `Member must satisfy constraint: [${wordings.join(", ")}]`;
}

/**
 * Patterns of EventBridge that take a backtracking engine exponential time, and what matches the same text in linear
 * time: runs of a set are allowed to be separated by blanks, of which one is in the set itself.
 */
const LINEAR: Readonly<Record<string, string>> = {
  "^[ \\t]*[\\x20-\\x7E]+([ \\t]+[\\x20-\\x7E]+)*[ \\t]*$": "^\\t*[\\x20-\\x7E][\\t\\x20-\\x7E]*$",
  "^[ \\t]*[^\\x00-\\x1F:\\x7F]+([ \\t]+[^\\x00-\\x1F:\\x7F]+)*[ \\t]*$":
    "^\\t*[^\\x00-\\x1F:\\x7F](?:\\t|[^\\x00-\\x1F:\\x7F])*$",
};

/** Patterns match the whole value, as Java's `matches` does. Some are Unicode patterns, some are legal only without. */
export function compilePattern(pattern: string): RegExp {
  const source = `^(?:${LINEAR[pattern] ?? pattern})$`;
  try {
    return new RegExp(source, "u");
  } catch {
    return new RegExp(source);
  }
}

function isNumber(shape: Shape): boolean {
  return ["byte", "short", "integer", "long", "float", "double"].includes(shape.kind);
}

/** What `min` and `max` measure; `undefined` where they say nothing about the shape. */
function sizeOf(shape: Shape): ((value: unknown) => number) | undefined {
  switch (shape.kind) {
    case "string":
      return (value) => (value as string).length;
    case "list":
      return (value) => (value as readonly unknown[]).length;
    case "map":
      return (value) => Object.keys(value as object).length;
    case "blob":
      // A stream's length is known only when it has ended.
      return shape.traits.streaming ? undefined : (value) => (value as Uint8Array).byteLength;
    case "byte":
    case "short":
    case "integer":
    case "long":
    case "float":
    case "double":
      return (value) => value as number;
    default:
      return undefined;
  }
}
