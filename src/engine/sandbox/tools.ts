import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, realpath, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Where guests see them. */
export const TOOLS_DIR = "/var/rapid/tools";

const NAMES = ["sh", "env", "prlimit", "setpriv"] as const;
export type ToolName = (typeof NAMES)[number];
const FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/**
 * The host's own programs that start a guest, with the libraries and the loader that they need: an image may have none of
 * them, or those of another C library.
 */
export interface GuestTools {
  /** On the host; to be mounted at `TOOLS_DIR`. */
  readonly folder: string;
}

/** Gathers them in `folder`. @throws Error that says what the host lacks */
export async function gatherTools(folder: string): Promise<GuestTools> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "lib"), { recursive: true, mode: 0o755 });
  const libraries = new Set<string>();
  let loader: string | undefined;
  for (const name of NAMES) {
    const found = FOLDERS.map((each) => join(each, name)).find((path) => existsSync(path));
    if (found === undefined)
      throw new Error(`functions of images need ${name}, which this host does not have`);
    const program = await realpath(found);
    await copyProgram(program, join(folder, name));
    // Such as `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, and the loader by its path alone.
    const { stdout } = await execute("ldd", [program], { env: { LC_ALL: "C", PATH: FOLDERS.join(":") } });
    for (const line of stdout.split("\n")) {
      const [, library] = /=> (\/\S+) \(0x/.exec(line) ?? [];
      if (library !== undefined) libraries.add(library);
      loader ??= /^\s*(\/\S+) \(0x/.exec(line)?.[1];
    }
  }
  if (loader === undefined) throw new Error("the host's programs have no loader");
  await copyProgram(await realpath(loader), join(folder, "loader"));
  for (const library of libraries)
    await copyProgram(await realpath(library), join(folder, "lib", basename(library)));
  return { folder };
}

async function copyProgram(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await chmod(to, 0o755);
}

/** The command line of a tool, as a guest sees it. The loader's option keeps the image's libraries out. */
export function tool(name: ToolName): readonly string[] {
  return [`${TOOLS_DIR}/loader`, "--library-path", `${TOOLS_DIR}/lib`, `${TOOLS_DIR}/${name}`];
}
