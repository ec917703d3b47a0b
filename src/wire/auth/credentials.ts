import { rootPrincipal, type Principal } from "#core/principal";
import { isWellKnownSecret, type RootKey } from "#core/root-key";
import type { Sessions } from "./sessions.ts";
import type { CredentialRefusal, CredentialStore, SigningCredentials } from "./types.ts";

export interface CredentialStoreOptions {
  /** The account that the root key's own id stands for, twelve digits. */
  readonly account: string;
  readonly rootKey: RootKey;
  readonly sessions: Sessions;
  /** The long-term key of a user, if there is one of that id and it is active. */
  readonly findKey?: (accessKeyId: string) => SigningCredentials | undefined;
  /** Whether the user or role of a session is still there; temporary credentials end with theirs. */
  readonly isCurrent?: (principal: Principal) => boolean;
}

/**
 * The platform's root key and the sessions of its roles. A twelve-digit access key id with the root secret is the root
 * of that account, as LocalStack's users are used to.
 */
export function createCredentialStore(options: CredentialStoreOptions): CredentialStore {
  const { account, rootKey, sessions, findKey, isCurrent } = options;
  const own = rootCredentials(account);

  function rootCredentials(of: string): SigningCredentials {
    return {
      secretAccessKey: rootKey.secret,
      principal: rootPrincipal(of),
      loopbackOnly: isWellKnownSecret(rootKey.secret),
    };
  }

  function session(accessKeyId: string, sessionToken: string): SigningCredentials | CredentialRefusal {
    const opened = sessions.open(accessKeyId, sessionToken);
    if (opened === undefined) return "invalid-token";
    if (opened === "expired") return "expired";
    const { secretAccessKey, principal } = opened;
    if (isCurrent?.(principal) === false) return "invalid-token";
    return { secretAccessKey, principal, loopbackOnly: false };
  }

  return {
    lookup(accessKeyId, sessionToken) {
      // AWS_SESSION_TOKEN=test is common beside test/test, so a root key's token is not looked at.
      if (accessKeyId === rootKey.id) return own;
      if (/^\d{12}$/.test(accessKeyId)) return rootCredentials(accessKeyId);
      if (sessionToken === undefined) return findKey?.(accessKeyId) ?? "unknown";
      return session(accessKeyId, sessionToken);
    },
  };
}
