import { rootPrincipal } from "#core/principal";
import type { Sessions } from "./sessions.ts";
import type { CredentialRefusal, CredentialStore, SigningCredentials } from "./types.ts";

export interface CredentialStoreOptions {
  /** The account that the root key's own id stands for, twelve digits. */
  readonly account: string;
  readonly rootKey: { readonly id: string; readonly secret: string };
  readonly sessions: Sessions;
}

/** The key pair that every tool for local AWS uses. Being public, it counts on loopback alone. */
const WELL_KNOWN_SECRET = "test";

/**
 * The platform's root key and the sessions of its roles. A twelve-digit access key id with the root secret is the root
 * of that account, as LocalStack's users are used to.
 */
export function createCredentialStore(options: CredentialStoreOptions): CredentialStore {
  const { account, rootKey, sessions } = options;
  const own = rootCredentials(account);

  function rootCredentials(of: string): SigningCredentials {
    return {
      secretAccessKey: rootKey.secret,
      principal: rootPrincipal(of),
      loopbackOnly: rootKey.secret === WELL_KNOWN_SECRET,
    };
  }

  function session(accessKeyId: string, sessionToken: string): SigningCredentials | CredentialRefusal {
    const opened = sessions.open(accessKeyId, sessionToken);
    if (opened === undefined) return "invalid-token";
    if (opened === "expired") return "expired";
    const { secretAccessKey, principal } = opened;
    return { secretAccessKey, principal, loopbackOnly: false };
  }

  return {
    lookup(accessKeyId, sessionToken) {
      // AWS_SESSION_TOKEN=test is common beside test/test, so a root key's token is not looked at.
      if (accessKeyId === rootKey.id) return own;
      if (/^\d{12}$/.test(accessKeyId)) return rootCredentials(accessKeyId);
      if (sessionToken === undefined) return "unknown";
      return session(accessKeyId, sessionToken);
    },
  };
}

/** Whether a socket's peer is this machine: 127.0.0.0/8, ::1, or the former mapped into IPv6. */
export function isLoopback(remoteAddress: string): boolean {
  return remoteAddress === "::1" || /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(remoteAddress);
}
