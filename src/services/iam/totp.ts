import { createHmac } from "node:crypto";

const STEP_MS = 30_000;
/** How far a device's clock may be off, in steps: nobody has to be quicker than this. */
const WINDOW = 3;

/** The six digits that a device with this seed shows at a moment (RFC 6238, with SHA-1 as virtual devices have it). */
export function totp(seed: Buffer, timeMs: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(timeMs / STEP_MS)));
  const digest = createHmac("sha1", seed).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 15;
  return String((digest.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, "0");
}

/** Whether two codes follow one another at about this moment, as a device shows them that is set up right. */
export function areConsecutive(seed: Buffer, first: string, second: string, nowMs: number): boolean {
  for (let step = -WINDOW; step < WINDOW; step++) {
    const at = nowMs + step * STEP_MS;
    if (totp(seed, at) === first && totp(seed, at + STEP_MS) === second) return true;
  }
  return false;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648, as authenticator apps take seeds. */
export function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const character of text) {
    value = ((value << 5) | ALPHABET.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >> bits) & 0xff);
  }
  return Buffer.from(bytes);
}
