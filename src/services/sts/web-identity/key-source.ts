import type { JsonWebKey } from "node:crypto";
import type { Clock } from "#core/clock";
import { isLoopback } from "#core/loopback";
import { stsErrors } from "../errors.ts";
import { fetchDocument } from "./fetch-document.ts";

/** A public key as providers publish it (RFC 7517); what else it may say does not matter here. */
export interface PublishedKey extends JsonWebKey {
  readonly kid?: string;
}

export interface KeySource {
  /**
   * The keys that an issuer signs with, of which one should have the id `kid`.
   * @throws AwsError IDPCommunicationError where it cannot be reached, InvalidIdentityToken where it publishes none
   */
  keysOf(issuer: string, kid: string | undefined): Promise<readonly PublishedKey[]>;
}

interface Known {
  readonly keys: Promise<readonly PublishedKey[]>;
  /** Epoch milliseconds. */
  readonly asked: number;
}

const KEPT_ISSUERS = 100;
const KEPT_MS = 3_600_000;
/** A token with a new key's id makes the keys be asked for again, but no more often than this: anybody can make up ids. */
const AGAIN_MS = 10_000;

/** Keys by OpenID Connect Discovery, asked for when they are first needed and kept for an hour. */
export function createKeySource(clock: Clock, read: typeof fetchDocument = fetchDocument): KeySource {
  const known = new Map<string, Known>();

  async function ask(issuer: string): Promise<readonly PublishedKey[]> {
    const base = issuer.replace(/\/$/, "");
    const discovered = await read(`${base}/.well-known/openid-configuration`);
    const { jwks_uri: uri } = asObject(discovered);
    if (typeof uri !== "string" || !mayHoldKeys(uri, issuer)) throw stsErrors.noKey();
    const { keys } = asObject(await read(uri));
    if (!Array.isArray(keys)) throw stsErrors.noKey();
    return keys.map((key) => asObject(key) as PublishedKey);
  }

  function remember(issuer: string): Known {
    if (known.size >= KEPT_ISSUERS) known.delete([...known.keys()][0] ?? "");
    const entry: Known = { keys: ask(issuer), asked: clock.now() };
    known.delete(issuer);
    known.set(issuer, entry);
    // What failed is asked for anew the next time.
    entry.keys.catch(() => {
      if (known.get(issuer) === entry) known.delete(issuer);
    });
    return entry;
  }

  return {
    async keysOf(issuer, kid) {
      const found = known.get(issuer);
      const age = clock.now() - (found?.asked ?? 0);
      if (found === undefined || age >= KEPT_MS) return remember(issuer).keys;
      const keys = await found.keys;
      if (age < AGAIN_MS || kid === undefined || keys.some((key) => key.kid === kid)) return keys;
      return remember(issuer).keys;
    },
  };
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** A provider that is reached safely must not lead to keys that are not; one on this machine may keep them there. */
function mayHoldKeys(uri: string, issuer: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { protocol, hostname } = new URL(uri);
  if (protocol === "https:") return true;
  return protocol === "http:" && issuer.startsWith("http:") && isLoopback(hostname.replace(/^\[|\]$/g, ""));
}
