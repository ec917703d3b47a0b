import type * as client from "@aws-sdk/client-sts";
import { parseArn } from "#core/arn";
import type { Handler, OperationsOf } from "#wire/operation";
import { assumeKeys, isRoleLike } from "../authorisation.ts";
import type { Provider, StsDeps } from "../deps.ts";
import { stsErrors } from "../errors.ts";
import { packedSize, sessionPolicies } from "../session-policies.ts";
import { sessionTags } from "../session-tags.ts";
import { tokenKeys, traitsOf } from "../web-identity/claims.ts";
import { readToken, requireSignature, requireValidAt, type IdToken } from "../web-identity/token.ts";
import { beginRoleSession, ROLE_SESSION_SECONDS } from "./role-session.ts";

type Sts = typeof client;

const ACTION = "sts:AssumeRoleWithWebIdentity";

/** A role's session for whoever an OpenID Connect provider vouches for. The token is all that proves anything here. */
export function webIdentityOperations({ sessions, roles, clock, providerOf, keySource, enforced }: StsDeps) {
  const AssumeRoleWithWebIdentity: Handler<Sts, "AssumeRoleWithWebIdentity"> = async (input) => {
    const arn = input.RoleArn ?? "";
    const parsed = parseArn(arn);
    if (parsed === undefined || !isRoleLike(arn)) throw stsErrors.invalidArn(arn);
    if (input.ProviderId !== undefined) throw stsErrors.noAccessTokens();
    const token = readToken(input.WebIdentityToken ?? "");
    const provider = await requireVouched(parsed.account, token);

    const { tags: asked, transitiveKeys, sourceIdentity } = traitsOf(token);
    const sessionName = input.RoleSessionName ?? "";
    const keys = assumeKeys({
      RoleSessionName: sessionName,
      SourceIdentity: sourceIdentity,
      Tags: asked,
      TransitiveTagKeys: transitiveKeys,
    });
    const actions = [
      ACTION,
      ...(asked.length === 0 ? [] : ["sts:TagSession"]),
      ...(sourceIdentity === undefined ? [] : ["sts:SetSourceIdentity"]),
    ].map((action) => action.toLowerCase());
    const role = roles.roleOf(arn);
    const trusted =
      !enforced || roles.trustsFederated(arn, actions, provider.arn, tokenKeys(token, provider.arn, keys));
    // The same for a role that is missing, lest it tells which ones there are.
    if (role === undefined || !trusted) throw stsErrors.notAuthorised(ACTION);

    const seconds = input.DurationSeconds ?? ROLE_SESSION_SECONDS;
    if (seconds > role.maxSessionSeconds) throw stsErrors.durationOverRole();
    const { tags, transitiveTags } = sessionTags(asked, transitiveKeys, undefined);
    const policies = sessionPolicies(roles, parsed.account, input);
    const packed = packedSize(policies, tags);
    const session = beginRoleSession(sessions, {
      role,
      arn: parsed,
      sessionName,
      seconds,
      policies,
      tags,
      transitiveTags,
      sourceIdentity,
      federatedProvider: provider.arn,
      packed,
    });
    return {
      ...session,
      SubjectFromWebIdentityToken: token.subject,
      Provider: provider.arn,
      Audience: token.audiences[0],
    };
  };

  /** Nothing is fetched for issuers that the account does not name, nor for tokens that are over anyway. */
  async function requireVouched(account: string, token: IdToken): Promise<Provider> {
    const provider = providerOf(account, token.issuer);
    if (provider === undefined) throw stsErrors.providerMissing(token.issuer);
    requireValidAt(token, clock.now());
    if (!token.audiences.some((audience) => provider.clientIds.includes(audience)))
      throw stsErrors.audience();
    requireSignature(token, await keySource.keysOf(token.issuer, token.keyId));
    return provider;
  }

  return { AssumeRoleWithWebIdentity } satisfies OperationsOf<Sts>;
}
