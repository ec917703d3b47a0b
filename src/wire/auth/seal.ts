import { createCipheriv, createDecipheriv } from "node:crypto";

const VERSION = 1;
export const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts and authenticates with AES-256-GCM: version byte, nonce, tag, ciphertext.
 * @param key 32 bytes
 * @param iv never the same twice for one key
 * @param bound what it is opened with again: authenticated, and not part of it
 */
export function seal(key: Buffer, iv: Buffer, bound: string, content: Uint8Array | string): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  cipher.setAAD(Buffer.from(bound));
  const text = Buffer.concat([cipher.update(content), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), iv, cipher.getAuthTag(), text]);
}

/** What `seal` was given; `undefined` where it never made these bytes with this key for `bound`. */
export function unseal(key: Buffer, bound: string, bytes: Buffer): Buffer | undefined {
  const textStart = 1 + IV_BYTES + TAG_BYTES;
  if (bytes[0] !== VERSION || bytes.length <= textStart) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(1, 1 + IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(bound));
  decipher.setAuthTag(bytes.subarray(1 + IV_BYTES, textStart));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(textStart)), decipher.final()]);
  } catch {
    return undefined;
  }
}
