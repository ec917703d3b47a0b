import { join } from "node:path";
import type { DoctorReport, RuntimeLine } from "#cli/command";
import { hostPath } from "#config/config";
import type { Config } from "#config/settings";
import { RuntimeDiscovery } from "#engine/runtimes/discover";
import { installRuntime } from "#engine/runtimes/install";
import type { Enforcement } from "#engine/sandbox/contract";
import { processBackend } from "#engine/sandbox/process/backend";

/** Where `thaw runtimes add` puts interpreters: out of the data folder, which may be temporary. */
export function runtimesFolder(config: Config): string {
  return join(config.cache, "runtimes");
}

/** What this host enforces and which runtimes it has, without starting a platform. */
export async function doctor(config: Config): Promise<DoctorReport> {
  const backend = processBackend({ folder: config.data });
  return {
    backend: backend.name,
    checks: backend.enforcement().map((check) => ({ ...check, ...remedyOf(check) })),
    runtimes: await runtimes(config),
  };
}

/** A limit that is not enforced is never told without what can be done about it. */
function remedyOf({ level, remedy }: Enforcement): { readonly remedy?: string } {
  if (remedy !== undefined) return { remedy };
  return level === "enforced" ? {} : { remedy: "run only functions that you trust" };
}

/** The catalogue of managed runtimes, with the interpreter that serves each. */
export async function runtimes(config: Config): Promise<readonly RuntimeLine[]> {
  const discovery = new RuntimeDiscovery({ folder: runtimesFolder(config), path: hostPath() });
  const found = await discovery.list();
  return found.map(({ runtime, interpreter, hint }) => ({
    name: runtime.name,
    state: interpreter === undefined ? "missing" : "available",
    version: interpreter?.version,
    path: interpreter?.path,
    ...(hint === undefined ? {} : { remedy: hint }),
    addable: runtime.family === "nodejs",
  }));
}

export function addRuntime(config: Config, name: string, progress: (line: string) => void): Promise<void> {
  return installRuntime(name, runtimesFolder(config), progress);
}
