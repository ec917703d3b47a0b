import type { Cgroup } from "./contract.ts";

/** The most memory that a group has held, in KiB; 0 where it is gone. */
export function peakOf(cgroup: Cgroup): number {
  try {
    return cgroup.peakKb;
  } catch {
    return 0;
  }
}

/** Whether the kernel has ended a process of a group for its memory; false where the group is gone. */
export function oomKilled(cgroup: Cgroup): boolean {
  try {
    return cgroup.stats().oomKilled;
  } catch {
    return false;
  }
}
