import { createPublicKey, generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import type { Ids } from "#core/ids";
import type { Document, DocumentKey, Documents } from "#storage/documents";
import { REGION } from "./store.ts";

/** How an account's tokens are signed (STS API reference, GetWebIdentityToken). */
export type TokenAlgorithm = "RS256" | "ES384";

/** What makes the tokens that tell services elsewhere who a principal of an account is. */
export interface TokenIssuer {
  readonly id: string;
  /** Its address: where its keys are published is found below it. */
  readonly issuer: string;
  readonly enabled: boolean;
  readonly keys: Readonly<Record<TokenAlgorithm, IssuerKey>>;
}

export interface IssuerKey {
  readonly id: string;
  /** PKCS #8, in PEM. Never log it. */
  readonly privateKey: string;
}

/** Below the platform's address; then the account, and the issuer's id. */
const PATH = "/_thaw/issuers/";

const makeKeyPair = promisify(generateKeyPair);

function issuerKey(account: string): DocumentKey {
  return [account, REGION, "token-issuer", "issuer"];
}

export function findTokenIssuer(documents: Documents, account: string): Document<TokenIssuer> | undefined {
  return documents.get<TokenIssuer>(issuerKey(account));
}

/** An issuer with new keys. @param baseUrl the platform's address, as who enables it knows it */
export async function newTokenIssuer(ids: Ids, account: string, baseUrl: string): Promise<TokenIssuer> {
  const [rsa, ec] = await Promise.all([
    makeKeyPair("rsa", { modulusLength: 2048 }),
    makeKeyPair("ec", { namedCurve: "P-384" }),
  ]);
  const id = ids.uuid();
  const keyOf = ({ privateKey }: typeof rsa): IssuerKey => ({
    id: ids.uuid(),
    privateKey: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  });
  return {
    id,
    issuer: `${baseUrl}${PATH}${account}/${id}`,
    enabled: true,
    keys: { RS256: keyOf(rsa), ES384: keyOf(ec) },
  };
}

export function keepTokenIssuer(account: string, value: TokenIssuer) {
  return { key: issuerKey(account), value };
}

/**
 * What an issuer publishes at a path (OpenID Connect Discovery 1.0; RFC 7517), also once it is disabled: tokens that it
 * gave out are good until they expire.
 */
export function publishedAt(documents: Documents, path: string): object | undefined {
  const parts =
    /^\/_thaw\/issuers\/(\d{12})\/([\w-]+)\/\.well-known\/(openid-configuration|jwks\.json)$/.exec(path);
  const [, account = "", id, name] = parts ?? [];
  const found = findTokenIssuer(documents, account)?.value;
  if (found === undefined || found.id !== id) return undefined;
  if (name === "jwks.json")
    return { keys: Object.entries(found.keys).map(([alg, key]) => ({ ...publicHalf(key), alg })) };
  return {
    issuer: found.issuer,
    jwks_uri: `${found.issuer}/.well-known/jwks.json`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: Object.keys(found.keys),
    claims_supported: ["aud", "exp", "iat", "iss", "jti", "sub"],
  };
}

function publicHalf({ id, privateKey }: IssuerKey) {
  return { ...createPublicKey(privateKey).export({ format: "jwk" }), kid: id, use: "sig" };
}
