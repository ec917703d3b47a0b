import { formatBasicDate, signingTime } from "./dates.ts";
import { AuthFailure } from "./failures.ts";
import {
  ALGORITHM,
  type CredentialScope,
  parseAuthorization,
  queryParameters,
  requireCredential,
} from "./scope.ts";
import type { AuthRequest } from "./types.ts";

/** All that a request says about its signature, well-formed but not verified. */
export interface Claims {
  /** As written, `id/20260101/us-east-1/lambda/aws4_request`. */
  readonly credential: string;
  readonly scope: CredentialScope;
  /** Names in lower case, joined with `;`. */
  readonly signedHeaders: string;
  readonly signature: string;
  /** The moment of signing in ISO 8601's basic form, and in epoch milliseconds. */
  readonly date: string;
  readonly signed: number;
  readonly sessionToken: string | undefined;
  /** `x-amz-content-sha256`, or the parameter of that name of a presigned URL. */
  readonly contentHash: string | undefined;
  readonly presigned: boolean;
  /** Seconds that a presigned URL lives; `undefined` where it says nothing. */
  readonly lifetimeSeconds: number | undefined;
}

const MAX_LIFETIME_SECONDS = 604_800;
const PRESIGNED = /(?:^|&)X-Amz-(?:Algorithm|Credential|Signature)=/;

/** Reads the claims of a signed request. Throws an AuthFailure where they are missing or malformed. */
export function readClaims(request: AuthRequest): Claims {
  const authorization = request.headers["authorization"];
  const presigned = request.query !== "" && PRESIGNED.test(request.query);
  if (authorization !== undefined) {
    if (presigned) throw new AuthFailure({ kind: "two-mechanisms" });
    return headerClaims(request, authorization);
  }
  if (presigned) return queryClaims(request);
  throw new AuthFailure({ kind: "missing-token" });
}

function headerClaims({ headers }: AuthRequest, authorization: string): Claims {
  const when = headers["x-amz-date"] ?? headers["date"];
  const { credential, signedHeaders, signature } = parseAuthorization(authorization, when !== undefined);
  const scope = requireCredential(credential);
  return {
    credential,
    scope,
    signedHeaders,
    signature,
    ...requireDate(when ?? "", scope),
    sessionToken: headers["x-amz-security-token"],
    contentHash: headers["x-amz-content-sha256"],
    presigned: false,
    lifetimeSeconds: undefined,
  };
}

const REQUIRED = ["Algorithm", "Credential", "Signature", "Date", "SignedHeaders"] as const;

function queryClaims({ query, headers }: AuthRequest): Claims {
  const parameters = queryParameters(query);
  const missing = REQUIRED.map((name) => `X-Amz-${name}`).filter((name) => !parameters.get(name));
  const credential = parameters.get("X-Amz-Credential") ?? "";
  // Only S3 wants a lifetime in every presigned URL; elsewhere one without it is good for the allowed skew.
  if (/\/s3\/[^/]*$/.test(credential) && !parameters.has("X-Amz-Expires")) missing.push("X-Amz-Expires");
  if (missing.length > 0) throw new AuthFailure({ kind: "presign-incomplete", missing });
  const scheme = parameters.get("X-Amz-Algorithm") ?? "";
  if (scheme !== ALGORITHM) throw new AuthFailure({ kind: "unsupported-authorization", scheme });
  const scope = requireCredential(credential);
  return {
    credential,
    scope,
    signedHeaders: parameters.get("X-Amz-SignedHeaders") ?? "",
    signature: parameters.get("X-Amz-Signature") ?? "",
    ...requireDate(parameters.get("X-Amz-Date") ?? "", scope),
    sessionToken: parameters.get("X-Amz-Security-Token") ?? headers["x-amz-security-token"],
    contentHash: parameters.get("X-Amz-Content-Sha256") ?? headers["x-amz-content-sha256"],
    presigned: true,
    lifetimeSeconds: requireLifetime(parameters.get("X-Amz-Expires")),
  };
}

function requireDate(when: string, scope: CredentialScope): { date: string; signed: number } {
  const signed = signingTime(when);
  if (signed === undefined) throw new AuthFailure({ kind: "malformed-date", date: when });
  const date = when.length === 16 ? when : formatBasicDate(signed);
  if (!date.startsWith(scope.date) || scope.date.length !== 8)
    throw new AuthFailure({ kind: "scope-date", scopeDate: scope.date, date });
  return { date, signed };
}

function requireLifetime(expires: string | undefined): number | undefined {
  if (expires === undefined) return undefined;
  if (!/^-?\d+$/.test(expires)) throw new AuthFailure({ kind: "presign-lifetime", problem: "not-a-number" });
  const seconds = Number(expires);
  if (seconds < 0) throw new AuthFailure({ kind: "presign-lifetime", problem: "negative" });
  if (seconds > MAX_LIFETIME_SECONDS)
    throw new AuthFailure({ kind: "presign-lifetime", problem: "too-long" });
  return seconds;
}
