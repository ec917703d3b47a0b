import type { WireRequest } from "../protocols/protocol.ts";
import { AuthFailure } from "./failures.ts";

export const ALGORITHM = "AWS4-HMAC-SHA256";

/** A credential scope with its access key id: `id/20260101/us-east-1/lambda/aws4_request`. */
export interface CredentialScope {
  readonly accessKeyId: string;
  /** `YYYYMMDD`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** What `Authorization` or the query of a presigned URL says, before anything of it is checked. */
export interface SignatureParameters {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
}

/**
 * Who a request claims to be and which service it is for, without any check of the signature: for routing alone.
 * `undefined` where the request is not signed or its credential is not readable.
 */
export function credentialScope(
  request: Pick<WireRequest, "headers" | "query">,
): CredentialScope | undefined {
  const credential = claimedCredential(request);
  if (credential === undefined) return undefined;
  const parts = splitCredential(credential);
  return parts?.terminator === "aws4_request" ? parts.scope : undefined;
}

function claimedCredential({ headers, query }: Pick<WireRequest, "headers" | "query">): string | undefined {
  const authorization = headers["authorization"];
  if (authorization !== undefined) {
    const start = authorization.indexOf("Credential=");
    if (start < 0) return undefined;
    const end = authorization.indexOf(",", start);
    return authorization.slice(start + "Credential=".length, end < 0 ? undefined : end).trim();
  }
  if (!query.includes("X-Amz-Credential=")) return undefined;
  return queryParameters(query).get("X-Amz-Credential");
}

/** Takes a credential apart; `undefined` where it does not have exactly five parts. */
export function splitCredential(
  credential: string,
): { readonly scope: CredentialScope; readonly terminator: string } | undefined {
  const first = credential.indexOf("/");
  const second = credential.indexOf("/", first + 1);
  const third = credential.indexOf("/", second + 1);
  const fourth = credential.indexOf("/", third + 1);
  if (first <= 0 || second <= first || third <= second || fourth <= third) return undefined;
  if (credential.includes("/", fourth + 1)) return undefined;
  const scope = {
    accessKeyId: credential.slice(0, first),
    date: credential.slice(first + 1, second),
    region: credential.slice(second + 1, third),
    service: credential.slice(third + 1, fourth),
  };
  return { scope, terminator: credential.slice(fourth + 1) };
}

/** Of the form of AWS's own region names, the longest of which has 16 characters; `local` and the like are welcome. */
const REGION = /^[a-z0-9-]{1,32}$/;

/** Splits a verified request's credential. Throws an AuthFailure where it is malformed. */
export function requireCredential(credential: string): CredentialScope {
  const parts = splitCredential(credential);
  if (parts === undefined) throw new AuthFailure({ kind: "malformed-credential", credential });
  if (parts.terminator !== "aws4_request")
    throw new AuthFailure({ kind: "wrong-terminator", terminator: parts.terminator });
  // Checked because keys, ARNs and functions' environments are made of it.
  if (!REGION.test(parts.scope.region))
    throw new AuthFailure({ kind: "malformed-region", region: parts.scope.region });
  return parts.scope;
}

const PARAMETERS = ["Credential", "Signature", "SignedHeaders"] as const;

const USUAL = /^AWS4-HMAC-SHA256 Credential=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([^,\s]+)$/;

/**
 * Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; clients put a comma, a space or both between
 * the parameters. Throws an AuthFailure that names all that is missing, as AWS does.
 */
export function parseAuthorization(authorization: string, dated: boolean): SignatureParameters {
  const space = authorization.indexOf(" ");
  const scheme = space < 0 ? authorization : authorization.slice(0, space);
  if (scheme !== ALGORITHM) throw new AuthFailure({ kind: "unsupported-authorization", scheme });
  // The form that every AWS SDK writes, in one step.
  const usual = USUAL.exec(authorization);
  if (dated && usual !== null) {
    const [, credential = "", signedHeaders = "", signature = ""] = usual;
    return { credential, signedHeaders, signature };
  }
  const found: Partial<Record<string, string>> = {};
  for (const part of authorization.slice(scheme.length).split(/[,\s]+/)) {
    const equals = part.indexOf("=");
    if (equals > 0) found[part.slice(0, equals)] = part.slice(equals + 1);
  }
  const { Credential: credential, Signature: signature, SignedHeaders: signedHeaders } = found;
  if (credential && signature && signedHeaders && dated) return { credential, signature, signedHeaders };
  const problems = PARAMETERS.filter((name) => !found[name]).map(
    (name) => `Authorization header requires '${name}' parameter.`,
  );
  if (!dated)
    problems.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  throw new AuthFailure({ kind: "incomplete", problems, authorization });
}

/** A query's parameters, decoded; the first one counts where a name is repeated. */
export function queryParameters(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query))
    if (!parameters.has(name)) parameters.set(name, value);
  return parameters;
}
