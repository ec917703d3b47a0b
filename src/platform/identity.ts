import { parseRootKey } from "#core/root-key";
import type { Config } from "#config/settings";
import type { CredentialSource, FunctionSpec } from "#engine/contract";
import type { Principals } from "#services/iam/principals";
import { keys as iamKeys, type RoleDocument } from "#services/iam/store";
import type { Documents } from "#storage/documents";
import { createCredentialStore } from "#wire/auth/credentials";
import type { Sessions } from "#wire/auth/sessions";

/** How long a function's credentials last; environments do not live as long. */
const FUNCTION_CREDENTIALS_MS = 12 * 3_600_000;

export function credentialStore(config: Config, sessions: Sessions, principals: Principals) {
  return createCredentialStore({
    account: config.account,
    rootKey: parseRootKey(config.rootKey),
    sessions,
    findKey: (id) => principals.findKey(id),
    // Where nobody is asked, roles need not be there either.
    ...(config.iam === "off" ? {} : { isCurrent: (principal) => principals.isCurrent(principal) }),
  });
}

/** Temporary credentials of a function's role, as Lambda names their session: by the function. */
export function roleCredentials(sessions: Sessions, documents: Documents): CredentialSource {
  return {
    // The function's own account, whatever its role's ARN says: credentials never reach into another one.
    forFunction({ roleArn, name, account, arn }: FunctionSpec) {
      const roleName = roleArn.slice(roleArn.lastIndexOf("/") + 1);
      const role = documents.get<RoleDocument>(iamKeys.role(account, roleName));
      return sessions.mint({
        account,
        roleArn,
        // A role that is gone has no id: what is made for it is refused wherever it is used.
        roleId: role?.value.id ?? roleName,
        sessionName: name,
        durationMs: FUNCTION_CREDENTIALS_MS,
        traits: { sourceFunctionArn: arn },
      });
    },
  };
}
