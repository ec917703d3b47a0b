import type { Enforcement } from "../contract.ts";

export interface CgroupOptions {
  /** MemorySize, in MB of 1,048,576 bytes: the hard limit of anonymous memory, tmpfs and what page cache cannot be reclaimed. No swap. */
  readonly memoryMb: number;
  /** The most processes and threads at once. AWS's quota is 1,024 ("Lambda quotas", Execution processes/threads). */
  readonly pids: number;
}

/**
 * The control groups of one platform process, found by `findCgroups`. They live in a group of their own, named after the
 * platform's instance, so that two platforms on one host never meet.
 */
export interface Cgroups {
  readonly version: 1 | 2;
  /**
   * Makes the group of one execution environment, at full speed, thawed and empty. Synchronous: a few directory and file
   * operations in the kernel's memory, well under a millisecond.
   * @throws Error where the id is taken or the host takes no more groups
   */
  create(id: string, options: CgroupOptions): Cgroup;
  enforcement(): readonly Enforcement[];
  /**
   * Kills the processes and removes the groups that an earlier platform of the same instance left when it died, and those
   * of other platforms that died: one with a temporary data folder never starts again. Call it before `create`.
   */
  clean(): Promise<void>;
  /** Kills and removes every group, its own included. Idempotent. */
  close(): Promise<void>;
}

/**
 * How a process gets into its group before it runs anything of a function's:
 *
 * 1. `bwrap --block-fd R --info-fd W …` is spawned from outside the group. bwrap clones the sandbox's first process,
 *    writes `{"child-pid": N}` (as seen from the spawner's pid namespace) to W, and that process waits for R.
 * 2. `add(N)`: one process, with no child and no thread yet, so that nothing is missed.
 * 3. R is closed (or one byte written): the sandbox is entered and the guest executed inside the group.
 *
 * bwrap's outer process stays outside on purpose: it is neither frozen, nor throttled, nor killed with the group, and so
 * it always tells how the sandbox ended. Without bwrap, spawn a process that waits on a pipe before it executes the
 * guest, and `add` it meanwhile. Adding a process that has already made children leaves these behind.
 */
export interface Cgroup {
  readonly id: string;
  /**
   * Moves one process, with all its threads, into the group; its later children are born there.
   * Takes a kernel lock over all forks: tens of microseconds, at worst some milliseconds. Keep it off the invoke path.
   * @throws Error with code ESRCH where there is no such process
   */
  add(pid: number): void;
  /** CPU time: `undefined` is full speed (AWS's init phase), else `memoryMb / 1769` cores in every period of 20 ms. */
  setCpu(memoryMb: number | undefined): void;
  /** Stops every process of the group; resolves once all have stopped. A `thaw` or `kill` meanwhile ends the wait. */
  freeze(): Promise<void>;
  /** Lets them go on: one write, microseconds. Does nothing to a group that is not frozen. */
  thaw(): void;
  /** Where the group is (not) stopped at present, as asked for by the last `freeze` or `thaw`. */
  readonly frozen: boolean;
  stats(): CgroupStats;
  /** `stats().peakKb`, which is asked for while invocations run, at half the cost. */
  readonly peakKb: number;
  /**
   * Kills every process of the group, frozen ones and those being forked too. Returns before they are reaped: `remove` waits for that.
   * The group can take no new process afterwards.
   */
  kill(): void;
  /** Kills what is left, waits until it is gone, and removes the group. Idempotent; rejects where a process cannot be killed within ten seconds. */
  remove(): Promise<void>;
}

export interface CgroupStats {
  /** Whether the kernel ended a process of the group for want of memory. By then every process of the group has ended or is about to. */
  readonly oomKilled: boolean;
  /** The most memory held at once, in KiB, without page cache where the kernel can tell; see `Cgroups.enforcement`. */
  readonly peakKb: number;
  /** CPU time of the group's processes so far, in microseconds. */
  readonly cpuUs: number;
  /** Periods of 20 ms in which processes had to wait because the group's CPU time was used up. */
  readonly throttledPeriods: number;
}
