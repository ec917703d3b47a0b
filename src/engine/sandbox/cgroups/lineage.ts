import { readOr } from "./files.ts";

/**
 * Whether all these processes descend from one that is this process or an ancestor of it: a command that was started in a
 * group of its own, with all that it has started. Such a group may be rearranged; one that strangers live in may not.
 */
export function areOneFamily(pids: readonly number[], parentOf: (pid: number) => number = parent): boolean {
  const here = new Set(pids);
  const elder = ancestry(process.pid, parentOf).findLast((pid) => here.has(pid));
  if (elder === undefined) return pids.length === 0;
  return pids.every((pid) => ancestry(pid, parentOf).includes(elder));
}

/** The process itself, its parent, and so on. */
function ancestry(pid: number, parentOf: (pid: number) => number): readonly number[] {
  const chain: number[] = [];
  for (let at = pid; at > 0 && !chain.includes(at); at = parentOf(at)) chain.push(at);
  return chain;
}

/** 0 for the first process of the pid namespace, and for one that is gone. */
function parent(pid: number): number {
  // "pid (name) state ppid …": the name may hold anything, parentheses too.
  const stat = readOr(`/proc/${pid}/stat`, "");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
}
