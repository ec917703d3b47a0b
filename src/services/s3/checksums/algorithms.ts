import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { crc32c } from "./crc32c.ts";
import { type Crc64, crc64nvme } from "./crc64nvme.ts";

/** The checksums that S3's clients send by themselves or have long sent; S3 has newer ones that are not built here. */
export const ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** What S3 computes where the client sends no checksum ("Checking object integrity in Amazon S3"). */
export const DEFAULT_ALGORITHM: Algorithm = "CRC64NVME";

export function isAlgorithm(name: string): name is Algorithm {
  return (ALGORITHMS as readonly string[]).includes(name);
}

/** The length of a checksum in bytes. */
export const DIGEST_BYTES: Readonly<Record<Algorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

/** The member of inputs and outputs that holds a checksum, such as ChecksumCRC32. */
export type ChecksumMember = `Checksum${Algorithm}`;

export function memberOf(algorithm: Algorithm): ChecksumMember {
  return `Checksum${algorithm}`;
}

/** The header and trailer, such as `x-amz-checksum-crc32`. */
export function headerOf(algorithm: Algorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

export function createHasher(algorithm: Algorithm): Hasher {
  switch (algorithm) {
    case "CRC32":
      return crc32Hasher((bytes, crc) => crc32(bytes, crc));
    case "CRC32C":
      return crc32Hasher(crc32c);
    case "CRC64NVME":
      return crc64Hasher();
    default:
      return createHash(algorithm === "SHA1" ? "sha1" : "sha256");
  }
}

function crc32Hasher(next: (bytes: Uint8Array, crc: number) => number): Hasher {
  let crc = 0;
  return {
    update: (bytes) => {
      crc = next(bytes, crc);
    },
    digest: () => {
      const digest = Buffer.alloc(4);
      digest.writeUInt32BE(crc);
      return digest;
    },
  };
}

function crc64Hasher(): Hasher {
  let crc: Crc64 = { high: 0, low: 0 };
  return {
    update: (bytes) => {
      crc = crc64nvme(bytes, crc);
    },
    digest: () => {
      const digest = Buffer.alloc(8);
      digest.writeUInt32BE(crc.high);
      digest.writeUInt32BE(crc.low, 4);
      return digest;
    },
  };
}
