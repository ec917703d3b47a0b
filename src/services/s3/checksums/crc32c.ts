/** The Castagnoli polynomial, bits reversed (RFC 3720, appendix B.4). */
const POLYNOMIAL = 0x82f63b78;

/** Eight tables of 256: the CRC of a byte that 0 to 7 more bytes follow, so that eight bytes are eight look-ups. */
const TABLES = makeTables();

function makeTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * POLYNOMIAL);
    tables[byte] = crc;
  }
  for (let index = 256; index < tables.length; index++) {
    const before = tables[index - 256] ?? 0;
    tables[index] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
  }
  return tables;
}

/** The CRC-32C of `bytes`, or of what came before (`crc`) and `bytes` together. Eight bytes a step: about 1 GB/s. */
export function crc32c(bytes: Uint8Array, crc = 0): number {
  const table = TABLES;
  const end = bytes.length - (bytes.length % 8);
  let state = ~crc;
  let at = 0;
  // Typed arrays answer a number for every index below; the assertions keep the loop free of branches.
  for (; at < end; at += 8) {
    const low =
      state ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    state =
      table[1792 + (low & 0xff)]! ^
      table[1536 + ((low >>> 8) & 0xff)]! ^
      table[1280 + ((low >>> 16) & 0xff)]! ^
      table[1024 + (low >>> 24)]! ^
      table[768 + bytes[at + 4]!]! ^
      table[512 + bytes[at + 5]!]! ^
      table[256 + bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) state = (state >>> 8) ^ table[(state ^ bytes[at]!) & 0xff]!;
  return ~state >>> 0;
}
