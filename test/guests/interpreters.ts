import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

const GUEST = resolve(import.meta.dirname, "../../guest");
const PYTHONS = ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"];

/** One interpreter of this host, and the command line that boots the guest in it. */
export interface Interpreter {
  readonly name: string;
  /** Absent where this host has no such interpreter: its tests are skipped by name. */
  readonly path: string | undefined;
  readonly command: readonly string[];
  readonly major: number;
  readonly minor: number;
}

function paths(variable: string): string[] {
  return (process.env[variable] ?? "").split(":").filter((path) => path !== "");
}

/** @returns `major.minor.patch`, or undefined where `path` cannot be run */
function probe(path: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(path, args, { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

function interpreter(
  kind: "node" | "python" | "ruby",
  path: string | undefined,
  version: string,
): Interpreter {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const args = {
    node: [join(GUEST, "nodejs/bootstrap.cjs")],
    python: ["-B", "-s", "-S", join(GUEST, "python/bootstrap.py")],
    ruby: [join(GUEST, "ruby/bootstrap.rb")],
  }[kind];
  return { name: `${kind} ${version}`, path, command: [path ?? "", ...args], major, minor };
}

/** The Node.js that runs the tests, and those that THAW_TEST_NODES names. */
export function nodes(): Interpreter[] {
  const found = [interpreter("node", process.execPath, process.versions.node)];
  for (const path of paths("THAW_TEST_NODES"))
    found.push(interpreter("node", path, probe(path, ["-p", "process.versions.node"]) ?? path));
  return found;
}

function pythonFolders(): string[] {
  const versions = join(homedir(), ".pyenv/versions");
  const pyenv = existsSync(versions) ? readdirSync(versions).map((name) => join(versions, name, "bin")) : [];
  return [...pyenv, ...(process.env["PATH"] ?? "").split(":")];
}

/** Every version of Python that Lambda has; the ones that this host lacks have no path. */
export function pythons(): Interpreter[] {
  const candidates = paths("THAW_TEST_PYTHONS");
  const found = new Map<string, Interpreter>();
  const add = (path: string) => {
    const version = probe(path, ["-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]);
    if (version !== undefined) found.set(path, interpreter("python", path, version));
    return version?.split(".").slice(0, 2).join(".");
  };
  const have = new Set(candidates.map(add));
  for (const version of PYTHONS) {
    if (have.has(version)) continue;
    const files = pythonFolders().map((folder) => join(folder, `python${version}`));
    const hit = files.find((file) => existsSync(file) && add(file) === version);
    if (hit === undefined) found.set(version, interpreter("python", undefined, version));
  }
  return [...found.values()];
}

/**
 * Every Ruby that this host has, whichever its version: Lambda's runtimes want their own, but the guest is one for all.
 * THAW_TEST_RUBIES names further ones.
 */
export function rubies(): Interpreter[] {
  const onPath = (process.env["PATH"] ?? "").split(":").map((folder) => join(folder, "ruby"));
  const found = new Map<string, Interpreter>();
  for (const path of [...paths("THAW_TEST_RUBIES"), ...onPath]) {
    const version = existsSync(path) ? probe(path, ["-e", "print RUBY_VERSION"]) : undefined;
    if (version !== undefined && !found.has(version)) found.set(version, interpreter("ruby", path, version));
  }
  return found.size === 0 ? [interpreter("ruby", undefined, "3")] : [...found.values()];
}
