import { readdir, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { MANAGED_RUNTIMES } from "./catalogue.ts";
import type { ManagedRuntime, RuntimeFamily } from "./catalogue.ts";
import { findJava } from "./discover-java.ts";
import { findRuby } from "./discover-ruby.ts";
import { executablesOn, isExecutable, toldVersion } from "./finder.ts";
import type { Finder } from "./finder.ts";

/** An interpreter that was found and told its version. */
export interface Interpreter {
  readonly path: string;
  /** Full version, such as `22.11.0`. */
  readonly version: string;
  readonly source: "platform" | "installed" | "host";
}

export interface RuntimeStatus {
  readonly runtime: ManagedRuntime;
  /** Undefined where it is missing; `installHint` says how to get it. */
  readonly interpreter: Interpreter | undefined;
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
      MANAGED_RUNTIMES.map(async (runtime) => ({ runtime, interpreter: await this.find(runtime) })),
    );
  }

  async #search(runtime: ManagedRuntime): Promise<Interpreter | undefined> {
    const finder = FINDERS[runtime.family];
    for (const candidate of await this.#candidates(runtime, finder)) {
      const version = await finder.version(candidate.path);
      if (version !== undefined && `${version}.`.startsWith(`${runtime.version}.`))
        return { ...candidate, path: await realpath(candidate.path), version };
    }
    return undefined;
  }

  async #candidates({ family, version }: ManagedRuntime, finder: Finder): Promise<Candidate[]> {
    const { folder, path } = this.#options;
    const candidates: Candidate[] = [];
    if (family === "nodejs") {
      candidates.push({ path: process.execPath, source: "platform" });
      candidates.push({ path: installedNode(folder, version), source: "installed" });
    }
    for (const found of await finder.candidates(version, path))
      candidates.push({ path: found, source: "host" });
    const usable = await Promise.all(candidates.map((candidate) => isExecutable(candidate.path)));
    return candidates.filter((_, index) => usable[index]);
  }
}

const findNode: Finder = {
  candidates: (version, path) =>
    Promise.resolve(executablesOn(path, [`node${version}`, `node-${version}`, "node"])),
  version: toldVersion,
};

const findPython: Finder = {
  async candidates(version, path) {
    const versions = join(homedir(), ".pyenv", "versions");
    // Before PATH: pyenv's shims there are shell scripts, which cost 50 ms at every cold start.
    const names = await readdir(versions).catch((): string[] => []);
    const pyenv = names.filter((name) => name.startsWith(`${version}.`));
    return [
      ...pyenv.map((name) => join(versions, name, "bin", `python${version}`)),
      ...executablesOn(path, [`python${version}`]),
      "/usr/bin/python3",
    ];
  },
  version: toldVersion,
};

const FINDERS: Readonly<Record<RuntimeFamily, Finder>> = {
  nodejs: findNode,
  python: findPython,
  java: findJava,
  ruby: findRuby,
};

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

const HINTS: Readonly<Record<RuntimeFamily, (runtime: ManagedRuntime, program: string) => string>> = {
  nodejs: ({ name }, program) => `${program} runtimes add ${name}`,
  python: ({ version }) => `install Python ${version} (such as with pyenv install ${version})`,
  java: ({ version }) =>
    `install a JDK ${version}, with its compiler javac (such as openjdk-${version}-jdk-headless)`,
  ruby: ({ version }) => `install Ruby ${version} (such as with rbenv install ${version})`,
};

/** How to get a runtime's interpreter. @param program how the user calls Thaw */
export function installHint(runtime: ManagedRuntime, program = "thaw"): string {
  return HINTS[runtime.family](runtime, program);
}
