import { link, lstat, mkdir, readdir, readlink, rm, symlink } from "node:fs/promises";
import { join } from "node:path";

/**
 * Merges folders into `target`, which exists and is empty. A later folder's entry replaces an earlier one's of the same
 * path; folders are united. Files are hard links: the folders lie on one file system and never change.
 */
export async function mergeFolders(folders: readonly string[], target: string): Promise<void> {
  for (const folder of folders) await mergeInto(folder, target);
}

async function mergeInto(folder: string, target: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const from = join(folder, entry.name);
    const to = join(target, entry.name);
    const before = await kindOf(to);
    if (before !== undefined && !(before === "folder" && entry.isDirectory()))
      await rm(to, { recursive: true });
    if (entry.isDirectory()) {
      await mkdir(to, { recursive: true });
      await mergeInto(from, to);
    } else if (entry.isSymbolicLink()) await symlink(await readlink(from), to);
    else await link(from, to);
  }
}

async function kindOf(path: string): Promise<"folder" | "other" | undefined> {
  return lstat(path).then(
    (found) => (found.isDirectory() ? "folder" : "other"),
    () => undefined,
  );
}
