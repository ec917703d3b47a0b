import {
  EventPatternError,
  FILTER_POLICY,
  JsonSyntaxError,
  matchesEvent,
  type PreparedEvent,
} from "#patterns/event/event";
import { compilePattern } from "#patterns/event/compile";
import { readJson } from "#patterns/event/json";
import { combinationsOf, type ObjectPattern } from "#patterns/event/pattern";
import { snsErrors } from "../errors.ts";
import { isMembers, jsonError } from "../json.ts";
import { LIMITS } from "../limits.ts";

export type FilterPolicyScope = "MessageAttributes" | "MessageBody";

/** What a subscription lets through. */
export interface Filter {
  readonly scope: FilterPolicyScope;
  readonly pattern: ObjectPattern;
}

/**
 * Compiles a filter policy within SNS's limits (developer guide, "Filter policy constraints in Amazon SNS").
 * @param where what stands before "FilterPolicy" in errors
 * @throws AwsError InvalidParameter in recorded words
 */
export function requireFilter(text: string, scope: FilterPolicyScope, where = ""): Filter {
  if (Buffer.byteLength(text) > LIMITS.filterPolicyBytes)
    throw snsErrors.parameter(`${where}FilterPolicy: Filter policy is too large`);
  const pattern = compile(text, where);
  const policy: unknown = JSON.parse(text);
  if (scope === "MessageAttributes" && hasObject(policy))
    throw snsErrors.parameter(
      `${where}Filter policy scope MessageAttributes does not support nested filter policy`,
    );
  // "For a nested policy, only parent keys are counted."
  if (new Set(keysOf(policy)).size > LIMITS.filterPolicyKeys)
    throw snsErrors.parameter(
      `${where}FilterPolicy: Filter policy can not have more than ${LIMITS.filterPolicyKeys} keys`,
    );
  const depth = scope === "MessageBody";
  const combinations = combinationsOf(pattern, ({ size, path }) => (depth ? size * path.length : size));
  if (combinations > LIMITS.filterPolicyCombinations)
    throw snsErrors.parameter(`${where}FilterPolicy: Filter policy is too complex`);
  return { scope, pattern };
}

function compile(text: string, where: string): ObjectPattern {
  try {
    return compilePattern(readJson(text), text, FILTER_POLICY);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw jsonError(error, "FilterPolicy", where);
    if (error instanceof EventPatternError)
      throw snsErrors.parameter(`${where}FilterPolicy: ${error.message}`);
    throw error;
  }
}

/** The names of a policy's own keys, those of its alternatives among them. */
function* keysOf(policy: unknown): Generator<string> {
  if (!isMembers(policy)) return;
  for (const [name, value] of Object.entries(policy))
    if (name !== "$or") yield name;
    else if (Array.isArray(value)) for (const alternative of value) yield* keysOf(alternative);
}

/** Whether a key holds an object; `$or` is no key, and dots in an attribute's name are no nesting. */
function hasObject(policy: unknown): boolean {
  if (!isMembers(policy)) return false;
  return Object.entries(policy).some(([name, value]) =>
    name === "$or" ? Array.isArray(value) && value.some(hasObject) : isMembers(value),
  );
}

/** @param of the message's attributes and its body as patterns read them; a body that is no JSON object matches nothing */
export function passes(
  filter: Filter | undefined,
  of: { readonly attributes: PreparedEvent; readonly body: PreparedEvent | undefined },
): boolean {
  if (filter === undefined) return true;
  const event = filter.scope === "MessageBody" ? of.body : of.attributes;
  return event !== undefined && matchesEvent(filter.pattern, event);
}
