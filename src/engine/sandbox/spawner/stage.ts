import { linkSync, lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from "node:fs";
import { mkdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Run } from "../disk/contract.ts";

/**
 * Trees of up to so many entries are linked into an environment's folder instead of mounted on it: a link costs about
 * 10 µs, a mount the start of a program (1 to 2 ms).
 */
const MOST_LINKS = 64;
const MOST_TREES = 1000;

/** One entry of a tree, in the order in which it can be made. */
interface Entry {
  readonly path: string;
  readonly kind: "folder" | "file" | "link";
}

/**
 * What guests see of the host, gathered on a tmpfs that only the spawner's mount namespace has: sources may lie below
 * folders that a guest's user cannot walk (/root, a data folder of mode 0700), and no mount outlives the spawner.
 */
export class Stage {
  readonly #folder: string;
  readonly #root: string;
  readonly #run: Run;
  readonly #staged = new Map<string, Promise<string>>();
  /** What is mounted on environments' folders. */
  readonly #mounted = new Map<string, string[]>();
  /** Entries of trees that were linked, by path; undefined for one that is to be mounted. Trees never change. */
  readonly #trees = new Map<string, readonly Entry[] | undefined>();

  constructor(folder: string, root: string, run: Run) {
    this.#folder = folder;
    this.#root = root;
    this.#run = run;
  }

  async open(): Promise<void> {
    const { environments, disks } = this.folders;
    await Promise.all([environments, disks].map((path) => mkdir(path, { recursive: true, mode: 0o711 })));
    await this.#run(["mount", "-t", "tmpfs", "-o", "mode=0711,nosuid,nodev", "thaw", this.#root]);
    await Promise.all(["environments", "disks", "sources"].map((name) => mkdir(join(this.#root, name))));
    // One group of peers each: what is mounted under a folder later is seen on the stage and, from there, in sandboxes.
    await Promise.all([
      this.#peers(environments, join(this.#root, "environments")),
      this.#peers(disks, join(this.#root, "disks")),
    ]);
  }

  get folders(): { readonly environments: string; readonly disks: string } {
    return { environments: join(this.#folder, "environments"), disks: join(this.#folder, "disks") };
  }

  async #peers(folder: string, staged: string): Promise<void> {
    await this.#run(["mount", "--rbind", folder, folder]);
    await this.#run(["mount", "--make-shared", folder]);
    await this.#run(["mount", "--rbind", folder, staged]);
  }

  /** The folders that a sandbox binds at /var/task and /opt: empty, to be filled by `specialise`. */
  prepare(id: string): void {
    const folder = join(this.folders.environments, id);
    mkdirSync(folder, { mode: 0o711 });
    for (const name of ["task", "opt"]) mkdirSync(join(folder, name), { mode: 0o755 });
  }

  async specialise(id: string, code: string, layers: string | undefined): Promise<void> {
    const folder = join(this.folders.environments, id);
    await Promise.all([
      this.#give(id, code, join(folder, "task")),
      layers === undefined ? undefined : this.#give(id, layers, join(folder, "opt")),
    ]);
  }

  /** Links or mounts a tree on an empty folder that running sandboxes have bound, read-only. */
  async #give(id: string, tree: string, target: string): Promise<void> {
    const entries = this.#entries(tree);
    if (entries !== undefined) {
      try {
        for (const entry of entries) place(tree, target, entry);
        return;
      } catch (error) {
        // EXDEV: another file system. EMLINK: 65,000 links to one file. What was made of it lies under the mount then.
        const { code } = error as NodeJS.ErrnoException;
        if (code !== "EXDEV" && code !== "EMLINK" && code !== "EPERM") throw error;
        this.#trees.set(tree, undefined);
      }
    }
    // Mounts that propagate keep the flags that they have by then: the source is read-only already.
    await this.#run(["mount", "--bind", await this.stage(tree), target]);
    this.#mounted.set(id, [...(this.#mounted.get(id) ?? []), target]);
  }

  #entries(tree: string): readonly Entry[] | undefined {
    if (this.#trees.has(tree)) return this.#trees.get(tree);
    const entries: Entry[] = [];
    const found = list(tree, "", entries) ? entries : undefined;
    const [oldest] = this.#trees.keys();
    if (this.#trees.size >= MOST_TREES && oldest !== undefined) this.#trees.delete(oldest);
    this.#trees.set(tree, found);
    return found;
  }

  /** A read-only view of a file or folder, by a path that every user may walk. */
  stage(source: string): Promise<string> {
    let staged = this.#staged.get(source);
    if (staged === undefined) {
      staged = this.#bind(source, join(this.#root, "sources", String(this.#staged.size)));
      this.#staged.set(source, staged);
      staged.catch(() => this.#staged.delete(source));
    }
    return staged;
  }

  async #bind(source: string, target: string): Promise<string> {
    const real = await realpath(source);
    if (`${real}/`.startsWith(`${this.#root}/`))
      throw new Error(`${source} lies where the spawner has its own files`);
    await ((await stat(real)).isDirectory() ? mkdir(target, { recursive: true }) : writeFile(target, ""));
    await this.#run(["mount", "--rbind", real, target]);
    await this.#run(["mount", "--make-private", target]);
    await this.#run(["mount", "-o", "remount,bind,ro,nosuid,nodev", target]);
    return target;
  }

  async remove(id: string): Promise<void> {
    const mounts = this.#mounted.get(id) ?? [];
    this.#mounted.delete(id);
    await Promise.all(mounts.map((mount) => this.#run(["umount", "--lazy", mount])));
    await rm(join(this.folders.environments, id), { recursive: true, force: true });
  }
}

/** Adds the entries below `prefix`; false where there are too many, or others than files, folders and links. */
function list(tree: string, prefix: string, entries: Entry[]): boolean {
  for (const entry of readdirSync(join(tree, prefix), { withFileTypes: true })) {
    const path = join(prefix, entry.name);
    const kind = entry.isFile()
      ? "file"
      : entry.isDirectory()
        ? "folder"
        : entry.isSymbolicLink()
          ? "link"
          : undefined;
    if (kind === undefined || entries.push({ path, kind }) > MOST_LINKS) return false;
    if (kind === "folder" && !list(tree, path, entries)) return false;
  }
  return true;
}

function place(tree: string, target: string, { path, kind }: Entry): void {
  const [from, to] = [join(tree, path), join(target, path)];
  if (kind === "file") linkSync(from, to);
  else if (kind === "link") symlinkSync(readlinkSync(from), to);
  else mkdirSync(to, { mode: lstatSync(from).mode & 0o777 });
}
