import { closeSync, constants, mkdirSync, openSync, rmdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { CgroupOptions } from "./contract.ts";
import { PERIOD_US } from "./cpu-share.ts";
import { isGone, keyed, killAll, numbers, read, readOr, write, writeIfThere } from "./files.ts";
import type { CpuUsage, GroupFiles, MemoryUsage } from "./files.ts";

/** The controllers that enforce Lambda's limits; freezing and killing are part of version 2 itself. */
export const CONTROLLERS = ["memory", "cpu", "pids"] as const;

/** Makes a group with its limits, under a parent that hands the controllers on. */
export function createV2(path: string, options: CgroupOptions): V2Files {
  mkdirSync(path);
  try {
    if (writeIfThere(join(path, "memory.max"), options.memoryMb * 1024 * 1024)) {
      // Absent where the kernel has no swap.
      writeIfThere(join(path, "memory.swap.max"), 0);
      // All of an environment or nothing: a runtime whose child alone was killed would be in a state that AWS never shows.
      writeIfThere(join(path, "memory.oom.group"), 1);
    }
    writeIfThere(join(path, "pids.max"), options.pids);
    return new V2Files(path);
  } catch (error) {
    rmdirSync(path);
    throw error;
  }
}

export class V2Files implements GroupFiles {
  readonly #path: string;
  /** Kept open: thawing is on the way of an invocation. */
  readonly #freezer: number;
  #open = true;

  constructor(path: string) {
    this.#path = path;
    this.#freezer = openSync(join(path, "cgroup.freeze"), constants.O_WRONLY);
  }

  pids(): readonly number[] {
    return numbers(readOr(join(this.#path, "cgroup.procs"), ""));
  }

  join(pid: number): void {
    write(join(this.#path, "cgroup.procs"), pid);
  }

  quota(us: number | undefined): void {
    writeIfThere(join(this.#path, "cpu.max"), `${us ?? "max"} ${PERIOD_US}`);
  }

  stop(): void {
    writeSync(this.#freezer, "1");
  }

  go(): void {
    writeSync(this.#freezer, "0");
  }

  stopped(): boolean {
    return keyed(read(join(this.#path, "cgroup.events")), "frozen") === 1;
  }

  strike(): void {
    writeIfThere(join(this.#path, "pids.max"), 0);
    // Linux 5.14. Before, with forks forbidden, one process after the other; stopped ones die as well.
    if (!writeIfThere(join(this.#path, "cgroup.kill"), 1)) killAll(this.pids());
  }

  memory(): MemoryUsage {
    const stat = this.#file("memory.stat");
    // Linux 5.19.
    const peak = this.#file("memory.peak");
    return {
      peakBytes: peak === "" ? undefined : Number(peak),
      bytes: Number(this.#file("memory.current")),
      cacheBytes: keyed(stat, "file") - keyed(stat, "shmem"),
    };
  }

  cpu(): CpuUsage {
    const stat = this.#file("cpu.stat");
    return { cpuUs: keyed(stat, "usage_usec"), throttledPeriods: keyed(stat, "nr_throttled") };
  }

  oomKills(): number {
    return keyed(readOr(join(this.#path, "memory.events"), ""), "oom_kill");
  }

  discard(): void {
    try {
      rmdirSync(this.#path);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    if (this.#open) closeSync(this.#freezer);
    this.#open = false;
  }

  #file(name: string): string {
    return readOr(join(this.#path, name), "");
  }
}
