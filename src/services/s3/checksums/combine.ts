import { setImmediate as nextTurn } from "node:timers/promises";

/** A CRC whose bits are reversed, whose state begins with ones, and whose result is inverted, as all of S3's are. */
export interface CrcKind {
  readonly bits: 32 | 64;
  /** Bits reversed. */
  readonly polynomial: bigint;
}

export const CRC_KINDS = {
  CRC32: { bits: 32, polynomial: 0xedb88320n },
  CRC32C: { bits: 32, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n },
} as const satisfies Record<string, CrcKind>;

export interface CrcPart {
  readonly crc: bigint;
  readonly bytes: number;
}

/** Parts that are combined in one turn of the event loop: some 5 µs each. */
const TURN = 200;

/**
 * The CRC of all parts joined, from the CRCs of the parts: appending n bytes multiplies a CRC by x^8n modulo the
 * polynomial. One multiplication a part, since the parts of an upload are all of one length but for the last.
 */
export async function combineCrcs(kind: CrcKind, parts: Iterable<CrcPart>): Promise<bigint> {
  const shifts = new Map<number, bigint>();
  let crc = 0n;
  let done = 0;
  for (const part of parts) {
    let shift = shifts.get(part.bytes);
    if (shift === undefined) {
      shift = powerOfX(kind, BigInt(part.bytes) * 8n);
      if (shifts.size < 16) shifts.set(part.bytes, shift);
    }
    crc = multiply(kind, crc, shift) ^ part.crc;
    done += 1;
    if (done % TURN === 0) await nextTurn();
  }
  return crc;
}

/** x^exponent modulo the polynomial, by squaring. Bits are reversed: the highest bit is x^0. */
function powerOfX(kind: CrcKind, exponent: bigint): bigint {
  let square = 1n << BigInt(kind.bits - 2);
  let power = 1n << BigInt(kind.bits - 1);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) power = multiply(kind, power, square);
    square = multiply(kind, square, square);
  }
  return power;
}

function multiply({ bits, polynomial }: CrcKind, a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = BigInt(bits - 1); bit >= 0n; bit--) {
    if (((a >> bit) & 1n) === 1n) product ^= shifted;
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}
