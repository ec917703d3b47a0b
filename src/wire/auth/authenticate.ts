import type { Readable } from "node:stream";
import type { Clock } from "#core/clock";
import { isLoopback } from "#core/loopback";
import {
  type CanonicalParts,
  canonicalPath,
  canonicalQuery,
  canonicalRequest,
  canonicalS3Path,
} from "./canonical.ts";
import { type Claims, readClaims } from "./claims.ts";
import { allowedSkewMs, type Family, toAwsError } from "./errors.ts";
import { AuthFailure } from "./failures.ts";
import { familyOf, signsLikeS3 } from "./families.ts";
import type { HmacKey } from "./hmac.ts";
import * as payload from "./payload.ts";
import { credentialScope } from "./scope.ts";
import { SigningKeys, signatureMatches, stringToSign } from "./signing-key.ts";
import type {
  Authenticate,
  Authenticated,
  AuthRequest,
  CredentialStore,
  SigningCredentials,
} from "./types.ts";

export interface AuthenticatorOptions {
  readonly credentials: CredentialStore;
  readonly clock: Clock;
  /** How far a client's clock may be off, in milliseconds: 5 minutes. S3 and query services allow three times that. */
  readonly skewMs?: number;
  /** How many bytes of a stream are held to hash it where the client did not send its hash. */
  readonly maxBufferedBytes?: number;
}

const NO_TRAILERS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Verifies Signature Version 4, of the Authorization header or of a presigned URL. Answers at once where the body is a
 * Buffer of up to 1 MB. Failures are AwsErrors with the code, status and words of the service that was called.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const { credentials, clock, skewMs = 5 * 60_000, maxBufferedBytes = 100 * 1024 * 1024 } = options;
  const keys = new SigningKeys();

  function authenticate(request: AuthRequest): Authenticated | Promise<Authenticated> {
    try {
      const claims = readClaims(request);
      const family = familyOf(request, claims.scope.service);
      const toError = (error: unknown): unknown => translate(error, family);
      requireSignedHeaders(request, claims);
      const key = requireCredentials(request, claims);
      requireFresh(claims, family);
      if (signsLikeS3(claims.scope.service)) return verifyS3(request, claims, key, toError);
      return verifyHashed(request, claims, key, toError);
    } catch (error) {
      throw translate(error, familyOf(request, credentialScope(request)?.service));
    }
  }

  function requireCredentials(request: AuthRequest, { scope, sessionToken }: Claims): SigningCredentials {
    const { accessKeyId } = scope;
    const found = credentials.lookup(accessKeyId, sessionToken);
    if (found === "unknown") throw new AuthFailure({ kind: "unknown-key", accessKeyId });
    const token = sessionToken ?? "";
    if (found === "invalid-token") throw new AuthFailure({ kind: "invalid-token", token });
    if (found === "expired") throw new AuthFailure({ kind: "expired-token", token });
    if (found.loopbackOnly && !isLoopback(request.remoteAddress))
      throw new AuthFailure({ kind: "unknown-key", accessKeyId });
    return found;
  }

  function requireFresh({ signed, lifetimeSeconds }: Claims, family: Family): void {
    const now = clock.now();
    const allowed = allowedSkewMs(family, skewMs);
    if (signed > now + allowed)
      throw new AuthFailure({ kind: "signed-too-early", signed, now, skewMs: allowed });
    if (lifetimeSeconds === undefined) {
      if (signed < now - allowed)
        throw new AuthFailure({ kind: "signed-too-late", signed, now, skewMs: allowed });
      return;
    }
    const expired = signed + lifetimeSeconds * 1000;
    if (now > expired) throw new AuthFailure({ kind: "presign-expired", lifetimeSeconds, expired, now });
  }

  /** Services other than S3 sign the hash of the body, whatever `x-amz-content-sha256` says. */
  function verifyHashed(
    request: AuthRequest,
    claims: Claims,
    found: SigningCredentials,
    toError: (error: unknown) => unknown,
  ): Authenticated | Promise<Authenticated> {
    const { body } = request;
    if (Buffer.isBuffer(body)) {
      const accept = (hash: string): Authenticated => {
        verifySignature(request, claims, found, hash);
        return authenticated(claims, found, body);
      };
      return afterHashing(body, accept, toError);
    }
    const { contentHash } = claims;
    if (payload.isSha256(contentHash)) {
      verifySignature(request, claims, found, contentHash);
      const checked = payload.checkedAgainstHash(body, contentHash);
      return authenticated(claims, found, payload.readable(checked, toError));
    }
    return verifyCollected({ ...request, body }, claims, found, toError);
  }

  async function verifyCollected(
    request: AuthRequest & { readonly body: Readable },
    claims: Claims,
    found: SigningCredentials,
    toError: (error: unknown) => unknown,
  ): Promise<Authenticated> {
    try {
      const body = await payload.collect(request.body, maxBufferedBytes);
      verifySignature(request, claims, found, await payload.payloadHash(body));
      return authenticated(claims, found, body);
    } catch (error) {
      throw toError(error);
    }
  }

  /** S3 signs what `x-amz-content-sha256` says, and checks the payload against that on its own. */
  function verifyS3(
    request: AuthRequest,
    claims: Claims,
    found: SigningCredentials,
    toError: (error: unknown) => unknown,
  ): Authenticated | Promise<Authenticated> {
    const claimed = claims.contentHash ?? (claims.presigned ? "UNSIGNED-PAYLOAD" : undefined);
    if (claimed === undefined) throw new AuthFailure({ kind: "content-hash-missing" });
    const check = payload.s3PayloadCheck(claimed);
    const key = verifySignature(request, claims, found, claimed);
    const { body } = request;
    if (check === "none") return authenticated(claims, found, body);
    if (check === "hash") {
      if (Buffer.isBuffer(body)) {
        const accept = (hash: string): Authenticated => {
          payload.requireHash(hash, claimed);
          return authenticated(claims, found, body);
        };
        return afterHashing(body, accept, toError);
      }
      const checked = payload.checkedAgainstHash(body, claimed);
      return authenticated(claims, found, payload.readable(checked, toError));
    }
    const { date, scope, signature: seed } = claims;
    const length = request.headers["x-amz-decoded-content-length"];
    const decoder = payload.chunkedDecoder(check, { key, date, scope, seed }, length);
    const decoded = Buffer.isBuffer(body)
      ? payload.decodeChunked(body, decoder)
      : payload.readable(payload.decodedChunks(body, decoder), toError);
    return { ...authenticated(claims, found, decoded), trailers: decoder.trailers };
  }

  /** Returns the signing key, which chunks are checked with as well. */
  function verifySignature(
    request: AuthRequest,
    claims: Claims,
    { secretAccessKey }: SigningCredentials,
    payloadHash: string,
  ): HmacKey {
    const { credential, scope, signature, date } = claims;
    const key = keys.get(credential, scope, secretAccessKey);
    const parts = canonicalParts(request, claims, payloadHash);
    const likeliest = canonicalRequest(parts);
    const text = stringToSign(date, scope, likeliest);
    if (signatureMatches(key, text, signature)) return key;
    for (const other of otherForms(parts, request, claims))
      if (signatureMatches(key, stringToSign(date, scope, other), signature)) return key;
    const { accessKeyId } = scope;
    throw new AuthFailure({
      kind: "mismatch",
      accessKeyId,
      signature,
      canonicalRequest: likeliest,
      stringToSign: text,
    });
  }

  return authenticate;
}

