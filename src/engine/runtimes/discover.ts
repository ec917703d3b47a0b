import { execFile } from "node:child_process";
import { access, constants, readdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { MANAGED_RUNTIMES } from "./catalogue.ts";
import type { ManagedRuntime } from "./catalogue.ts";

/** An interpreter that was found and told its version. */
export interface Interpreter {
  readonly path: string;
  /** Full version, such as `22.11.0`. */
  readonly version: string;
  readonly source: "platform" | "installed" | "host";
}

export interface RuntimeStatus {
  readonly runtime: ManagedRuntime;
  readonly interpreter: Interpreter | undefined;
  /** How to get it, where it was not found. */
  readonly hint: string | undefined;
}

export interface DiscoveryOptions {
  /** Where `installRuntime` puts interpreters. */
  readonly folder: string;
  /** Directories to look in, as PATH writes them. */
  readonly path: string;
}

interface Candidate {
  readonly path: string;
  readonly source: Interpreter["source"];
}

/** Finds interpreters; an answer is kept, so that a cold start asks no process for its version. */
export class RuntimeDiscovery {
  readonly #options: DiscoveryOptions;
  readonly #found = new Map<string, Promise<Interpreter | undefined>>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** The interpreter of exactly this runtime's version, or undefined. */
  find(runtime: ManagedRuntime): Promise<Interpreter | undefined> {
    const known = this.#found.get(runtime.name);
    if (known !== undefined) return known;
    const search = this.#search(runtime);
    this.#found.set(runtime.name, search);
    // What is missing now may be installed later.
    void search.then((found) => (found === undefined ? this.#found.delete(runtime.name) : undefined));
    return search;
  }

  list(): Promise<readonly RuntimeStatus[]> {
    return Promise.all(
      MANAGED_RUNTIMES.map(async (runtime) => {
        const interpreter = await this.find(runtime);
        return { runtime, interpreter, hint: interpreter === undefined ? installHint(runtime) : undefined };
      }),
    );
  }

  async #search(runtime: ManagedRuntime): Promise<Interpreter | undefined> {
    for (const candidate of await this.#candidates(runtime)) {
      const version = await interpreterVersion(candidate.path);
      if (version !== undefined && `${version}.`.startsWith(`${runtime.version}.`))
        return { ...candidate, path: await realpath(candidate.path), version };
    }
    return undefined;
  }

  async #candidates(runtime: ManagedRuntime): Promise<Candidate[]> {
    const { family, version } = runtime;
    const candidates: Candidate[] = [];
    if (family === "nodejs") {
      candidates.push({ path: process.execPath, source: "platform" });
      candidates.push({ path: installedNode(this.#options.folder, version), source: "installed" });
    }
    const names = family === "nodejs" ? [`node${version}`, `node-${version}`, "node"] : [`python${version}`];
    if (family === "python") {
      const versions = join(homedir(), ".pyenv", "versions");
      // Before PATH: pyenv's shims there are shell scripts, which cost 50 ms at every cold start.
      const names = await readdir(versions).catch(() => []);
      for (const name of names.filter((each) => each.startsWith(`${version}.`)))
        candidates.push({ path: join(versions, name, "bin", `python${version}`), source: "host" });
    }
    for (const folder of new Set([...this.#options.path.split(delimiter), "/usr/local/bin", "/usr/bin"]))
      if (folder !== "" && !folder.endsWith("/shims"))
        for (const name of names) candidates.push({ path: join(folder, name), source: "host" });
    if (family === "python") candidates.push({ path: "/usr/bin/python3", source: "host" });
    const usable = await Promise.all(candidates.map((candidate) => isExecutable(candidate.path)));
    return candidates.filter((_, index) => usable[index]);
  }
}

/** All managed runtimes and their interpreters on this host, for who has no engine. */
export function listRuntimes(options: DiscoveryOptions): Promise<readonly RuntimeStatus[]> {
  return new RuntimeDiscovery(options).list();
}

/** Where an installed Node.js is: the layout of the `node-<platform>-<arch>` packages. */
export function installedNode(folder: string, version: string): string {
  return join(folder, `nodejs${version}`, "node_modules", nodePackage(), "bin", "node");
}

export function nodePackage(): string {
  return `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
}

export function installHint(runtime: ManagedRuntime): string {
  return runtime.family === "nodejs"
    ? `thaw runtimes add ${runtime.name}`
    : `install Python ${runtime.version} (such as with pyenv install ${runtime.version})`;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs `--version`: a file of the right name may be anything. */
function interpreterVersion(path: string): Promise<string | undefined> {
  if (path === process.execPath) return Promise.resolve(process.versions.node);
  return new Promise((resolve) => {
    execFile(path, ["--version"], { timeout: 10_000, env: {} }, (error, stdout) => {
      resolve(error === null ? /(\d+\.\d+\.\d+)/.exec(stdout)?.[1] : undefined);
    });
  });
}
