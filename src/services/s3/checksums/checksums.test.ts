import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALGORITHMS, createHasher } from "./algorithms.ts";
import { combineCrcs, CRC_KINDS } from "./combine.ts";

function checksum(algorithm: (typeof ALGORITHMS)[number], ...pieces: Uint8Array[]): string {
  const hasher = createHasher(algorithm);
  for (const piece of pieces) hasher.update(piece);
  return hasher.digest().toString("hex");
}

const check = Buffer.from("123456789");

describe("checksums", () => {
  // The check values of the catalogue of parametrised CRC algorithms, and the vectors of RFC 3720, appendix B.4.
  it.each([
    ["CRC32", check, "cbf43926"],
    ["CRC32C", check, "e3069283"],
    ["CRC32C", Buffer.alloc(32), "8a9136aa"],
    ["CRC32C", Buffer.alloc(32, 0xff), "62a8ab43"],
    ["CRC32C", Buffer.from(Array.from({ length: 32 }, (_, at) => at)), "46dd794e"],
    ["CRC32C", Buffer.from(Array.from({ length: 32 }, (_, at) => 31 - at)), "113fdb5c"],
    ["CRC64NVME", check, "ae8b14860a799888"],
    // Recorded: what S3 answers for these bytes (pX30eiUx5C0=, qUVrWYOrIAM=).
    ["CRC64NVME", Buffer.from('{"key": "value"}'), "a57df47a2531e42d"],
    ["CRC64NVME", Buffer.from("test data.."), "a9456b5983ab2003"],
    ["SHA1", Buffer.from("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["SHA256", Buffer.alloc(0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ] as const)("%s of known bytes", (algorithm, bytes, hex) => {
    expect(checksum(algorithm, bytes)).toBe(hex);
  });

  it.each(ALGORITHMS)("%s does not care how the bytes are cut", (algorithm) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 5 }), (pieces) => {
        expect(checksum(algorithm, ...pieces)).toBe(checksum(algorithm, Buffer.concat(pieces)));
      }),
    );
  });

  it.each(Object.keys(CRC_KINDS) as (keyof typeof CRC_KINDS)[])(
    "%s of the whole follows from those of the parts",
    async (algorithm) => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), async (pieces) => {
          const parts = pieces.map((piece) => ({
            crc: BigInt(`0x${checksum(algorithm, piece)}`),
            bytes: piece.length,
          }));
          const combined = await combineCrcs(CRC_KINDS[algorithm], parts);
          expect(combined).toBe(BigInt(`0x${checksum(algorithm, Buffer.concat(pieces))}`));
        }),
        { numRuns: 50 },
      );
    },
  );
});
