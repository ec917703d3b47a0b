import { parseRootKey } from "#core/root-key";
import type { Config } from "#config/settings";
import type { CredentialSource, FunctionSpec } from "#engine/contract";
import { keys as iamKeys, type RoleDocument } from "#services/iam/store";
import type { Documents } from "#storage/documents";
import { createCredentialStore } from "#wire/auth/credentials";
import type { Sessions } from "#wire/auth/sessions";

/** How long a function's credentials last; environments do not live as long. */
const FUNCTION_CREDENTIALS_MS = 12 * 3_600_000;

export function credentialStore(config: Config, sessions: Sessions) {
  return createCredentialStore({
    account: config.account,
    rootKey: parseRootKey(config.rootKey),
    sessions,
  });
}

/** Temporary credentials of a function's role, as Lambda names their session: by the function. */
export function roleCredentials(sessions: Sessions, documents: Documents): CredentialSource {
  return {
    // The function's own account, whatever its role's ARN says: credentials never reach into another one.
    forFunction({ roleArn, name, account }: FunctionSpec) {
      const roleName = roleArn.slice(roleArn.lastIndexOf("/") + 1);
      const role = documents.get<RoleDocument>(iamKeys.role(account, roleName));
      return sessions.mint({
        account,
        roleArn,
        // A role that is kept elsewhere has no id here; its name stands in for it.
        roleId: role?.value.id ?? roleName,
        sessionName: name,
        durationMs: FUNCTION_CREDENTIALS_MS,
      });
    },
  };
}
