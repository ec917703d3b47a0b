import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** A program that runs containers as the OCI runtime specification has it. */
export interface OciRuntime {
  readonly name: "crun" | "runc";
  /** Absolute. */
  readonly path: string;
  /** Options before its command: control groups are the platform's own matter. */
  readonly options: readonly string[];
}

const FOLDERS = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin"];

/** crun first: written in C, it starts a container in a third of the time that runc takes. */
const RUNTIMES = [
  { name: "crun", options: ["--cgroup-manager=disabled"] },
  { name: "runc", options: [] },
] as const;

/** @throws Error that says what to install where this host has none that works */
export async function findOciRuntime(only?: OciRuntime["name"]): Promise<OciRuntime> {
  for (const { name, options } of RUNTIMES) {
    if (only !== undefined && only !== name) continue;
    const path = FOLDERS.map((folder) => join(folder, name)).find((each) => existsSync(each));
    if (path === undefined) continue;
    try {
      // oxlint-disable-next-line no-await-in-loop
      await execute(path, ["--version"], { timeout: 10_000 });
      return { name, path, options };
    } catch {
      // Built for another machine, or another C library.
    }
  }
  throw new Error(`no OCI runtime was found: install the package ${only ?? "crun"}`);
}
