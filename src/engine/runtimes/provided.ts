import { access, constants, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxBackend, Specialisation } from "../sandbox/contract.ts";
import { GUEST_DIR, RUNTIME_DIR } from "./guest-paths.ts";
import type { RuntimeLanguage } from "./language.ts";
import type { RuntimeView } from "./view.ts";

/** A runtime without a language: the function, or a layer of it, brings its own, an executable named `bootstrap`. */
export interface OsRuntime {
  readonly name: string;
  readonly family: "provided";
  readonly version: string;
}

export const OS_RUNTIMES: readonly OsRuntime[] = [
  { name: "provided", family: "provided", version: "al1" },
  { name: "provided.al2", family: "provided", version: "al2" },
  { name: "provided.al2023", family: "provided", version: "al2023" },
];

export function osRuntime(name: string): OsRuntime | undefined {
  return OS_RUNTIMES.find((runtime) => runtime.name === name);
}

export function osRuntimeView(layout: SandboxBackend["layout"], guestFolder: string): RuntimeView {
  const guest = join(guestFolder, "launcher");
  const { mounts, path } = launcherView(layout, guestFolder);
  return {
    command: "/bin/sh",
    guest: path,
    runtimePath: layout === "host" ? guest : RUNTIME_DIR,
    mounts,
  };
}

/** Where guests see guest/launcher, and what has to be mounted for that. */
export function launcherView(
  layout: SandboxBackend["layout"],
  guestFolder: string,
): { readonly path: string; readonly mounts: RuntimeView["mounts"] } {
  const source = join(guestFolder, "launcher");
  if (layout === "host") return { path: source, mounts: [] };
  const target = join(GUEST_DIR, "launcher");
  return { path: target, mounts: [{ source, target }] };
}

export const provided: RuntimeLanguage = {
  command: (view) => ({ command: view.command, args: [join(view.guest, "launch.sh")] }),
  environment: () => ({}),
  // The launcher gives the variables to what it starts.
  actsAtStart: () => false,
};

export interface ExtensionFile {
  readonly name: string;
  /** What has to stand before its path on the command line. */
  readonly interpreter: readonly string[];
}

/** The external extensions that a function's layers bring: the files in /opt/extensions. One that cannot be run fails the init. */
export async function externalExtensions({ layers }: Specialisation): Promise<readonly ExtensionFile[]> {
  if (layers === undefined) return [];
  const folder = join(layers, "extensions");
  const names = await readdir(folder).catch((): string[] => []);
  const files = await Promise.all(
    names.toSorted().map(async (name) => {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found?.isFile() !== true) return [];
      const runs = await isExecutableFile(path);
      return [{ name, interpreter: runs ? await shellFor(await readHead(path)) : [] }];
    }),
  );
  return files.flat();
}

const BASH = "/bin/bash";

/** Amazon Linux's /bin/sh is bash, which scripts written for Lambda rely on (AWS's own tutorial does); Debian's is not. */
async function shellFor(head: Buffer): Promise<readonly string[]> {
  if (interpreterIn(head) !== "/bin/sh" || !(await isExecutableFile(BASH))) return [];
  return [BASH, "--posix"];
}

/** The path behind `#!`; undefined where the file is no script. */
function interpreterIn(head: Buffer): string | undefined {
  if (head.toString("latin1", 0, 2) !== "#!") return undefined;
  const line = head.toString("utf8", 2).split("\n", 1)[0] ?? "";
  return line.trim().split(/[ \t]/, 1)[0] ?? "";
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A `bootstrap` that was looked for. */
export interface Bootstrap {
  /** Where it lies; undefined where there is none. */
  readonly root: "task" | "opt" | undefined;
  /** What the kernel would say to starting it, in the words of AWS's supervisor. */
  readonly problem: "permission denied" | "exec format error" | "no such file or directory" | undefined;
  /** What has to stand before its path on the command line. */
  readonly interpreter: readonly string[];
}

/** Looks in the code, then in the layers, as AWS does; the first one that is a file is taken. */
export async function findBootstrap({ code, layers }: Specialisation): Promise<Bootstrap> {
  const roots = [
    { root: "task" as const, folder: code },
    { root: "opt" as const, folder: layers },
  ];
  for (const { root, folder } of roots) {
    if (folder === undefined) continue;
    const path = join(folder, "bootstrap");
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || found.isDirectory()) continue;
    if ((found.mode & 0o111) === 0) return { root, problem: "permission denied", interpreter: [] };
    const head = await readHead(path);
    return { root, problem: await formatProblem(head), interpreter: await shellFor(head) };
  }
  return { root: undefined, problem: undefined, interpreter: [] };
}

/** ELF's machine numbers of this platform's architectures. */
const MACHINES: Readonly<Record<string, number>> = { x64: 0x3e, arm64: 0xb7 };

async function formatProblem(head: Buffer): Promise<Bootstrap["problem"]> {
  const interpreter = interpreterIn(head);
  if (interpreter !== undefined) {
    // Those in the function's own folders are seen by the guest alone.
    const own = interpreter.startsWith("/opt/") || interpreter.startsWith("/var/");
    return own || (await isExecutableFile(interpreter)) ? undefined : "no such file or directory";
  }
  // macOS has formats of its own; what is wrong with a file shows when it is started.
  if (process.platform !== "linux") return undefined;
  const elf = head.toString("latin1", 0, 4) === "\x7fELF" && head.length >= 20;
  return elf && head.readUInt16LE(18) === MACHINES[process.arch] ? undefined : "exec format error";
}

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