/** Goes on at once with the hash of a small body, and later with that of a large one. */
function afterHashing(
  body: Buffer,
  accept: (hash: string) => Authenticated,
  toError: (error: unknown) => unknown,
): Authenticated | Promise<Authenticated> {
  const hash = payload.payloadHash(body);
  if (typeof hash === "string") return accept(hash);
  return hash.then(accept).catch((error: unknown) => {
    throw toError(error);
  });
}

function canonicalParts(
  { method, path, query, headers }: AuthRequest,
  { scope, signedHeaders }: Claims,
  payloadHash: string,
): CanonicalParts {
  return {
    method,
    path: signsLikeS3(scope.service) ? canonicalS3Path(path) : canonicalPath(path),
    query: canonicalQuery(query),
    signedHeaders,
    headers,
    payloadHash,
    tightCommas: false,
  };
}

/**
 * What an honest client may have signed instead of the likeliest form: S3 clients differ in what they encode of a path,
 * and repeated headers arrive joined. Each says the same request, so trying several weakens nothing.
 */
function* otherForms(
  parts: CanonicalParts,
  { path, headers }: AuthRequest,
  { scope, signedHeaders }: Claims,
): Generator<string> {
  const joined = signedHeaders
    .split(";")
    .some((name) => Object.hasOwn(headers, name) && headers[name]?.includes(", ") === true);
  if (joined) yield canonicalRequest({ ...parts, tightCommas: true });
  if (!signsLikeS3(scope.service) || parts.path === path) return;
  yield canonicalRequest({ ...parts, path });
  if (joined) yield canonicalRequest({ ...parts, path, tightCommas: true });
}

function requireSignedHeaders({ headers }: AuthRequest, { signedHeaders, scope }: Claims): void {
  const list = `;${signedHeaders};`;
  if (!list.includes(";host;")) throw new AuthFailure({ kind: "host-not-signed" });
  if (!signsLikeS3(scope.service)) return;
  // The payload's hash and the date are part of what is signed wherever they stand.
  const names = Object.keys(headers).filter(
    (name) =>
      name.startsWith("x-amz-") &&
      name !== "x-amz-content-sha256" &&
      name !== "x-amz-date" &&
      !list.includes(`;${name};`),
  );
  if (names.length > 0) throw new AuthFailure({ kind: "headers-not-signed", names });
}

function authenticated(
  { scope }: Claims,
  { principal }: SigningCredentials,
  body: Buffer | Readable,
): Authenticated {
  return { principal, region: scope.region, service: scope.service, body, trailers: NO_TRAILERS };
}

function translate(error: unknown, family: Family): unknown {
  return error instanceof AuthFailure ? toAwsError(error.failure, family) : error;
}
