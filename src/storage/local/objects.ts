import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";

import { pieces } from "#core/sha256";

import { ObjectMissing, type ObjectId, type ObjectInfo, type Objects } from "../objects.ts";
import { hasCode, writeBeside } from "./files.ts";

/** How many bytes are read from disk at a time: fewer, larger reads cost the event loop less. */
const READ_BYTES = 256 * 1024;

/** Objects as read-only files, `ab/abcdef…`: written beside, flushed, then renamed, so a file under its name is whole. */
export class LocalObjects implements Objects {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<LocalObjects> {
    const unfinished = join(folder, "unfinished");
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    return new LocalObjects(folder);
  }

  async put(id: ObjectId, bytes: Uint8Array | Readable | AsyncIterable<Uint8Array>): Promise<ObjectInfo> {
    const path = this.#file(id);
    if (await exists(path)) throw new Error(`object ${id} is there already`);
    const chunks = bytes instanceof Uint8Array ? pieces(bytes) : bytes;
    const temporary = join(this.#folder, "unfinished", id);
    const length = await writeBeside(
      this.#folder,
      temporary,
      chunks as AsyncIterable<Uint8Array>,
      () => path,
    );
    return { id, bytes: length };
  }

  async open(id: ObjectId, range?: { readonly start: number; readonly end: number }): Promise<Readable> {
    const path = this.#file(id);
    const handle = await open(path, "r").catch((error: unknown) => {
      throw hasCode(error, "ENOENT") ? new ObjectMissing(id) : error;
    });
    if (range !== undefined && range.end <= range.start) {
      await handle.close();
      return Readable.from([], { objectMode: false });
    }
    const limits = range === undefined ? {} : { start: range.start, end: range.end - 1 };
    return handle.createReadStream({ highWaterMark: READ_BYTES, ...limits });
  }

  async remove(id: ObjectId): Promise<void> {
    await rm(this.#file(id), { force: true });
  }

  async *list(): AsyncIterable<ObjectInfo> {
    const shards = (await readdir(this.#folder)).filter((name) => /^[0-9a-f]{2}$/.test(name)).toSorted();
    for (const shard of shards) {
      for (const id of (await readdir(join(this.#folder, shard))).toSorted()) {
        const found = await stat(this.#file(id)).catch(() => undefined);
        if (found !== undefined) yield { id, bytes: found.size };
      }
    }
  }

  /** Only such an id names a file, so that none leads out of the folder. */
  #file(id: ObjectId): string {
    if (!/^[0-9a-f]{64}$/.test(id)) throw new ObjectMissing(id);
    return join(this.#folder, id.slice(0, 2), id);
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
