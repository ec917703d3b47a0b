import { credentialScope } from "#wire/auth/scope";
import type { Authenticate } from "#wire/auth/types";
import type { PolicyDocument, PolicyStatement } from "../policy-document.ts";
import { urlErrors } from "./errors.ts";
import type { UrlRecord } from "./records.ts";
import type { UrlCaller, UrlRequest } from "./types.ts";

export interface Subject {
  readonly account: string;
  readonly region: string;
  readonly authType: UrlRecord["authType"];
  /** The policy of the function or alias that the URL leads to. */
  readonly policy: PolicyDocument | undefined;
}

/**
 * Who is calling a URL; undefined where it demands no signature. The policy must allow everybody then, and for a signed
 * call every account but the function's own. What a caller's own policies say is not looked at.
 * @throws AwsError where the call is not allowed, or its signature is wrong
 */
export async function authorise(
  request: UrlRequest,
  subject: Subject,
  authenticate: Authenticate | undefined,
): Promise<UrlCaller | undefined> {
  const caller =
    subject.authType === "NONE" ? undefined : await authenticated(request, subject, authenticate);
  const decision = decide(subject, caller);
  if (decision === "deny") throw urlErrors.forbidden();
  if (decision === "none" && caller?.account !== subject.account) throw urlErrors.forbidden();
  return caller;
}

async function authenticated(
  request: UrlRequest,
  { region }: Subject,
  authenticate: Authenticate | undefined,
): Promise<UrlCaller> {
  const scope = credentialScope(request);
  if (scope === undefined || authenticate === undefined) throw urlErrors.forbidden();
  const { principal, ...proved } = await authenticate({ ...request, protocol: "rest-json" });
  if (proved.service !== "lambda")
    throw urlErrors.wrongScope("Credential should be scoped to correct service: 'lambda'.");
  if (proved.region !== region)
    throw urlErrors.wrongScope(`Credential should be scoped to a valid region, not '${proved.region}'.`);
  const { account, arn, userId } = principal;
  return { accessKey: scope.accessKeyId, account, arn, userId };
}

type Decision = "allow" | "deny" | "none";

/** What a policy says of a call. A condition that cannot be evaluated here never allows, and never keeps a Deny from denying. */
function decide({ policy, authType }: Subject, caller: UrlCaller | undefined): Decision {
  let decision: Decision = "none";
  for (const statement of policy?.Statement ?? []) {
    if (!concernsAction(statement) || !concernsCaller(statement, caller)) continue;
    const holds = conditionHolds(statement, authType);
    if (statement.Effect === "Deny" && holds !== false) return "deny";
    if (statement.Effect === "Allow" && holds === true) decision = "allow";
  }
  return decision;
}

const ACTION = "lambda:invokefunctionurl";

function concernsAction({ Action, NotAction }: PolicyStatement): boolean {
  if (NotAction !== undefined) return ![NotAction].flat().some((pattern) => fits(pattern, ACTION));
  return [Action ?? []].flat().some((pattern) => fits(pattern, ACTION));
}

function concernsCaller(
  { Principal, NotPrincipal }: PolicyStatement,
  caller: UrlCaller | undefined,
): boolean {
  if (NotPrincipal !== undefined) return !names(NotPrincipal, caller);
  return Principal !== undefined && names(Principal, caller);
}

function names(principal: NonNullable<PolicyStatement["Principal"]>, caller: UrlCaller | undefined): boolean {
  const named = principal === "*" ? ["*"] : [principal["AWS"] ?? []].flat();
  const own =
    caller === undefined
      ? []
      : [caller.account, `arn:aws:iam::${caller.account}:root`, caller.arn, roleOf(caller.arn)];
  return named.some((name) => name === "*" || own.includes(name));
}

/** A session's role is whom policies name. */
function roleOf(arn: string): string | undefined {
  const [, account, role] = /^arn:aws:sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn) ?? [];
  return role === undefined ? undefined : `arn:aws:iam::${account}:role/${role}`;
}

/** @returns undefined where it says something that is not known here */
function conditionHolds(
  { Condition = {} }: PolicyStatement,
  authType: UrlRecord["authType"],
): boolean | undefined {
  let known = true;
  for (const [operator, conditions] of Object.entries(Condition))
    for (const [key, values] of Object.entries(conditions)) {
      if (operator !== "StringEquals" || key.toLowerCase() !== "lambda:functionurlauthtype") known = false;
      else if (![values].flat().includes(authType)) return false;
    }
  return known ? true : undefined;
}

/** `*` and `?` as in IAM's patterns, letters of either case. */
function fits(pattern: string, action: string): boolean {
  const source = pattern
    .toLowerCase()
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/\*+/g, ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(action);
}
