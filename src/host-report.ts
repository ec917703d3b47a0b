import { join } from "node:path";
import type { DoctorReport, RuntimeLine } from "#cli/command";
import type { Config } from "#config/config";
import { hostPath } from "#config/config";
import { RuntimeDiscovery } from "#engine/runtimes/discover";
import { installRuntime } from "#engine/runtimes/install";
import { processBackend } from "#engine/sandbox/process/backend";

/** Where `thaw runtimes add` puts interpreters: out of the data folder, which may be temporary. */
export function runtimesFolder(config: Config): string {
  return join(config.cache, "runtimes");
}

/** What this host enforces and which parts it has, without starting a platform. */
export async function doctor(config: Config): Promise<DoctorReport> {
  const found = await runtimes(config);
  return {
    checks: processBackend({ folder: config.data }).enforcement(),
    parts: found.map(({ name, state, version, path }) => ({
      name,
      found: state === "available" ? `${version} ${path}` : undefined,
      purpose: `functions of ${name}`,
    })),
  };
}

/** The catalogue of managed runtimes, with the interpreter that serves each. */
export async function runtimes(config: Config): Promise<readonly RuntimeLine[]> {
  const discovery = new RuntimeDiscovery({ folder: runtimesFolder(config), path: hostPath() });
  const found = await discovery.list();
  return found.map(({ runtime, interpreter }) => ({
    name: runtime.name,
    state: interpreter === undefined ? "missing" : "available",
    version: interpreter?.version,
    path: interpreter?.path,
  }));
}

export function addRuntime(config: Config, name: string, progress: (line: string) => void): Promise<void> {
  return installRuntime(name, runtimesFolder(config), progress);
}
