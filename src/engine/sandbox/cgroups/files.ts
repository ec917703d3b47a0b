import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";

/**
 * The files of one group, as version 1 and version 2 have them. All calls are synchronous: these files are the kernel's
 * memory, and each call takes some ten microseconds.
 */
export interface GroupFiles {
  /** Processes of the group, zombies left out. */
  pids(): readonly number[];
  join(pid: number): void;
  /** CPU time in microseconds per period of `PERIOD_US`; `undefined` for no limit. */
  quota(us: number | undefined): void;
  stop(): void;
  go(): void;
  stopped(): boolean;
  /** Forbids forks and signals all that is there; what is stopped dies too. May have to be repeated until `pids` is empty. */
  strike(): void;
  memory(): MemoryUsage;
  cpu(): CpuUsage;
  /** How many processes the kernel has ended for want of memory: one file, cheap enough for a watch. */
  oomKills(): number;
  /** Removes the directories. @throws Error with code EBUSY while a process is left */
  discard(): void;
}

export interface MemoryUsage {
  /** The most that was ever charged, page cache included; undefined where the kernel does not tell. */
  readonly peakBytes: number | undefined;
  /** Charged now. */
  readonly bytes: number;
  /** Thereof page cache of files, which the kernel reclaims on need; tmpfs is not in it. */
  readonly cacheBytes: number;
}

export interface CpuUsage {
  readonly cpuUs: number;
  readonly throttledPeriods: number;
}

export function read(path: string): string {
  return readFileSync(path, "latin1");
}

export function readOr(path: string, otherwise: string): string {
  try {
    return read(path);
  } catch {
    return otherwise;
  }
}

/** Writes a setting in one write call, and never makes a file: a name that the kernel lacks is ENOENT. */
export function write(path: string, value: string | number): void {
  const file = openSync(path, constants.O_WRONLY);
  try {
    writeSync(file, `${value}`);
  } finally {
    closeSync(file);
  }
}

/** Whether a setting was made that not every kernel has, or whose group may be gone. */
export function writeIfThere(path: string, value: string | number): boolean {
  try {
    write(path, value);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** The number after `key` in a file of `key number` lines; 0 where it is not there. */
export function keyed(text: string, key: string): number {
  const start = text.startsWith(`${key} `) ? 0 : text.indexOf(`\n${key} `) + 1;
  return start === 0 && !text.startsWith(`${key} `)
    ? 0
    : Number.parseInt(text.slice(start + key.length + 1), 10);
}

export function numbers(text: string): readonly number[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
}

/** No such file; or the group was removed while the file was open. */
export function isGone(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ENODEV";
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** SIGKILL to each; one that is gone is no error. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      // 0 is how the kernel writes a process of a pid namespace that cannot be seen from here, and would mean this process's own group.
      if (pid > 0) process.kill(pid, "SIGKILL");
    } catch (error) {
      if (codeOf(error) !== "ESRCH") throw error;
    }
  }
}
