import { createHmac, hash, timingSafeEqual } from "node:crypto";
import { HmacKey } from "./hmac.ts";
import { ALGORITHM, type CredentialScope } from "./scope.ts";

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

export function sha256Hex(data: string | Buffer): string {
  return hash("sha256", data, "hex");
}

/** The hash of no payload, which every GET carries. */
export const EMPTY_HASH = sha256Hex("");

/** Derives the key that signs for one day, region and service: four HMACs. */
export function deriveSigningKey(secretAccessKey: string, scope: CredentialScope): Buffer {
  const day = hmac(`AWS4${secretAccessKey}`, scope.date);
  return hmac(hmac(hmac(day, scope.region), scope.service), "aws4_request");
}

/**
 * Signing keys by credential scope, because deriving one (7 µs) costs more than the rest of a verification. Bounded:
 * whoever knows an access key id can name any number of regions, so the oldest entry makes room.
 */
export class SigningKeys {
  readonly #capacity: number;
  readonly #keys = new Map<string, { readonly secret: string; readonly key: HmacKey }>();

  constructor(capacity = 4096) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** `credential` is the scope as the client wrote it, which spares building a cache key. */
  get(credential: string, scope: CredentialScope, secretAccessKey: string): HmacKey {
    const known = this.#keys.get(credential);
    // The secret of an access key id can change (a store is swapped, an account is made anew).
    if (known?.secret === secretAccessKey) return known.key;
    const key = new HmacKey(deriveSigningKey(secretAccessKey, scope));
    if (known === undefined && this.#keys.size >= this.#capacity) {
      const [oldest] = this.#keys.keys();
      if (oldest !== undefined) this.#keys.delete(oldest);
    }
    this.#keys.set(credential, { secret: secretAccessKey, key });
    return key;
  }
}

/** `20260101/us-east-1/lambda/aws4_request`. */
export function scopeText(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

/** The text whose HMAC is a request's signature; `date` is ISO 8601's basic form. */
export function stringToSign(date: string, scope: CredentialScope, canonicalRequest: string): string {
  return `${ALGORITHM}\n${date}\n${scopeText(scope)}\n${sha256Hex(canonicalRequest)}`;
}

/** Compares in constant time, so that a forger cannot learn a signature digit by digit. Capitals count as wrong, as at AWS. */
export function signatureMatches(key: HmacKey, text: string, signature: string): boolean {
  const expected = Buffer.from(key.hex(text));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
