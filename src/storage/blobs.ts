import type { Readable } from "node:stream";

/** A blob's name: the SHA-256 of its bytes, 64 lower-case hexadecimal digits. */
export type BlobId = string;

export interface BlobInfo {
  readonly id: BlobId;
  readonly bytes: number;
}

/** Content-addressed bytes. The same bytes are stored once. */
export interface Blobs {
  /** Resolves once the bytes are on disk under their final name. */
  put(bytes: Uint8Array | Readable): Promise<BlobInfo>;
  /** @throws BlobMissing */
  get(id: BlobId): Promise<Buffer>;
  /** A stream of the bytes [start, end). @throws BlobMissing */
  open(id: BlobId, range?: { start: number; end: number }): Promise<Readable>;
  /** A file of this machine that holds the bytes, for what must be mounted or unzipped. Read only. @throws BlobMissing */
  path(id: BlobId): Promise<string>;
  has(id: BlobId): Promise<boolean>;
  remove(id: BlobId): Promise<void>;
  list(): AsyncIterable<BlobInfo>;
}

export class BlobMissing extends Error {
  readonly id: BlobId;
  constructor(id: BlobId) {
    super(`blob ${id} is missing`);
    this.name = "BlobMissing";
    this.id = id;
  }
}
