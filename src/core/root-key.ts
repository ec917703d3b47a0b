/** The key pair of an account's root, as `--root-key ID:SECRET` gives it. */
export interface RootKey {
  readonly id: string;
  readonly secret: string;
}

/** The key pair that every tool for local AWS uses. */
export const WELL_KNOWN_ROOT_KEY = "test:test";

/** Reads `ID:SECRET`; the secret may hold colons. */
export function parseRootKey(text: string): RootKey {
  const colon = text.indexOf(":");
  return { id: text.slice(0, colon), secret: text.slice(colon + 1) };
}

/**
 * Whether a secret is known to everybody, under whatever id: it counts on loopback alone, so nothing may listen beyond
 * loopback with it.
 */
export function isWellKnownSecret(secret: string): boolean {
  return secret === parseRootKey(WELL_KNOWN_ROOT_KEY).secret;
}
