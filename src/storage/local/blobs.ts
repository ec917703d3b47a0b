import { createHash } from "node:crypto";
import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";

import type { Ids } from "#core/ids";
import { pieces } from "#core/sha256";

import { BlobMissing, type BlobId, type BlobInfo, type Blobs } from "../blobs.ts";
import { hasCode, writeBeside } from "./files.ts";

/** Blobs as read-only files, `ab/abcdef…`: written beside, flushed, then renamed, so a file under its name is whole. */
export class LocalBlobs implements Blobs {
  readonly #folder: string;
  readonly #ids: Ids;

  private constructor(folder: string, ids: Ids) {
    this.#folder = folder;
    this.#ids = ids;
  }

  static async open(folder: string, ids: Ids): Promise<LocalBlobs> {
    const unfinished = join(folder, "unfinished");
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    return new LocalBlobs(folder, ids);
  }

  async put(bytes: Uint8Array | Readable): Promise<BlobInfo> {
    const temporary = join(this.#folder, "unfinished", this.#ids.hex(32));
    const hash = createHash("sha256");
    async function* hashed(): AsyncGenerator<Uint8Array> {
      for await (const piece of bytes instanceof Readable ? bytes : pieces(bytes)) {
        const chunk: Uint8Array = typeof piece === "string" ? Buffer.from(piece) : (piece as Uint8Array);
        hash.update(chunk);
        yield chunk;
      }
    }
    let id = "";
    const length = await writeBeside(this.#folder, temporary, hashed(), () => {
      id = hash.digest("hex");
      return this.#file(id);
    });
    return { id, bytes: length };
  }

  async get(id: BlobId): Promise<Buffer> {
    const handle = await this.#open(id);
    try {
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  }

  async open(id: BlobId, range?: { start: number; end: number }): Promise<Readable> {
    const handle = await this.#open(id);
    if (range === undefined) return handle.createReadStream();
    if (range.end > range.start) return handle.createReadStream({ start: range.start, end: range.end - 1 });
    await handle.close();
    return Readable.from([]);
  }

  async path(id: BlobId): Promise<string> {
    if (!(await this.has(id))) throw new BlobMissing(id);
    return this.#file(id);
  }

  async has(id: BlobId): Promise<boolean> {
    try {
      return (await stat(this.#file(id))).isFile();
    } catch (error) {
      if (error instanceof BlobMissing || hasCode(error, "ENOENT")) return false;
      throw error;
    }
  }

  async remove(id: BlobId): Promise<void> {
    if (await this.has(id)) await rm(this.#file(id), { force: true });
  }

  async *list(): AsyncIterable<BlobInfo> {
    const shards = (await readdir(this.#folder)).filter((name) => /^[0-9a-f]{2}$/.test(name)).toSorted();
    for (const shard of shards) {
      for (const id of (await readdir(join(this.#folder, shard))).toSorted()) {
        const found = await stat(this.#file(id)).catch(() => undefined);
        if (found !== undefined) yield { id, bytes: found.size };
      }
    }
  }

  async #open(id: BlobId): ReturnType<typeof open> {
    try {
      return await open(this.#file(id), "r");
    } catch (error) {
      if (hasCode(error, "ENOENT")) throw new BlobMissing(id);
      throw error;
    }
  }

  /** Only a digest names a file, so that no id leads out of the folder. */
  #file(id: BlobId): string {
    if (!/^[0-9a-f]{64}$/.test(id)) throw new BlobMissing(id);
    return join(this.#folder, id.slice(0, 2), id);
  }
}
