import type { Arn } from "#core/arn";
import type { SessionTraits } from "#core/principal";
import type { Sessions } from "#wire/auth/sessions";
import { describeCredentials } from "../credentials.ts";
import type { Role } from "../deps.ts";
import type { SessionPolicies } from "../session-policies.ts";
import type { SessionTags } from "../session-tags.ts";

export interface RoleSession extends SessionTags {
  readonly role: Role;
  /** As its caller named it. */
  readonly arn: Arn;
  readonly sessionName: string;
  readonly seconds: number;
  readonly policies: SessionPolicies;
  readonly sourceIdentity: string | undefined;
  readonly federatedProvider?: string;
  /** Of what its policies and tags may take, in per cent; undefined where there are none. */
  readonly packed: number | undefined;
}

/** How long a role's session lasts where nothing is said. */
export const ROLE_SESSION_SECONDS = 3600;

/** Begins a role's session. @returns what every way of assuming a role answers */
export function beginRoleSession(sessions: Sessions, session: RoleSession) {
  const { role, arn, sessionName, seconds, policies, tags, transitiveTags, packed } = session;
  const { sourceIdentity, federatedProvider } = session;
  const traits: Omit<SessionTraits, "issuedAt"> = {
    ...policies,
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    ...(transitiveTags.length === 0 ? {} : { transitiveTags }),
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
    ...(federatedProvider === undefined ? {} : { federatedProvider }),
  };
  const { account, partition } = arn;
  const credentials = sessions.mint({
    account,
    roleArn: role.arn,
    roleId: role.id,
    sessionName,
    durationMs: seconds * 1000,
    traits,
  });
  return {
    Credentials: describeCredentials(credentials),
    AssumedRoleUser: {
      AssumedRoleId: `${role.id}:${sessionName}`,
      Arn: `arn:${partition}:sts::${account}:assumed-role/${role.name}/${sessionName}`,
    },
    ...(packed === undefined ? {} : { PackedPolicySize: packed }),
    ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
  };
}
