import type { RootKey } from "#core/root-key";
import type { Clock } from "#core/clock";
import type { Config } from "#config/settings";
import type { Principal } from "#core/principal";
import type { CredentialSource, FunctionSpec } from "#engine/contract";
import type { Principals } from "#services/iam/principals";
import { keys as iamKeys, type RoleDocument } from "#services/iam/store";
import type { RoleOwner } from "#services/lambda/names";
import type { Documents } from "#storage/documents";
import { createCredentialStore } from "#wire/auth/credentials";
import { assumedRole, type Sessions } from "#wire/auth/sessions";

/** How long a function's credentials last; environments do not live as long. */
const FUNCTION_CREDENTIALS_MS = 12 * 3_600_000;

export function credentialStore(
  config: Config,
  rootKey: RootKey,
  sessions: Sessions,
  principals: Principals,
) {
  return createCredentialStore({
    account: config.account,
    rootKey,
    sessions,
    findKey: (id) => principals.findKey(id),
    // Where nobody is asked, roles need not be there either.
    ...(config.iam === "off" ? {} : { isCurrent: (principal) => principals.isCurrent(principal) }),
  });
}

/** Temporary credentials of a function's role, as Lambda names their session: by the function. */
export function roleCredentials(sessions: Sessions, documents: Documents): CredentialSource {
  return {
    forFunction: (spec: FunctionSpec) =>
      sessions.mint({
        ...roleSession(documents, spec),
        durationMs: FUNCTION_CREDENTIALS_MS,
        traits: { sourceFunctionArn: spec.arn },
      }),
  };
}

/** What `Shared` has, over the roles that are stored. */
export function rolePrincipal(documents: Documents, clock: Clock): (owner: RoleOwner) => Principal {
  return (owner) => assumedRole(roleSession(documents, owner), clock.now());
}

function roleSession(documents: Documents, { roleArn, name, account }: RoleOwner) {
  const roleName = roleArn.slice(roleArn.lastIndexOf("/") + 1);
  const role = documents.get<RoleDocument>(iamKeys.role(account, roleName));
  return {
    // The function's own account, whatever its role's ARN says: a role never reaches into another one.
    account,
    roleArn,
    // A role that is gone has no id: what is made for it is refused wherever it is used.
    roleId: role?.value.id ?? roleName,
    sessionName: name,
  };
}
