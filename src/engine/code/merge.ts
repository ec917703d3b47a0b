import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

/** Entries that are merged in one turn of the event loop, about a millisecond. */
const ENTRIES_A_TURN = 32;

/**
 * Merges folders into `target`, which exists and is empty. A later folder's entry replaces an earlier one's of the same
 * path; folders are united. Files are hard links: the folders lie on one file system and never change.
 */
export async function mergeFolders(folders: readonly string[], target: string): Promise<void> {
  let merged = 0;
  const mergeInto = async (folder: string, into: string): Promise<void> => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const from = join(folder, entry.name);
      const to = join(into, entry.name);
      makeRoom(to, entry.isDirectory());
      if (entry.isDirectory()) {
        mkdirSync(to, { recursive: true });
        await mergeInto(from, to);
      } else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
      else linkSync(from, to);
      if (++merged % ENTRIES_A_TURN === 0) await nextTurn();
    }
  };
  for (const folder of folders) await mergeInto(folder, target);
}

/** Removes what a later entry replaces; a folder stays where a folder comes. */
function makeRoom(path: string, forFolder: boolean): void {
  const before = lstatSync(path, { throwIfNoEntry: false });
  if (before === undefined || (forFolder && before.isDirectory())) return;
  if (before.isDirectory()) rmSync(path, { recursive: true });
  else unlinkSync(path);
}
