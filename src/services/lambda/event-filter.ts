import { errors } from "./errors.ts";

/** Operators of event patterns (EventBridge user guide, "Comparison operators for use in event patterns"). */
const OPERATORS: ReadonlySet<string> = new Set([
  "prefix",
  "suffix",
  "anything-but",
  "numeric",
  "exists",
  "equals-ignore-case",
  "wildcard",
  "cidr",
]);

/** Deeper than any event is. */
const MAX_DEPTH = 64;

/**
 * Checks a filter of an event source mapping: an object whose leaves are lists of values and operators.
 * @throws AwsError InvalidParameterValueException (recorded: sqs_invalid_event_filter)
 */
export function requireFilterPattern(pattern: string | undefined): void {
  let value: unknown;
  try {
    value = JSON.parse(pattern ?? "");
  } catch {
    throw errors.invalidFilterPattern();
  }
  if (!isObject(value) || !isPattern(value, 0)) throw errors.invalidFilterPattern();
}

function isPattern(value: Readonly<Record<string, unknown>>, depth: number): boolean {
  if (depth > MAX_DEPTH) return false;
  const entries = Object.entries(value);
  return (
    entries.length > 0 &&
    entries.every(([key, member]) => {
      if (isObject(member)) return isPattern(member, depth + 1);
      if (!Array.isArray(member) || member.length === 0) return false;
      return key === "$or"
        ? member.every((one: unknown) => isObject(one) && isPattern(one, depth + 1))
        : member.every(isMatcher);
    })
  );
}

function isMatcher(value: unknown): boolean {
  if (!isObject(value)) return !Array.isArray(value);
  const [operator, ...more] = Object.keys(value);
  return operator !== undefined && more.length === 0 && OPERATORS.has(operator);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
