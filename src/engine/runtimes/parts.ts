import { execFile } from "node:child_process";
import { lstat, mkdir, readdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { ManagedRuntime } from "./catalogue.ts";
import type { Interpreter } from "./discover.ts";

/** Python packages of Lambda's managed runtimes (AWS Lambda Developer Guide, "Runtime-included SDK versions"). */
const PYTHON_PACKAGES = ["boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py"];

export interface PartsOptions {
  /** Where the parts are built. */
  readonly folder: string;
  /** The platform's own node_modules, for `@aws-sdk/*` and `@smithy/*`. */
  readonly nodeModulesFolder: string;
}

/**
 * What AWS's runtimes bring beside the interpreter: the SDK, as links to where this host has it. One folder a runtime,
 * built once a process so that it follows what the host has now.
 */
export class RuntimeParts {
  readonly #options: PartsOptions;
  readonly #built = new Map<string, Promise<string>>();

  constructor(options: PartsOptions) {
    this.#options = options;
  }

  /** The folder that stands for LAMBDA_RUNTIME_DIR. */
  path(runtime: ManagedRuntime, interpreter: Interpreter): Promise<string> {
    let built = this.#built.get(runtime.name);
    if (built === undefined) {
      built = this.#build(runtime, interpreter);
      this.#built.set(runtime.name, built);
      built.catch(() => this.#built.delete(runtime.name));
    }
    return built;
  }

  async #build(runtime: ManagedRuntime, interpreter: Interpreter): Promise<string> {
    const target = join(this.#options.folder, runtime.name);
    const building = `${target}.${process.pid}.tmp`;
    await rm(building, { recursive: true, force: true });
    await mkdir(building, { recursive: true });
    if (runtime.family === "nodejs") {
      const modules = join(building, "node_modules");
      await mkdir(modules);
      for (const scope of ["@aws-sdk", "@smithy"])
        await link(join(this.#options.nodeModulesFolder, scope), join(modules, scope));
    } else {
      const folders = await sitePackages(interpreter.path);
      const home = await firstWith(folders, "boto3");
      if (home !== undefined)
        for (const name of PYTHON_PACKAGES) {
          const source = (await exists(join(home, name))) ? home : await firstWith(folders, name);
          if (source !== undefined) await link(join(source, name), join(building, name));
        }
    }
    await rm(target, { recursive: true, force: true });
    await rename(building, target);
    return target;
  }
}

async function link(source: string, target: string): Promise<void> {
  if (await exists(source)) await symlink(source, target);
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function firstWith(folders: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of folders) if (await exists(join(folder, name))) return folder;
  return undefined;
}

/** The interpreter's own package folders, then Debian's, whose boto3 is plain Python and fits any version of 3. */
async function sitePackages(python: string): Promise<string[]> {
  const own = await new Promise<string[]>((resolve) => {
    execFile(
      python,
      ["-c", "import sys; print('\\n'.join(p for p in sys.path if p.endswith('-packages')))"],
      { timeout: 10_000, env: {} },
      (error, stdout) => resolve(error === null ? stdout.split("\n").filter((line) => line !== "") : []),
    );
  });
  const local = await readdir("/usr/local/lib").catch(() => []);
  return [
    ...own,
    "/usr/lib/python3/dist-packages",
    ...local
      .filter((name) => name.startsWith("python3"))
      .map((name) => join("/usr/local/lib", name, "dist-packages")),
  ];
}
