import type * as client from "@aws-sdk/client-sts";
import { accountOfAccessKey } from "#core/access-key-id";
import type { FederatedPrincipal, Principal, RootPrincipal, UserPrincipal } from "#core/principal";
import type { Handler, OperationsOf } from "#wire/operation";
import { describeCredentials } from "../credentials.ts";
import type { StsDeps } from "../deps.ts";
import { stsErrors } from "../errors.ts";
import { useCode } from "../mfa.ts";
import { packedSize, sessionPolicies } from "../session-policies.ts";
import { sessionTags } from "../session-tags.ts";

type Sts = typeof client;

const DEFAULT_SECONDS = 12 * 3600;
/** A root's sessions last no longer. */
const ROOT_SECONDS = 3600;

export function tokenOperations({ sessions, roles, mfa, clock }: StsDeps) {
  const GetSessionToken: Handler<Sts, "GetSessionToken"> = async (input, { principal }) => {
    const owner = requireLongTerm(principal, "GetSessionToken");
    const seconds = secondsFor(owner, input.DurationSeconds);
    const proved = await useCode(mfa, input, principal);
    const issuedAt = clock.now();
    const holder: Principal =
      owner.kind === "root"
        ? owner
        : { ...owner, session: { issuedAt, ...(proved ? { mfaAt: issuedAt } : {}) } };
    return { Credentials: describeCredentials(sessions.mintFor(holder, seconds * 1000)) };
  };

  const GetFederationToken: Handler<Sts, "GetFederationToken"> = (input, { principal, account }) => {
    const issuer = requireLongTerm(principal, "GetFederationToken");
    const name = input.Name ?? "";
    const { tags } = sessionTags(input.Tags, undefined, undefined);
    const policies = sessionPolicies(roles, account, input);
    const packed = packedSize(policies, tags);
    const holder: FederatedPrincipal = {
      kind: "federated-user",
      account,
      arn: `arn:aws:sts::${account}:federated-user/${name}`,
      userId: `${account}:${name}`,
      issuer,
      session: {
        issuedAt: clock.now(),
        ...policies,
        ...(Object.keys(tags).length === 0 ? {} : { tags }),
      },
    };
    const seconds = secondsFor(issuer, input.DurationSeconds);
    return {
      Credentials: describeCredentials(sessions.mintFor(holder, seconds * 1000)),
      FederatedUser: { FederatedUserId: holder.userId, Arn: holder.arn },
      ...(packed === undefined ? {} : { PackedPolicySize: packed }),
    };
  };

  const GetAccessKeyInfo: Handler<Sts, "GetAccessKeyInfo"> = (input) => {
    const Account = accountOfAccessKey(input.AccessKeyId ?? "");
    if (Account === undefined) throw stsErrors.keyMissing(input.AccessKeyId ?? "");
    return { Account };
  };

  return { GetSessionToken, GetFederationToken, GetAccessKeyInfo } satisfies OperationsOf<Sts>;
}

/** The caller as whoever its temporary credentials are for: what they sign, its own key does not. */
function requireLongTerm(principal: Principal, operation: string): RootPrincipal | UserPrincipal {
  if (principal.kind === "root") return principal;
  if (principal.kind !== "user" || principal.session !== undefined) throw stsErrors.noSessions(operation);
  const { accessKeyId: _key, ...user } = principal;
  return user;
}

function secondsFor({ kind }: Principal, asked = DEFAULT_SECONDS): number {
  return kind === "root" ? Math.min(asked, ROOT_SECONDS) : asked;
}
