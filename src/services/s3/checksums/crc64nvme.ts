/** The polynomial of the NVM Express specification (NVM Command Set, 64b CRC), bits reversed. */
const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;

/** A CRC as its upper and lower 32 bits: numbers of that size are what a JavaScript engine computes fast with. */
export interface Crc64 {
  readonly high: number;
  readonly low: number;
}

/** Eight tables of 256 each, see crc32c.ts; one for each half. */
const [HIGH, LOW] = makeTables();

function makeTables(): readonly [Uint32Array, Uint32Array] {
  const whole = new BigUint64Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ ((crc & 1n) * POLYNOMIAL);
    whole[byte] = crc;
  }
  for (let index = 256; index < whole.length; index++) {
    const before = whole[index - 256] ?? 0n;
    whole[index] = (before >> 8n) ^ (whole[Number(before & 0xffn)] ?? 0n);
  }
  return [
    Uint32Array.from(whole, (crc) => Number(crc >> 32n)),
    Uint32Array.from(whole, (crc) => Number(crc & 0xffffffffn)),
  ];
}

const START: Crc64 = { high: 0, low: 0 };

/** The CRC-64/NVME of `bytes`, or of what came before (`crc`) and `bytes` together. */
export function crc64nvme(bytes: Uint8Array, crc: Crc64 = START): Crc64 {
  const highs = HIGH;
  const lows = LOW;
  const end = bytes.length - (bytes.length % 8);
  let high = ~crc.high;
  let low = ~crc.low;
  let at = 0;
  // Typed arrays answer a number for every index below; the assertions keep the loop free of branches.
  for (; at < end; at += 8) {
    low ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    high ^= bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
    const a = 1792 + (low & 0xff);
    const b = 1536 + ((low >>> 8) & 0xff);
    const c = 1280 + ((low >>> 16) & 0xff);
    const d = 1024 + (low >>> 24);
    const e = 768 + (high & 0xff);
    const f = 512 + ((high >>> 8) & 0xff);
    const g = 256 + ((high >>> 16) & 0xff);
    const h = high >>> 24;
    low = lows[a]! ^ lows[b]! ^ lows[c]! ^ lows[d]! ^ lows[e]! ^ lows[f]! ^ lows[g]! ^ lows[h]!;
    high = highs[a]! ^ highs[b]! ^ highs[c]! ^ highs[d]! ^ highs[e]! ^ highs[f]! ^ highs[g]! ^ highs[h]!;
  }
  for (; at < bytes.length; at++) {
    const index = (low ^ bytes[at]!) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ lows[index]!;
    high = (high >>> 8) ^ highs[index]!;
  }
  return { high: ~high >>> 0, low: ~low >>> 0 };
}
