import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";

const PAGE_KB = 4;

/** Resident memory of a process and its children, in KiB; 0 where it is gone or the host has no /proc. */
export function treeRssKb(pid: number, depth = 0): number {
  let rss: number;
  try {
    rss = Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ", 2)[1]) * PAGE_KB;
  } catch {
    return 0;
  }
  // A tree deeper than this is not a function's; the bound keeps a fork bomb from holding the main thread.
  if (depth >= 4) return rss;
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ");
    for (const child of children.slice(0, 64)) if (child !== "") rss += treeRssKb(Number(child), depth + 1);
  } catch {
    // Kernels without CONFIG_PROC_CHILDREN: the first process alone is counted.
  }
  return rss;
}

/**
 * Processes whose environment holds one of `markers`. Reads all of /proc, asynchronously: call it for many environments
 * at once. Empty on a host without /proc.
 */
export async function findProcesses(markers: readonly string[]): Promise<readonly number[]> {
  const names = await readdir("/proc").catch(() => []);
  const needles = markers.map((marker) => Buffer.from(marker));
  const found: number[] = [];
  await Promise.all(
    names.map(async (name) => {
      const pid = Number(name);
      // A zombie has no environment any more, so it is never found: its parent's wait is all that it needs.
      if (!Number.isInteger(pid) || pid === process.pid) return;
      const environment = await readOr(`/proc/${name}/environ`);
      if (needles.some((needle) => environment.includes(needle))) found.push(pid);
    }),
  );
  return found;
}

async function readOr(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch {
    return Buffer.alloc(0);
  }
}
