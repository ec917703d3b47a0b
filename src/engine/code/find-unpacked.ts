import { lstatSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ArchiveFile } from "./archive-file.ts";
import { type ArchiveEntry, readEntries, type UnzipLimits } from "./entries.ts";

/** Entries that are looked at in one turn of the event loop, about half a millisecond. */
const ENTRIES_A_TURN = 128;

/**
 * Looks for what an archive was unpacked into. After a power cut a folder may have its name, and not all that was written
 * into it: files are there and empty, as file systems write them later than names.
 * @returns the bytes of all files; undefined where something is missing or is not as long as it was
 * @throws BadArchive
 */
export async function findUnpacked(
  archive: string,
  folder: string,
  limits: UnzipLimits,
): Promise<number | undefined> {
  const file = new ArchiveFile(archive);
  try {
    let [bytes, seen] = [0, 0];
    for (const entry of await readEntries(file, limits)) {
      if (!isThere(join(folder, entry.name), entry)) return undefined;
      if (entry.type === "regular") bytes += entry.bytes;
      if (++seen % ENTRIES_A_TURN === 0) await nextTurn();
    }
    return bytes;
  } finally {
    file.end();
  }
}

function isThere(path: string, { type, bytes }: ArchiveEntry): boolean {
  try {
    const found = lstatSync(path);
    if (type === "directory") return found.isDirectory();
    if (type === "link") return found.isSymbolicLink();
    return found.isFile() && found.size === bytes;
  } catch {
    return false;
  }
}
