import { parseArn } from "#core/arn";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import { makeAccessKeyId } from "#core/access-key-id";
import type { Principal, SessionTraits } from "#core/principal";
import { IV_BYTES, seal, unseal } from "./seal.ts";

/** Temporary credentials of a role, as STS hands them out. Never log the secret or the token. */
export interface SessionCredentials {
  /** `ASIA…`, 20 characters. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Epoch milliseconds. */
  readonly expiration: number;
}

export interface SessionRequest {
  readonly account: string;
  readonly roleArn: string;
  /** The role's unique id, `AROA…`. */
  readonly roleId: string;
  readonly sessionName: string;
  readonly durationMs: number;
  readonly traits?: Omit<SessionTraits, "issuedAt">;
}

export interface OpenedSession {
  readonly secretAccessKey: string;
  readonly principal: Principal;
}

export interface Sessions {
  /** Credentials of a role. */
  mint(request: SessionRequest): SessionCredentials;
  /** Credentials of anybody else. */
  mintFor(principal: Principal, durationMs: number): SessionCredentials;
  /** `undefined` where the token is not one of this platform's, or belongs to another access key id. */
  open(accessKeyId: string, sessionToken: string): OpenedSession | "expired" | undefined;
}

interface Sealed extends OpenedSession {
  readonly expiration: number;
}

const CACHED_SESSIONS = 2048;

/**
 * Sessions that no node has to remember: the token holds secret, principal and expiry, sealed with AES-256-GCM under
 * the platform's key, so that any node which has the key can open it. `key` is 32 bytes.
 */
export function createSessions(options: {
  readonly key: Buffer;
  readonly clock: Clock;
  readonly ids: Ids;
}): Sessions {
  const { key, clock, ids } = options;
  if (key.length !== 32) throw new RangeError(`a platform key has 32 bytes, not ${key.length}`);
  // Opening takes some 15 µs, on the path of every request that a function makes.
  const opened = new Map<string, { readonly accessKeyId: string; readonly sealed: Sealed }>();

  function mint(request: SessionRequest): SessionCredentials {
    return mintFor(assumedRole(request, clock.now()), request.durationMs);
  }

  function mintFor(principal: Principal, durationMs: number): SessionCredentials {
    const accessKeyId = makeAccessKeyId("ASIA", principal.account, ids);
    const expiration = clock.now() + durationMs;
    const sealed: Sealed = {
      secretAccessKey: ids.hex(40),
      principal: until(principal, expiration),
      expiration,
    };
    const iv = Buffer.from(ids.hex(IV_BYTES * 2), "hex");
    // Bound to the access key id, so that it cannot be swapped.
    const sessionToken = seal(key, iv, accessKeyId, JSON.stringify(sealed)).toString("base64");
    return { accessKeyId, secretAccessKey: sealed.secretAccessKey, sessionToken, expiration };
  }

  function open(accessKeyId: string, sessionToken: string): OpenedSession | "expired" | undefined {
    const cached = opened.get(sessionToken);
    const sealed =
      cached?.accessKeyId === accessKeyId ? cached.sealed : openToken(key, accessKeyId, sessionToken);
    if (sealed === undefined) return undefined;
    if (sealed.expiration <= clock.now()) {
      opened.delete(sessionToken);
      return "expired";
    }
    if (cached === undefined) remember(accessKeyId, sessionToken, sealed);
    return sealed;
  }

  function remember(accessKeyId: string, sessionToken: string, sealed: Sealed): void {
    if (opened.size >= CACHED_SESSIONS) {
      const [oldest] = opened.keys();
      if (oldest !== undefined) opened.delete(oldest);
    }
    opened.set(sessionToken, { accessKeyId, sealed });
  }

  return { mint, mintFor, open };
}

function until(principal: Principal, expiresAt: number): Principal {
  if (!("session" in principal) || principal.session === undefined) return principal;
  return { ...principal, session: { ...principal.session, expiresAt } };
}

/** `arn:aws:sts::<account>:assumed-role/<role name without its path>/<session name>`. */
export function assumedRole(
  { account, roleArn, roleId, sessionName, traits }: Omit<SessionRequest, "durationMs">,
  issuedAt: number,
): Principal {
  const roleName = roleArn.slice(roleArn.lastIndexOf("/") + 1);
  const partition = parseArn(roleArn)?.partition ?? "aws";
  return {
    kind: "assumed-role",
    account,
    arn: `arn:${partition}:sts::${account}:assumed-role/${roleName}/${sessionName}`,
    userId: `${roleId}:${sessionName}`,
    roleArn,
    session: { issuedAt, ...traits },
  };
}

function openToken(key: Buffer, accessKeyId: string, token: string): Sealed | undefined {
  const text = unseal(key, accessKeyId, Buffer.from(token, "base64"));
  // What was opened was sealed here.
  return text === undefined ? undefined : (JSON.parse(text.toString()) as Sealed);
}
