import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** The sum of all regular files' sizes in a folder and below. One folder after the other: there may be thousands. */
export async function bytesIn(folder: string): Promise<number> {
  const folders = [folder];
  let bytes = 0;
  for (let at = folders.pop(); at !== undefined; at = folders.pop())
    for (const entry of await readdir(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) bytes += (await lstat(path)).size;
    }
  return bytes;
}
