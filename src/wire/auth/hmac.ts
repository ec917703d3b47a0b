import { hash } from "node:crypto";

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Texts up to this many bytes are signed in a buffer that is kept; the text that a request's signature covers has 130. */
const KEPT_BYTES = 1024;

/**
 * HMAC-SHA-256 under one key for many short texts (RFC 2104): both padded keys are made once, and a text costs two
 * one-shot hashes. `createHmac` makes a native object for each text, which takes half as long again (2.2 against
 * 1.4 µs) and leaves work to the garbage collector.
 */
export class HmacKey {
  readonly #inner = Buffer.alloc(BLOCK_BYTES + KEPT_BYTES, 0x36);
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c);

  /** @param key 64 bytes at most. @throws RangeError beyond, where a key would have to be hashed first */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK_BYTES) throw new RangeError("an HMAC key of more than a block");
    for (const [at, byte] of key.entries()) {
      this.#inner[at] = byte ^ 0x36;
      this.#outer[at] = byte ^ 0x5c;
    }
  }

  /** The HMAC of `text` (as UTF-8) in lower-case hexadecimal digits. */
  hex(text: string): string {
    this.#outer.set(hash("sha256", this.#keyed(text), "buffer"), BLOCK_BYTES);
    return hash("sha256", this.#outer, "hex");
  }

  #keyed(text: string): Uint8Array {
    // A UTF-16 unit is at most 3 bytes of UTF-8.
    if (text.length * 3 > KEPT_BYTES)
      return Buffer.concat([this.#inner.subarray(0, BLOCK_BYTES), Buffer.from(text)]);
    return this.#inner.subarray(0, BLOCK_BYTES + this.#inner.write(text, BLOCK_BYTES));
  }
}
