import { createHmac, timingSafeEqual } from "node:crypto";

const STEP_MS = 30_000;
/** How far a code may be off, in steps: it was shown a moment ago, or clocks differ a little (RFC 6238, section 5.2). */
const WINDOW = 1;
/** How far two codes that follow one another may be off: ten minutes, as there is no guessing both. */
const PAIR_WINDOW = 20;

/** Steps of 30 seconds since 1970: each has a code of its own. */
export function stepAt(timeMs: number): number {
  return Math.floor(timeMs / STEP_MS);
}

/** The six digits that a device with this seed shows in a step (RFC 6238, with SHA-1 as virtual devices have it). */
export function codeOf(seed: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", seed).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 15;
  return String((digest.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, "0");
}

/** The step, at or beside the given one and after `after`, that a code is of. */
export function stepOfCode(seed: Buffer, code: string, step: number, after: number): number | undefined {
  return stepsAround(step, WINDOW, after).find((each) => isCodeOf(seed, each, code));
}

/** The first of the two steps, around the given one and after `after`, that two codes which follow one another are of. */
export function stepOfPair(
  seed: Buffer,
  [first, second]: readonly [string, string],
  step: number,
  after: number,
): number | undefined {
  return stepsAround(step, PAIR_WINDOW, after).find(
    (each) => isCodeOf(seed, each, first) && isCodeOf(seed, each + 1, second),
  );
}

/** The nearest first. */
function stepsAround(step: number, window: number, after: number): readonly number[] {
  const distances = Array.from({ length: window }, (_, index) => [-index - 1, index + 1]).flat();
  return [0, ...distances].map((distance) => step + distance).filter((each) => each > after && each >= 0);
}

function isCodeOf(seed: Buffer, step: number, code: string): boolean {
  const [expected, given] = [Buffer.from(codeOf(seed, step)), Buffer.from(code)];
  return expected.length === given.length && timingSafeEqual(expected, given);
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
