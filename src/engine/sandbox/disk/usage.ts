import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

export interface Bounds {
  readonly bytes: number;
  /** Files and folders. */
  readonly entries: number;
}

/**
 * Whether a folder holds more than it may, in allocated blocks and in entries. Stops at the first that is too much, so that
 * the work is bounded; follows no link. What vanishes meanwhile, or cannot be read, is not counted.
 */
export async function exceeds(folder: string, bounds: Bounds): Promise<boolean> {
  const linked = new Set<number>();
  let [bytes, entries] = [0, 0];
  const folders = [folder];
  for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
    // oxlint-disable-next-line no-await-in-loop
    for (const name of await readdir(path).catch(() => [])) {
      const child = join(path, name);
      // One at a time: a look must not crowd out the work of the thread pool.
      // oxlint-disable-next-line no-await-in-loop
      const stats = await lstat(child).catch(() => undefined);
      if (stats === undefined || (stats.nlink > 1 && !stats.isDirectory() && linked.has(stats.ino))) continue;
      linked.add(stats.ino);
      bytes += stats.blocks * 512;
      entries++;
      if (bytes > bounds.bytes || entries > bounds.entries) return true;
      if (stats.isDirectory()) folders.push(child);
    }
  }
  return false;
}
