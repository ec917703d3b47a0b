/** `"*"`, or lists by kind: `{ Service: "s3.amazonaws.com" }`, `{ AWS: [...] }`. */
export type PrincipalElement = "*" | Readonly<Record<string, string | readonly string[]>>;

type ConditionValue = string | number | boolean;

/** By operator (`StringEquals`, `ArnLike`, `Bool`), then by condition key. */
export type ConditionElement = Readonly<
  Record<string, Readonly<Record<string, ConditionValue | readonly ConditionValue[]>>>
>;

/** A statement in the form that IAM gives it (IAM user guide, "Grammar of the IAM JSON policy language"). */
export interface StatementElement {
  readonly Sid?: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: PrincipalElement;
  readonly NotPrincipal?: PrincipalElement;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: ConditionElement;
}

/** A policy document, its grammar checked. */
export interface PolicyDocument {
  readonly Version?: string;
  readonly Id?: string;
  readonly Statement: StatementElement | readonly StatementElement[];
}

/** Policies of this version alone have policy variables. */
export const CURRENT_VERSION = "2012-10-17";

/** Every version of the policy language. */
export const POLICY_VERSIONS: readonly string[] = [CURRENT_VERSION, "2008-10-17"];

/** What a document may have, and what each of its statements. */
export const POLICY_MEMBERS: ReadonlySet<string> = new Set(["Version", "Id", "Statement"]);
export const STATEMENT_MEMBERS: ReadonlySet<string> = new Set([
  "Sid",
  "Effect",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Principal",
  "NotPrincipal",
  "Condition",
]);

/** One or several of something, as documents may write it, as a list. */
export function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  // Array.isArray does not narrow readonly arrays.
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
