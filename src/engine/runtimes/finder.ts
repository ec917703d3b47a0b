import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Finds interpreters of one family on the host. */
export interface Finder {
  /** Files that may be an interpreter of `version`, best first. @param path directories, as PATH writes them */
  candidates(version: string, path: string): Promise<readonly string[]>;
  /** The full version that an interpreter tells, or undefined where it is none. */
  version(path: string): Promise<string | undefined>;
}

/** Where `names` may be in the directories of `path`, and where a system has them in any case. */
export function executablesOn(path: string, names: readonly string[]): string[] {
  const folders = new Set([...path.split(delimiter), "/usr/local/bin", "/usr/bin"]);
  return [...folders]
    .filter((folder) => folder !== "" && !folder.endsWith("/shims"))
    .flatMap((folder) => names.map((name) => join(folder, name)));
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs `--version`: a file of the right name may be anything. */
export function toldVersion(path: string): Promise<string | undefined> {
  if (path === process.execPath) return Promise.resolve(process.versions.node);
  return new Promise((resolve) => {
    execFile(path, ["--version"], { timeout: 10_000, env: {} }, (error, stdout) => {
      resolve(error === null ? /(\d+\.\d+\.\d+)/.exec(stdout)?.[1] : undefined);
    });
  });
}
