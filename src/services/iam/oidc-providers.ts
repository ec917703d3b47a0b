import { isLoopback } from "#core/loopback";
import type { DocumentKey, Documents } from "#storage/documents";
import { REGION, type Tags } from "./store.ts";

export interface OidcProviderDocument {
  /** The issuer without its scheme, which the ARN ends with. */
  readonly url: string;
  readonly clientIds: readonly string[];
  readonly thumbprints: readonly string[];
  readonly created: number;
  readonly tags: Tags;
}

/** What STS needs to know of a provider. */
export interface OidcProvider {
  readonly arn: string;
  readonly clientIds: readonly string[];
}

export function oidcProviderKey(account: string, url: string): DocumentKey {
  return [account, REGION, "oidc-provider", url];
}

export function oidcProviderArn(account: string, url: string): string {
  return `arn:aws:iam::${account}:oidc-provider/${url}`;
}

/**
 * An issuer's URL without its scheme, or undefined where it is none that can be trusted: `https:`, or on this machine
 * alone `http:`, for providers that are run beside the platform.
 */
export function issuerName(url: string): string | undefined {
  if (!/^https?:\/\/[^/?#\s@]+/.test(url) || !URL.canParse(url)) return undefined;
  const { protocol, hostname } = new URL(url);
  if (protocol === "http:" && !isLoopback(hostname.replace(/^\[|\]$/g, ""))) return undefined;
  return url.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

/** The provider in an account that a token's `iss` names. */
export function findOidcProvider(
  documents: Documents,
  account: string,
  issuer: string,
): OidcProvider | undefined {
  const url = issuerName(issuer);
  if (url === undefined) return undefined;
  const found = documents.get<OidcProviderDocument>(oidcProviderKey(account, url))?.value;
  return found === undefined ? undefined : { arn: oidcProviderArn(account, url), clientIds: found.clientIds };
}
