import { formatArn } from "#core/arn";
import type { CallContext } from "#wire/operation";
import { errors } from "./errors.ts";

/** The account and region that a resource lives in. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

/** A function as a caller named it. */
export interface FunctionName extends Scope {
  readonly name: string;
  /** `$LATEST`, a version number or an alias; undefined where the caller gave none. */
  readonly qualifier: string | undefined;
}

/** Whose role acts: a function of an account. */
export interface RoleOwner {
  readonly account: string;
  /** The function's. */
  readonly name: string;
  readonly roleArn: string;
}

/** The parts that Lambda's own pattern for `functionName` has (service model, NamespacedFunctionName). */
const FORMS =
  /^(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?(?:((?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9-_.]+)(?::(\$LATEST|[a-zA-Z0-9-_$]+))?$/;

/**
 * Reads a name, `name:qualifier`, partial ARN or ARN.
 * @throws AwsError where it belongs to another region or account, or disagrees with `qualifier`
 */
export function parseFunctionName(
  call: CallContext,
  action: string,
  text: string | undefined,
  qualifier?: string,
): FunctionName {
  const parsed = parseAnyName(call, text, qualifier);
  if (parsed.account === call.account) return parsed;
  throw errors.otherAccount(call.principal.arn, action, functionArn(parsed, parsed.name));
}

/**
 * The same for what may be done with functions of other accounts, too: whether the caller may was decided before.
 * @throws AwsError where it belongs to another region, or disagrees with `qualifier`
 */
export function parseAnyName(call: Scope, text: string | undefined, qualifier?: string): FunctionName {
  const match = FORMS.exec(text ?? "");
  if (match === null) throw errors.functionNotFound(functionArn(call, text ?? ""));
  const [, region, account = call.account, name = "", derived] = match;
  if (region !== undefined && region !== call.region) throw errors.otherRegion(region, call.region);
  if (derived !== undefined && qualifier !== undefined && derived !== qualifier)
    throw errors.qualifierMismatch();
  return { account, region: call.region, name, qualifier: derived ?? qualifier };
}

/** The same, for operations that work on a function as a whole. */
export function parseUnqualifiedName(
  call: CallContext,
  action: string,
  text: string | undefined,
): FunctionName {
  const parsed = parseFunctionName(call, action, text);
  if (parsed.qualifier !== undefined) throw errors.functionsOnly();
  return parsed;
}

export function functionArn(scope: Scope, name: string, qualifier?: string): string {
  const resource = qualifier === undefined ? `function:${name}` : `function:${name}:${qualifier}`;
  return formatArn("lambda", scope.region, scope.account, resource);
}

/** The ARN of what a caller names, in whatever account and region; for permissions, before anything is looked up. */
export function functionArnOf(call: Scope, text: string, qualifier?: string): string {
  const [, region = call.region, account = call.account, name = text, derived] = FORMS.exec(text) ?? [];
  return functionArn({ account, region }, name, qualifier ?? derived);
}

export type QualifierKind = "latest" | "version" | "alias" | "none";

/** What a qualifier can name. `none`: neither pattern fits, such as `$latest`. */
export function kindOfQualifier(qualifier: string): QualifierKind {
  if (qualifier === "$LATEST") return "latest";
  if (/^[0-9]+$/.test(qualifier)) return "version";
  return /^[a-zA-Z0-9-_]+$/.test(qualifier) ? "alias" : "none";
}
