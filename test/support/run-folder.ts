// Vitest's global set-up: each run has a temporary folder of its own, and fails where it leaves anything behind.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { TestProject } from "vitest/node";

const PREFIX = "thaw-run-";
/** How long what was told to end may take: processes that were killed are reaped by others. */
const PATIENCE_MS = 10_000;

export default function setup(project: TestProject): (() => Promise<void>) | undefined {
  return project.isRootProject() ? openRunFolder({ workers: true }) : undefined;
}

/**
 * Gives the run a folder for TMPDIR, which workers and all that they start inherit. Returns what removes it, which rejects
 * where something is left there. Runs of which nothing is left (killed ones) are cleaned up after here, as they could not do
 * so themselves.
 * @param workers whether this process's children are workers, who may live on
 */
export function openRunFolder({ workers }: { readonly workers: boolean }): () => Promise<void> {
  const parent = tmpdir();
  sweep(parent);
  const folder = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
  // Some tests start platforms as other users.
  chmodSync(folder, 0o1777);
  process.env["TMPDIR"] = folder;
  return async () => {
    process.env["TMPDIR"] = parent;
    const left = await leftBehind(folder, workers);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    if (left.length === 0) return;
    // What a tear-down throws is told by vitest, and fails nothing.
    process.exitCode = 1;
    throw new Error(`the tests left behind:\n${left.join("\n")}`);
  };
}

function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isRunning(Number(owner))) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Another user's.
    }
  }
}

/** Whether there is such a process, of whichever user. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Lines that say what of a run is still there once it had its time to go. */
async function leftBehind(folder: string, workers: boolean): Promise<readonly string[]> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const left = [...processes(folder, workers), ...mounts(folder), ...files(folder)];
    if (left.length === 0 || performance.now() > until) return left;
    // oxlint-disable-next-line no-await-in-loop
    await delay(100);
  }
}

/** Processes that were started with the folder as their TMPDIR, but for vitest's own. */
function processes(folder: string, workers: boolean): readonly string[] {
  return list("/proc")
    .filter((pid) => /^\d+$/.test(pid) && read(`/proc/${pid}/environ`).includes(`TMPDIR=${folder}\0`))
    .filter((pid) => Number(pid) !== process.pid && !(workers && parentOf(pid) === process.pid))
    .map((pid) => `process ${pid}: ${read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").slice(0, 300)}`);
}

function mounts(folder: string): readonly string[] {
  return read("/proc/self/mountinfo")
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .filter((target) => target.startsWith(`${folder}/`))
    .map((target) => `mount ${target}`);
}

function files(folder: string): readonly string[] {
  return list(folder).map((name) => `${join(folder, name)} (${list(join(folder, name)).join(", ")})`);
}

const parentOf = (pid: string): number => Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1]);

/** Empty where it is gone, is no folder, or there is no such thing on this system. */
function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
