import { POLICY_MEMBERS, STATEMENT_MEMBERS } from "#policy/document";
import { errors } from "./errors.ts";

/** `"*"`, or lists by kind: `{ Service: "s3.amazonaws.com" }`, `{ AWS: [...] }`. */
export type PolicyPrincipal = "*" | Readonly<Record<string, string | readonly string[]>>;

/** By operator (`StringEquals`, `ArnLike`, `Bool`), then by condition key. */
export type PolicyCondition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** A statement in the form that IAM gives it (IAM user guide, "Grammar of the IAM JSON policy language"). */
export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: PolicyPrincipal;
  readonly NotPrincipal?: PolicyPrincipal;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: PolicyCondition;
}

/** `[account, region, "function-policy", name, qualifier]`: a whole policy document, as an evaluator reads it. */
export interface PolicyDocument {
  readonly Version: string;
  readonly Id?: string;
  readonly Statement: readonly PolicyStatement[];
}

/**
 * Reads a policy that a client wrote. A single statement becomes a list of one.
 * @throws AwsError InvalidParameterValueException where IAM's grammar does not allow it
 */
export function parsePolicyDocument(text: string): PolicyDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw errors.malformedPolicy("it is not JSON");
  }
  if (!isObject(value)) throw errors.malformedPolicy("it is not an object");
  requireMembers(value, POLICY_MEMBERS);
  const { Version = "2008-10-17", Id, Statement } = value;
  if (Version !== "2012-10-17" && Version !== "2008-10-17")
    throw errors.malformedPolicy("its Version is unknown");
  if (Id !== undefined && typeof Id !== "string") throw errors.malformedPolicy("its Id is not a string");
  const statements: readonly unknown[] = Array.isArray(Statement) ? Statement : [Statement];
  if (statements.length === 0) throw errors.malformedPolicy("it has no statement");
  const parsed = statements.map(parseStatement);
  const sids = parsed.flatMap(({ Sid }) => Sid ?? []);
  if (new Set(sids).size < sids.length) throw errors.malformedPolicy("two statements have the same Sid");
  return { Version, ...(Id === undefined ? {} : { Id }), Statement: parsed };
}

function parseStatement(value: unknown): PolicyStatement {
  if (!isObject(value)) throw errors.malformedPolicy("a statement is not an object");
  requireMembers(value, STATEMENT_MEMBERS);
  const { Sid, Effect, Condition } = value;
  if (Sid !== undefined && typeof Sid !== "string") throw errors.malformedPolicy("a Sid is not a string");
  if (Effect !== "Allow" && Effect !== "Deny") throw errors.malformedPolicy("an Effect is not Allow or Deny");
  requireOne(value, "Principal", "NotPrincipal", isPrincipal);
  requireOne(value, "Action", "NotAction", isStrings);
  requireOne(value, "Resource", "NotResource", isStrings);
  if (Condition !== undefined && !isCondition(Condition))
    throw errors.malformedPolicy("a Condition does not map operators to keys and values");
  // Each member has been looked at above.
  return value as unknown as PolicyStatement;
}

function requireMembers(value: Readonly<Record<string, unknown>>, allowed: ReadonlySet<string>): void {
  const unknown = Object.keys(value).find((name) => !allowed.has(name));
  if (unknown !== undefined) throw errors.malformedPolicy(`${unknown} is not an element of policies`);
}

function requireOne(
  value: Readonly<Record<string, unknown>>,
  name: string,
  opposite: string,
  fits: (element: unknown) => boolean,
): void {
  const given = [name, opposite].filter((member) => value[member] !== undefined);
  const [only] = given;
  if (only === undefined || given.length > 1)
    throw errors.malformedPolicy(`a statement needs either ${name} or ${opposite}`);
  if (!fits(value[only])) throw errors.malformedPolicy(`the form of a statement's ${only} is unknown`);
}

function isPrincipal(value: unknown): boolean {
  if (value === "*") return true;
  return isObject(value) && Object.keys(value).length > 0 && Object.values(value).every(isStrings);
}

function isCondition(value: unknown): boolean {
  return (
    isObject(value) &&
    Object.values(value).every((keys) => isObject(keys) && Object.values(keys).every(isConditionValue))
  );
}

/** Numbers and booleans may be written without quotes there. */
function isConditionValue(value: unknown): boolean {
  return isStrings(value) || typeof value === "boolean" || typeof value === "number";
}

function isStrings(value: unknown): boolean {
  return typeof value === "string" || (Array.isArray(value) && value.every((one) => typeof one === "string"));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
