import { readdirSync, readFileSync } from "node:fs";

/** A tree larger than this is no idle function's; the bound keeps a fork bomb from holding the main thread. */
const MOST_PROCESSES = 2048;
/** What is orphaned while the tree is walked changes its parent, and is found by the next look. */
const MOST_LOOKS = 8;

/**
 * Stops a process and all that it has started, for hosts without a freezer: parents first, so that none of them starts
 * another one behind the walk. Where there is no /proc, the first one alone.
 * @returns what was stopped, for `continueTree`
 */
export function stopTree(first: number): readonly number[] {
  const stopped = new Set<number>();
  for (let look = 0; look < MOST_LOOKS; look++) {
    const before = stopped.size;
    const left = [first];
    const seen = new Set<number>();
    for (let pid = left.pop(); pid !== undefined && seen.size < MOST_PROCESSES; pid = left.pop()) {
      if (seen.has(pid)) continue;
      seen.add(pid);
      if (!stopped.has(pid) && send(pid, "SIGSTOP")) stopped.add(pid);
      left.push(...childrenOf(pid));
    }
    if (stopped.size === before) break;
  }
  return [...stopped];
}

/** Lets go on what `stopTree` has stopped; what has been killed meanwhile is left alone. */
export function continueTree(stopped: readonly number[]): void {
  for (const pid of stopped) send(pid, "SIGCONT");
}

function send(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** Those of all its threads: each has a list of its own. Empty for kernels without CONFIG_PROC_CHILDREN. */
function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}
