import { createPublicKey, verify, type KeyObject } from "node:crypto";
import { stsErrors } from "../errors.ts";
import type { PublishedKey } from "./key-source.ts";

/** An ID token (RFC 7519) that was read, and not yet believed. */
export interface IdToken {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly issuer: string;
  readonly subject: string;
  /** Whom it is for: `aud`, or the one party of several that `azp` says it was issued to. */
  readonly audiences: readonly string[];
  /** Epoch seconds. */
  readonly expires: number;
  readonly notBefore: number | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What the signature is of. */
  readonly signed: string;
  readonly signature: Buffer;
}

/** The signatures that AWS takes ("Creating an OIDC identity provider in IAM", prerequisites). */
const ALGORITHMS: Readonly<Record<string, { readonly hash: string; readonly type: "rsa" | "ec" }>> = {
  RS256: { hash: "sha256", type: "rsa" },
  RS384: { hash: "sha384", type: "rsa" },
  RS512: { hash: "sha512", type: "rsa" },
  ES256: { hash: "sha256", type: "ec" },
  ES384: { hash: "sha384", type: "ec" },
  ES512: { hash: "sha512", type: "ec" },
};

/** Clocks of providers may be off by this much. */
const SKEW_SECONDS = 60;

/** @throws AwsError InvalidIdentityToken */
export function readToken(text: string): IdToken {
  const parts = text.split(".");
  const [head = "", body = "", signature = ""] = parts;
  const header = objectOf(head);
  const claims = objectOf(body);
  if (parts.length !== 3 || header === undefined || claims === undefined) throw stsErrors.notAToken();
  const algorithm = header["alg"];
  if (typeof algorithm !== "string") throw stsErrors.notAToken();
  const keyId = header["kid"];
  const { iss, sub, aud, azp, exp, nbf } = claims;
  if (typeof iss !== "string") throw stsErrors.claimMissing("iss");
  if (typeof sub !== "string") throw stsErrors.claimMissing("sub");
  if (typeof exp !== "number") throw stsErrors.claimMissing("exp");
  const audiences = [typeof azp === "string" ? azp : aud]
    .flat()
    .filter((one): one is string => typeof one === "string");
  if (audiences.length === 0) throw stsErrors.claimMissing("aud");
  return {
    algorithm,
    keyId: typeof keyId === "string" ? keyId : undefined,
    issuer: iss,
    subject: sub,
    audiences,
    expires: exp,
    notBefore: typeof nbf === "number" ? nbf : undefined,
    claims,
    signed: `${head}.${body}`,
    signature: Buffer.from(signature, "base64url"),
  };
}

/** @throws AwsError ExpiredTokenException, InvalidIdentityToken */
export function requireValidAt({ expires, notBefore = 0 }: IdToken, nowMs: number): void {
  const now = Math.floor(nowMs / 1000);
  if (now >= expires) throw stsErrors.tokenExpired(now, expires);
  if (now + SKEW_SECONDS < notBefore) throw stsErrors.tokenEarly();
}

/** @throws AwsError InvalidIdentityToken where none of the keys made the signature */
export function requireSignature(token: IdToken, keys: readonly PublishedKey[]): void {
  const algorithm = Object.hasOwn(ALGORITHMS, token.algorithm) ? ALGORITHMS[token.algorithm] : undefined;
  // Among them `none`, and those whose key would be public.
  if (algorithm === undefined) throw stsErrors.algorithm(token.algorithm);
  const candidates = keys
    .filter(({ kid, kty }) => keyTypeOf(kty) === algorithm.type && (!token.keyId || kid === token.keyId))
    .map(publicKey)
    .filter((key) => key !== undefined);
  if (candidates.length === 0) throw stsErrors.noKey();
  const data = Buffer.from(token.signed);
  const matches = candidates.some((key) =>
    verify(algorithm.hash, data, { key, dsaEncoding: "ieee-p1363" }, token.signature),
  );
  if (!matches) throw stsErrors.signature();
}

function keyTypeOf(kty: string | undefined): "rsa" | "ec" | undefined {
  if (kty === "RSA") return "rsa";
  return kty === "EC" ? "ec" : undefined;
}

/** What a provider publishes may be anything. */
function publicKey(jwk: PublishedKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    return undefined;
  }
}

function objectOf(part: string): Readonly<Record<string, unknown>> | undefined {
  if (!/^[\w-]+$/.test(part)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
