import { execFile } from "node:child_process";
import { lstat, mkdir, readdir, readFile, realpath, rename, rm, symlink } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { ReadOnlyMount, SandboxBackend } from "../sandbox/contract.ts";
import type { ManagedRuntime } from "./catalogue.ts";
import type { Interpreter } from "./discover.ts";
import { GUEST_MODULES, RUNTIME_DIR } from "./guest-paths.ts";
import { javaParts } from "./java-parts.ts";
import { pythonGuest } from "./python-guest.ts";

/** Python packages of Lambda's managed runtimes (AWS Lambda Developer Guide, "Runtime-included SDK versions"). */
const PYTHON_PACKAGES = ["boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py"];
/** What Debian's botocore imports where the original carries its own copy. */
const DEBIAN_PACKAGES = ["requests", "certifi", "chardet", "charset_normalizer", "idna"];
const DEBIAN_FOLDER = "/usr/lib/python3/dist-packages";

/** What stands behind LAMBDA_RUNTIME_DIR. */
export interface Parts {
  /** LAMBDA_RUNTIME_DIR as the guest sees it. */
  readonly runtimePath: string;
  readonly mounts: readonly ReadOnlyMount[];
  /** The folder of the guest's code on the host, where it had to be built. */
  readonly guest?: string;
}

export interface PartsOptions {
  /** Where the parts are built. */
  readonly folder: string;
  /** The platform's own node_modules, for `@aws-sdk/*` and `@smithy/*`. */
  readonly nodeModulesFolder: string;
  readonly layout: SandboxBackend["layout"];
  /** The folder that holds one folder a family. */
  readonly guestFolder: string;
}

interface Part {
  readonly name: string;
  readonly source: string;
}

/**
 * What AWS's runtimes bring beside the interpreter: the SDK, as links to where this host has it. One folder a runtime,
 * built once a process so that it follows what the host has now.
 */
export class RuntimeParts {
  readonly #options: PartsOptions;
  readonly #built = new Map<string, Promise<Parts>>();

  constructor(options: PartsOptions) {
    this.#options = options;
  }

  of(runtime: ManagedRuntime, interpreter: Interpreter): Promise<Parts> {
    let built = this.#built.get(runtime.name);
    if (built === undefined) {
      built = this.#build(runtime, interpreter);
      this.#built.set(runtime.name, built);
      built.catch(() => this.#built.delete(runtime.name));
    }
    return built;
  }

  async #build(runtime: ManagedRuntime, interpreter: Interpreter): Promise<Parts> {
    const { layout, nodeModulesFolder } = this.#options;
    if (runtime.family === "nodejs") {
      const names = await nodePackages(nodeModulesFolder);
      // Their own imports are found beside them, where the links lead.
      const home = layout === "aws" ? GUEST_MODULES : nodeModulesFolder;
      const links = names.map((name) => ({ name: join("node_modules", name), source: join(home, name) }));
      const folder = await this.#linked(runtime.name, links);
      if (layout === "host") return { runtimePath: folder, mounts: [] };
      const modules = { source: nodeModulesFolder, target: GUEST_MODULES };
      return { runtimePath: RUNTIME_DIR, mounts: [{ source: folder, target: RUNTIME_DIR }, modules] };
    }
    if (runtime.family === "java") {
      const { folder, guestFolder } = this.#options;
      const { guest, mounts } = await javaParts({ layout, interpreter, folder, guestFolder });
      if (layout === "host") return { runtimePath: await this.#linked(runtime.name, []), mounts: [], guest };
      return { runtimePath: RUNTIME_DIR, mounts, guest };
    }
    const parts = runtime.family === "python" ? await pythonPackages(interpreter, runtime) : [];
    if (layout === "host") return { runtimePath: await this.#linked(runtime.name, parts), mounts: [] };
    const mounts = parts.map(({ name, source }) => ({ source, target: join(RUNTIME_DIR, name) }));
    if (runtime.family !== "python") return { runtimePath: RUNTIME_DIR, mounts };
    const { folder, guestFolder } = this.#options;
    const guest = await pythonGuest({
      python: interpreter.path,
      source: join(guestFolder, "python"),
      folder: join(folder, `${runtime.name}-guest`),
    });
    return { runtimePath: RUNTIME_DIR, mounts, guest };
  }

  /** A folder with a link for each part. */
  async #linked(name: string, parts: readonly Part[]): Promise<string> {
    const folder = join(this.#options.folder, name);
    const building = `${folder}.${process.pid}.tmp`;
    await rm(building, { recursive: true, force: true });
    await mkdir(building, { recursive: true });
    for (const part of parts) {
      await mkdir(dirname(join(building, part.name)), { recursive: true });
      await symlink(part.source, join(building, part.name));
    }
    await rm(folder, { recursive: true, force: true });
    await rename(building, folder);
    return folder;
  }
}

/** The names of the SDK's clients and of all that they import, as AWS's own runtimes have them. */
async function nodePackages(nodeModules: string): Promise<string[]> {
  const found = new Set<string>();
  const waiting = (
    await Promise.all(["@aws-sdk", "@smithy"].map((scope) => scoped(nodeModules, scope)))
  ).flat();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    const description = await readFile(join(nodeModules, name, "package.json"), "utf8").catch(
      () => undefined,
    );
    // An optional dependency that is not installed, or one that lies within its dependent.
    if (description === undefined) continue;
    found.add(name);
    const { dependencies = {} } = JSON.parse(description) as { dependencies?: Record<string, string> };
    waiting.push(...Object.keys(dependencies));
  }
  return [...found];
}

async function scoped(nodeModules: string, scope: string): Promise<string[]> {
  const names = await readdir(join(nodeModules, scope)).catch((): string[] => []);
  return names.map((name) => `${scope}/${name}`);
}

async function pythonPackages(interpreter: Interpreter, { version }: ManagedRuntime): Promise<Part[]> {
  const folders = await sitePackages(interpreter.path);
  const home = await sdkHome(folders, version);
  if (home === undefined) return [];
  const names = home === DEBIAN_FOLDER ? [...PYTHON_PACKAGES, ...DEBIAN_PACKAGES] : PYTHON_PACKAGES;
  const parts: Part[] = [];
  for (const name of names) {
    const folder = await firstWith([home, ...folders], name);
    if (folder !== undefined) parts.push({ name, source: await realpath(join(folder, name)) });
  }
  return parts;
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
