import type * as client from "@aws-sdk/client-sts";
import { parseArn } from "#core/arn";
import type { Handler, OperationsOf } from "#wire/operation";
import { isRoleLike, rootArn } from "../authorisation.ts";
import type { StsDeps } from "../deps.ts";
import { stsErrors } from "../errors.ts";
import { useCode } from "../mfa.ts";
import { packedSize, sessionPolicies } from "../session-policies.ts";
import { sessionTags } from "../session-tags.ts";
import { beginRoleSession, ROLE_SESSION_SECONDS } from "./role-session.ts";

type Sts = typeof client;

/** A role that a role's session assumes lasts no longer, whatever it allows. */
const CHAINED_SECONDS = 3600;

/** Whether the caller may was decided before: by its own policies and the role's trust policy. */
export function roleOperations({ sessions, roles, mfa, enforced }: StsDeps) {
  const AssumeRole: Handler<Sts, "AssumeRole"> = async (input, call) => {
    const { principal } = call;
    const arn = input.RoleArn ?? "";
    const parsed = parseArn(arn);
    if (parsed === undefined || !isRoleLike(arn)) throw stsErrors.invalidArn(arn);
    if (enforced && principal.kind === "root") throw stsErrors.rootAssumes();
    const calling = principal.kind === "assumed-role" ? principal.session : undefined;
    const { tags, transitiveTags } = sessionTags(input.Tags, input.TransitiveTagKeys, calling);
    const role = roles.roleOf(arn);
    if (role === undefined) throw stsErrors.accessDenied(principal.arn, "sts:AssumeRole", arn);
    const seconds = input.DurationSeconds ?? ROLE_SESSION_SECONDS;
    if (principal.kind === "assumed-role" && seconds > CHAINED_SECONDS) throw stsErrors.durationOfChain();
    if (seconds > role.maxSessionSeconds) throw stsErrors.durationOverRole();
    const policies = sessionPolicies(roles, parsed.account, input);
    const packed = packedSize(policies, tags);
    if (calling?.sourceIdentity !== undefined && input.SourceIdentity !== undefined)
      if (calling.sourceIdentity !== input.SourceIdentity) throw stsErrors.sourceIdentityChanged();
    const sourceIdentity = input.SourceIdentity ?? calling?.sourceIdentity;
    // It counts for this request alone: what a role's session does cannot be held to it ("Secure API access with MFA").
    await useCode(mfa, input, principal);
    return beginRoleSession(sessions, {
      role,
      arn: parsed,
      sessionName: input.RoleSessionName ?? "",
      seconds,
      policies,
      tags,
      transitiveTags,
      sourceIdentity,
      packed,
    });
  };

  /** Only those who manage an organization's root access may, and no account here is in one. */
  const AssumeRoot: Handler<Sts, "AssumeRoot"> = (input, { principal }) => {
    throw stsErrors.accessDenied(principal.arn, "sts:AssumeRoot", rootArn(input.TargetPrincipal ?? ""));
  };

  return { AssumeRole, AssumeRoot } satisfies OperationsOf<Sts>;
}
