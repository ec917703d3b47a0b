import { closeSync, constants, mkdirSync, openSync, rmdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { CgroupOptions } from "./contract.ts";
import { PERIOD_US } from "./cpu-share.ts";
import { isGone, keyed, killAll, numbers, read, readOr, write, writeIfThere } from "./files.ts";
import type { CpuUsage, GroupFiles, MemoryUsage } from "./files.ts";

/** The same group in each hierarchy; some may be mounted as one. Only the freezer is indispensable. */
export interface V1Paths {
  readonly freezer: string;
  readonly memory: string | undefined;
  readonly cpu: string | undefined;
  readonly cpuacct: string | undefined;
  readonly pids: string | undefined;
}

/** Each directory once, the freezer last: whoever looks for what a crash left looks there. */
export function directories(paths: V1Paths): readonly string[] {
  const all = [paths.memory, paths.cpu, paths.cpuacct, paths.pids, paths.freezer];
  return [...new Set(all.filter((path) => path !== undefined))];
}

export function createV1(paths: V1Paths, options: CgroupOptions): V1Files {
  const made: string[] = [];
  try {
    // The freezer first: a crash in the midst of this leaves what `clean` finds.
    for (const path of directories(paths).toReversed()) {
      mkdirSync(path);
      made.push(path);
    }
    if (paths.memory !== undefined) {
      const bytes = options.memoryMb * 1024 * 1024;
      write(join(paths.memory, "memory.limit_in_bytes"), bytes);
      // Memory and swap together. A kernel without swap accounting lacks it: then keep the group out of swap as far as can be.
      if (!writeIfThere(join(paths.memory, "memory.memsw.limit_in_bytes"), bytes))
        writeIfThere(join(paths.memory, "memory.swappiness"), 0);
    }
    if (paths.pids !== undefined) write(join(paths.pids, "pids.max"), options.pids);
    if (paths.cpu !== undefined) write(join(paths.cpu, "cpu.cfs_period_us"), PERIOD_US);
    return new V1Files(paths);
  } catch (error) {
    for (const path of made.toReversed()) rmdirSync(path);
    throw error;
  }
}

export class V1Files implements GroupFiles {
  readonly #paths: V1Paths;
  /** Kept open: thawing is on the way of an invocation. */
  readonly #freezer: number;
  #open = true;

  constructor(paths: V1Paths) {
    this.#paths = paths;
    this.#freezer = openSync(join(paths.freezer, "freezer.state"), constants.O_WRONLY);
  }

  pids(): readonly number[] {
    const lists = directories(this.#paths).map((path) => numbers(readOr(join(path, "cgroup.procs"), "")));
    // A crash in the midst of `join` leaves a process in some of the hierarchies only.
    return [...new Set(lists.flat())];
  }

  join(pid: number): void {
    for (const path of directories(this.#paths)) write(join(path, "cgroup.procs"), pid);
  }

  quota(us: number | undefined): void {
    if (this.#paths.cpu !== undefined) write(join(this.#paths.cpu, "cpu.cfs_quota_us"), us ?? -1);
  }

  stop(): void {
    writeSync(this.#freezer, "FROZEN");
  }

  go(): void {
    writeSync(this.#freezer, "THAWED");
  }

  stopped(): boolean {
    return read(join(this.#paths.freezer, "freezer.state")).startsWith("FROZEN");
  }

  /** Version 1 has no kill for a group: forks are refused, then all that is there is signalled, then let go, for a stopped process does not die here. */
  strike(): void {
    if (this.#paths.pids !== undefined) writeIfThere(join(this.#paths.pids, "pids.max"), 0);
    else this.#tell("FROZEN");
    const struck = new Set<number>();
    for (let pids = this.pids(); pids.length > 0;) {
      killAll(pids);
      for (const pid of pids) struck.add(pid);
      pids = this.pids().filter((pid) => !struck.has(pid));
    }
    this.#tell("THAWED");
  }

  #tell(state: string): void {
    writeIfThere(join(this.#paths.freezer, "freezer.state"), state);
  }

  memory(): MemoryUsage {
    const { memory } = this.#paths;
    const stat = fileOf(memory, "memory.stat");
    const peak = fileOf(memory, "memory.max_usage_in_bytes");
    return {
      peakBytes: peak === "" ? undefined : Number(peak),
      bytes: Number(fileOf(memory, "memory.usage_in_bytes")),
      cacheBytes: keyed(stat, "total_cache") - keyed(stat, "total_shmem"),
    };
  }

  cpu(): CpuUsage {
    const { cpu, cpuacct } = this.#paths;
    return {
      cpuUs: Math.round(Number(fileOf(cpuacct, "cpuacct.usage")) / 1000),
      throttledPeriods: keyed(fileOf(cpu, "cpu.stat"), "nr_throttled"),
    };
  }

  oomKills(): number {
    if (this.#paths.memory === undefined) return 0;
    return keyed(readOr(join(this.#paths.memory, "memory.oom_control"), ""), "oom_kill");
  }

  discard(): void {
    for (const path of directories(this.#paths)) {
      try {
        rmdirSync(path);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
    if (this.#open) closeSync(this.#freezer);
    this.#open = false;
  }
}

/** Empty where the hierarchy is not there. */
function fileOf(path: string | undefined, name: string): string {
  return path === undefined ? "" : readOr(join(path, name), "");
}
