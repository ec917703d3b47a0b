import type { Readable } from "node:stream";

/** The name of an object's bytes: 64 lower-case hexadecimal digits that their owner chose at random. */
export type ObjectId = string;

export interface ObjectInfo {
  readonly id: ObjectId;
  readonly bytes: number;
}

/**
 * Bytes that belong to one owner each, of up to terabytes. Blobs store the same bytes once, whoever brings them, so
 * nobody may remove one; these are never shared and never changed, so their owner removes them when it likes.
 */
export interface Objects {
  /**
   * Resolves with the number of bytes once they are on disk. A stream that fails leaves nothing, and neither does a
   * process that ends half-way. An id that is there is refused.
   */
  put(id: ObjectId, bytes: Uint8Array | Readable | AsyncIterable<Uint8Array>): Promise<ObjectInfo>;
  /**
   * A stream of the bytes [start, end); it holds them for as long as it is open, also where they are removed meanwhile.
   * @throws ObjectMissing
   */
  open(id: ObjectId, range?: { readonly start: number; readonly end: number }): Promise<Readable>;
  /** Gives the disk back; an id that is not there is none of its business. */
  remove(id: ObjectId): Promise<void>;
  list(): AsyncIterable<ObjectInfo>;
}

export class ObjectMissing extends Error {
  readonly id: ObjectId;
  constructor(id: ObjectId) {
    super(`object ${id} is missing`);
    this.name = "ObjectMissing";
    this.id = id;
  }
}
