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
 * Processes whose environment holds one of `markers`, or that descend from one of `roots`. Reads all of /proc,
 * asynchronously: call it for many environments at once.
 */
export async function findProcesses(
  markers: readonly string[],
  roots: ReadonlySet<number>,
): Promise<readonly number[]> {
  let names: string[];
  try {
    names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  const parents = new Map<number, number>();
  const found = new Set<number>();
  const needles = markers.map((marker) => Buffer.from(marker));
  await Promise.all(
    names.map(async (name) => {
      const pid = Number(name);
      if (pid === process.pid) return;
      const [stat, environment] = await Promise.all([
        readOr(`/proc/${name}/stat`),
        readOr(`/proc/${name}/environ`),
      ]);
      // "pid (command) state ppid …": the command may hold anything, even brackets.
      const fields = stat.toString("latin1");
      const [state, parent] = fields.slice(fields.lastIndexOf(")") + 2).split(" ");
      if (state === "Z" || parent === undefined) return;
      parents.set(pid, Number(parent));
      if (needles.some((needle) => environment.includes(needle))) found.add(pid);
    }),
  );
  for (const pid of parents.keys()) {
    for (let at: number | undefined = pid, hops = 0; at !== undefined && at > 1 && hops < 64; hops++) {
      if (roots.has(at)) {
        found.add(pid);
        break;
      }
      at = parents.get(at);
    }
  }
  return [...found];
}

async function readOr(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch {
    return Buffer.alloc(0);
  }
}
