import { mkdirSync, readdirSync, readlinkSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { isGone, readOr } from "./files.ts";

/**
 * An empty group within a platform's own group says by its name whose that is: `owner-`, its process id, when that
 * started, and the namespace that counts it. It stays where a platform and its spawner are killed at once, and tells the
 * next platform of this host that nobody else will clean up.
 */
const OWNER = /^owner-(\d+)-(\d+)-(\d+)$/;

/** Marks a platform's own group as a process's, which is this one; marks of earlier ones go. */
export function markOwner(base: string, pid = process.pid): void {
  const own = `owner-${pid}-${startOf(pid)}-${pidNamespace()}`;
  mkdirSync(join(base, own), { recursive: true });
  for (const name of groupsIn(base)) if (isOwner(name) && name !== own) removeGroup(join(base, name));
}

export function unmarkOwner(base: string): void {
  for (const name of groupsIn(base)) if (isOwner(name)) removeGroup(join(base, name));
}

export function isOwner(name: string): boolean {
  return OWNER.test(name);
}

/** Whether a platform's group has an owner that is dead for certain: not of another process-id namespace, and not unmarked. */
export function isOrphaned(base: string): boolean {
  const owners = groupsIn(base).flatMap((name) => {
    const [, pid, start, namespace] = OWNER.exec(name) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), start, namespace }];
  });
  const here = pidNamespace();
  return (
    owners.length > 0 &&
    owners.every(({ pid, start, namespace }) => namespace === here && startOf(pid) !== start)
  );
}

export function groupsIn(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** When a process started, in ticks since the boot; empty where there is none. */
function startOf(pid: number): string {
  // "pid (name) state …": the name may hold anything; the start is the 20th field after it.
  const stat = readOr(`/proc/${pid}/stat`, "");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function pidNamespace(): string {
  return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "";
}
