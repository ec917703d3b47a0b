import { mkdir, open, readdir, rm, stat, truncate, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { OperatorError } from "#core/errors";

import { hasCode, syncFolder } from "./files.ts";
import type { Tables } from "./tables.ts";
import { readU64, u64 } from "./tuple.ts";

/** A segment is closed when it is this long: small enough to be unlinked soon, large enough that files stay few. */
const SEGMENT_BYTES = 16 * 1024 * 1024;

export interface Place {
  readonly segment: number;
  readonly offset: number;
}

/**
 * The journal's files. All streams share one active segment, so that a thousand streams cost one flush. The table
 * `segments` holds for each file how many bytes are committed and how many of them are alive; what a crash left behind
 * the committed end is cut off at open, and a file without live bytes is unlinked.
 */
export class Segments {
  readonly #folder: string;
  readonly #tables: Tables;
  #active: { id: number; handle: FileHandle; length: number } | undefined;

  private constructor(folder: string, tables: Tables) {
    this.#folder = folder;
    this.#tables = tables;
  }

  /** @throws OperatorError where a segment is missing or shorter than what was committed to it. */
  static async open(folder: string, tables: Tables): Promise<Segments> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const segments = new Segments(folder, tables);
    const known = new Set<string>();
    for (const { key, value } of tables.segments.getRange()) {
      const [id, committed] = [readU64(key, 0), readU64(value, 0)];
      known.add(fileName(id));
      await cutTail(segments.path(id), committed);
    }
    for (const name of await readdir(folder))
      if (!known.has(name)) await rm(join(folder, name), { recursive: true });
    return segments;
  }

  path(id: number): string {
    return join(this.#folder, fileName(id));
  }

  /** Writes bytes behind the committed end and flushes them. They count once `commit` ran in a transaction. */
  async write(bytes: Buffer): Promise<Place> {
    this.#active ??= await this.#create();
    const { id, handle, length } = this.#active;
    try {
      for (let done = 0; done < bytes.length;)
        done += (await handle.write(bytes, done, bytes.length - done, length + done)).bytesWritten;
      await handle.datasync();
    } catch (error) {
      // After a failed flush nobody knows what is on disk: go on in a new file.
      await this.rotate();
      throw error;
    }
    return { segment: id, offset: length };
  }

  /** Counts bytes that were written; runs inside a transaction. */
  commit({ segment, offset }: Place, bytes: number): void {
    const row = this.#tables.segments.get(u64(segment));
    this.#tables.segments.putSync(u64(segment), u64(offset + bytes, (row ? readU64(row, 8) : 0) + bytes));
    if (this.#active?.id === segment) this.#active.length = offset + bytes;
  }

  /** Gives bytes up; runs inside a transaction. */
  release(segment: number, bytes: number): void {
    const row = this.#tables.segments.get(u64(segment));
    if (row) this.#tables.segments.putSync(u64(segment), u64(readU64(row, 0), readU64(row, 8) - bytes));
  }

  /** Closed segments without live bytes. */
  dead(): readonly number[] {
    return Array.from(
      this.#tables.segments.getRange(),
      ({ key, value }) => [readU64(key, 0), readU64(value, 8)] as const,
    )
      .filter(([id, live]) => live === 0 && id !== this.#active?.id)
      .map(([id]) => id);
  }

  async unlink(ids: readonly number[]): Promise<void> {
    for (const id of ids) await rm(this.path(id), { force: true });
  }

  /** Unlinks every file; the table was cleared before. */
  async unlinkAll(): Promise<void> {
    for (const name of await readdir(this.#folder)) await rm(join(this.#folder, name), { recursive: true });
  }

  async rotateWhenFull(): Promise<void> {
    if (this.#active !== undefined && this.#active.length >= SEGMENT_BYTES) await this.rotate();
  }

  /** Closes the active segment; the next write starts another. */
  async rotate(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    await active?.handle.close();
  }

  async #create(): Promise<{ id: number; handle: FileHandle; length: number }> {
    // Names only grow, so a file that was left behind is never taken for a new one.
    const names = (await readdir(this.#folder)).map((name) => Number.parseInt(name, 16));
    const [last] = this.#tables.segments.getKeys({ reverse: true, limit: 1 });
    const id = Math.max(0, last ? readU64(last, 0) : 0, ...names.filter(Number.isSafeInteger)) + 1;
    const handle = await open(this.path(id), "wx", 0o600);
    await syncFolder(this.#folder);
    return { id, handle, length: 0 };
  }
}

function fileName(id: number): string {
  return `${id.toString(16).padStart(12, "0")}.segment`;
}

async function cutTail(path: string, committed: number): Promise<void> {
  try {
    const { size } = await stat(path);
    if (size > committed) await truncate(path, committed);
    if (size >= committed) return;
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  throw new OperatorError(
    `the data folder is damaged: ${path} lacks bytes that were committed; restore it from a backup`,
  );
}
