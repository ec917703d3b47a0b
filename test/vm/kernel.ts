import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const METAPACKAGE = "linux-image-cloud-amd64";

export interface Kernel {
  readonly image: string;
  /** A folder as /lib/modules is. */
  readonly modules: string;
  readonly release: string;
}

/** What is kept between runs: unpacked kernels, and what was learnt about this host. */
export const cacheFolder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "thaw-test-vm");

/** Debian's cloud kernel, downloaded by apt and unpacked, not installed. @throws Error where apt cannot */
export async function debianKernel(): Promise<Kernel> {
  const kept = await newest();
  if (kept !== undefined) return kept;
  await mkdir(cacheFolder, { recursive: true });
  const folder = await mkdtemp(join(cacheFolder, "unpacking-"));
  try {
    const { stdout } = await run("apt-cache", ["depends", "--important", METAPACKAGE]);
    const name = /Depends: (linux-image-\S+)/u.exec(stdout)?.[1];
    if (name === undefined) throw new Error(`apt knows no kernel for ${METAPACKAGE}`);
    await run("apt-get", ["download", name], { cwd: folder });
    const [archive = ""] = await readdir(folder);
    await run("dpkg-deb", ["-x", join(folder, archive), folder]);
    const release = name.replace("linux-image-", "");
    await run("busybox", ["depmod", "-b", folder, release]);
    await rm(join(folder, archive));
    await rename(folder, join(cacheFolder, name)).catch(() => undefined);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const kernel = await newest();
  if (kernel === undefined) throw new Error("the kernel's package holds no kernel");
  return kernel;
}

async function newest(): Promise<Kernel | undefined> {
  const names = (await readdir(cacheFolder).catch(() => [])).filter((name) =>
    name.startsWith("linux-image-"),
  );
  const name = names.toSorted((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  if (name === undefined) return undefined;
  const folder = join(cacheFolder, name);
  const release = name.replace("linux-image-", "");
  const image = join(folder, "boot", `vmlinuz-${release}`);
  return existsSync(image) ? { image, modules: join(folder, "lib", "modules"), release } : undefined;
}

/** Files of these modules and of those they need, in the order in which they are to be loaded. */
export async function moduleFiles(
  { modules, release }: Kernel,
  names: readonly string[],
): Promise<readonly string[]> {
  const lines = (await readFile(join(modules, release, "modules.dep"), "utf8")).split("\n");
  const files: string[] = [];
  for (const name of names) {
    const line = lines.find((text) => basename(text.split(":")[0] ?? "") === `${name}.ko`);
    const [file, needs = ""] = line?.split(":") ?? [];
    // A module that the kernel has built in has no line.
    if (file === undefined) continue;
    const order = [file, ...needs.trim().split(/\s+/u)].filter((part) => part !== "").toReversed();
    files.push(...order.map((part) => join(modules, release, part)));
  }
  return [...new Set(files)];
}
