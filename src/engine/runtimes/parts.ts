import { execFile } from "node:child_process";
import { lstat, mkdir, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ManagedRuntime } from "./catalogue.ts";
import type { Interpreter } from "./discover.ts";

/** Python packages of Lambda's managed runtimes (AWS Lambda Developer Guide, "Runtime-included SDK versions"). */
const PYTHON_PACKAGES = ["boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py"];
/** What Debian's botocore imports where the original carries its own copy. */
const DEBIAN_PACKAGES = ["requests", "certifi", "chardet", "charset_normalizer", "idna"];
const DEBIAN_FOLDER = "/usr/lib/python3/dist-packages";

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
      const home = await sdkHome(folders, runtime.version);
      const names = home === DEBIAN_FOLDER ? [...PYTHON_PACKAGES, ...DEBIAN_PACKAGES] : PYTHON_PACKAGES;
      for (const name of home === undefined ? [] : names) {
        const source = await firstWith([home as string, ...folders], name);
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

/** The first folder whose boto3 runs on this version of Python; it is plain Python, so that any interpreter's will do. */
async function sdkHome(folders: readonly string[], version: string): Promise<string | undefined> {
  for (const folder of folders) {
    const names = await readdir(folder).catch((): string[] => []);
    if (!names.includes("boto3")) continue;
    const metadata = names.find((name) => /^boto3-.*\.(dist|egg)-info$/.test(name));
    if (metadata === undefined || (await fits(join(folder, metadata), version))) return folder;
  }
  return undefined;
}

/** Whether a package's `Requires-Python: >=3.x` allows `version`. */
async function fits(metadata: string, version: string): Promise<boolean> {
  const file = metadata.endsWith(".dist-info") ? "METADATA" : "PKG-INFO";
  const text = await readFile(join(metadata, file), "utf8").catch(() => "");
  const least = /^Requires-Python:.*>=\s*3\.(\d+)/m.exec(text)?.[1];
  return least === undefined || Number(least) <= Number(version.split(".")[1]);
}

/** The interpreter's own package folders, then those of the host's other interpreters. */
async function sitePackages(python: string): Promise<string[]> {
  const own = await new Promise<string[]>((resolve) => {
    execFile(
      python,
      ["-c", "import sys; print('\\n'.join(p for p in sys.path if p.endswith('-packages')))"],
      { timeout: 10_000, env: {} },
      (error, stdout) => resolve(error === null ? stdout.split("\n").filter((line) => line !== "") : []),
    );
  });
  const others = await Promise.all([
    librariesUnder("/usr/local/lib", "dist-packages"),
    pyenvLibraries(join(homedir(), ".pyenv", "versions")),
  ]);
  return [...own, ...others.flat(), DEBIAN_FOLDER];
}

async function librariesUnder(lib: string, leaf: string): Promise<string[]> {
  const names = await readdir(lib).catch((): string[] => []);
  return names.filter((name) => name.startsWith("python3")).map((name) => join(lib, name, leaf));
}

async function pyenvLibraries(versions: string): Promise<string[]> {
  const names = await readdir(versions).catch((): string[] => []);
  const folders = await Promise.all(
    names.map((name) => librariesUnder(join(versions, name, "lib"), "site-packages")),
  );
  return folders.flat();
}
