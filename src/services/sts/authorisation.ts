import type { Tag } from "@aws-sdk/client-sts";
import { parseArn } from "#core/arn";
import { AwsError } from "#core/errors";
import { refusalText } from "#wire/authorisation/denials";
import { tagListKeys } from "#wire/authorisation/request-keys";
import type { Question, Refusal, ServiceAuthorisation, ServiceKeys } from "#wire/authorisation/types";
import type { CallContext } from "#wire/operation";
import type { StsDeps } from "./deps.ts";
import { comesWithCode, type MfaInput } from "./mfa.ts";

/** The members that the ways to a role's session have in common. */
interface Assume {
  readonly RoleArn?: string | undefined;
  readonly RoleSessionName?: string | undefined;
  readonly ExternalId?: string | undefined;
  readonly SourceIdentity?: string | undefined;
  readonly Tags?: readonly Tag[] | undefined;
  readonly TransitiveTagKeys?: readonly string[] | undefined;
  readonly DurationSeconds?: number | undefined;
}

interface WebIdentityToken {
  readonly Audience?: readonly string[] | undefined;
  readonly DurationSeconds?: number | undefined;
  readonly SigningAlgorithm?: string | undefined;
  readonly Tags?: readonly Tag[] | undefined;
}

/** What STS's operations need permission for (Service Authorization Reference, "AWS Security Token Service"). */
export function createStsAuthorisation({
  enforced,
  mfa,
}: Pick<StsDeps, "enforced" | "mfa">): ServiceAuthorisation {
  const AssumeRole = (input: Assume & MfaInput, call: CallContext): readonly Question[] => {
    const resource = input.RoleArn ?? "";
    // What is no ARN names no role to ask about, and roots may assume none: the operation refuses both.
    if (!isRoleLike(resource) || (enforced && call.principal.kind === "root")) return [];
    const keys = { ...assumeKeys(input), ...mfaKeys(comesWithCode(mfa, input, call.principal)) };
    const tags = input.Tags ?? [];
    return [
      { action: "sts:AssumeRole", resource, keys, policyRequired: true },
      ...(tags.length === 0 ? [] : [{ action: "sts:TagSession", resource, keys, policyRequired: true }]),
      ...(input.SourceIdentity === undefined
        ? []
        : [{ action: "sts:SetSourceIdentity", resource, keys, policyRequired: true }]),
    ];
  };
  return { prefix: "sts", denied, questions: { ...QUESTIONS, AssumeRole } };
}

const QUESTIONS: ServiceAuthorisation["questions"] = {
  // Its handler asks for whoever the token is of: nobody signs these.
  AssumeRoleWithWebIdentity: none,
  AssumeRoleWithSAML: none,
  // "No permissions are required for users to perform this operation" (API reference).
  GetCallerIdentity: none,
  GetSessionToken: none,
  GetAccessKeyInfo: () => [{ action: "sts:GetAccessKeyInfo", resource: "*" }],
  GetWebIdentityToken: (input: WebIdentityToken) => {
    const keys = {
      ...tagListKeys(input.Tags),
      "sts:identitytokenaudience": input.Audience,
      "sts:durationseconds": String(input.DurationSeconds ?? 300),
      "sts:signingalgorithm": input.SigningAlgorithm,
    };
    const actions = ["sts:GetWebIdentityToken"];
    if ((input.Tags ?? []).length > 0) actions.push("sts:TagGetWebIdentityToken");
    return actions.map((action) => ({ action, resource: "*", keys }));
  },
  GetFederationToken: (
    input: { readonly Name?: string; readonly Tags?: readonly Tag[]; readonly DurationSeconds?: number },
    call: CallContext,
  ) => {
    const resource = `arn:aws:sts::${call.account}:federated-user/${input.Name ?? ""}`;
    const keys = tagListKeys(input.Tags);
    return [
      { action: "sts:GetFederationToken", resource, keys },
      ...((input.Tags ?? []).length === 0 ? [] : [{ action: "sts:TagSession", resource, keys }]),
    ];
  },
  AssumeRoot: (input: { readonly TargetPrincipal?: string }) => [
    { action: "sts:AssumeRoot", resource: rootArn(input.TargetPrincipal ?? "") },
  ],
};

/** A member account, which callers name by its id or by its root's ARN. */
export function rootArn(target: string): string {
  return /^\d{12}$/.test(target) ? `arn:aws:iam::${target}:root` : target;
}

export function isRoleLike(arn: string): boolean {
  const parsed = parseArn(arn);
  return parsed !== undefined && parsed.resource !== "";
}

function none(): readonly Question[] {
  return [];
}

/** A code counts for the request that brings it, before there is a session. */
function mfaKeys(given: boolean): ServiceKeys {
  return given ? { "aws:multifactorauthpresent": "true", "aws:multifactorauthage": "0" } : {};
}

export function assumeKeys(input: Assume): ServiceKeys {
  return {
    ...tagListKeys(input.Tags),
    "sts:externalid": input.ExternalId,
    "sts:rolesessionname": input.RoleSessionName,
    "sts:sourceidentity": input.SourceIdentity,
    "sts:transitivetagkeys": input.TransitiveTagKeys,
  };
}

/** STS does not tell which policy keeps somebody from a role, lest it tells whether there is one. */
function denied(refusal: Refusal): AwsError {
  const text = refusalText(refusal);
  const shown =
    refusal.question.action === "sts:AssumeRole" ? text.replace(/ (?:because|with) .*$/, "") : text;
  return new AwsError("AccessDenied", shown, { status: 403 });
}
