import { linkSync, lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * Trees of up to so many entries are linked into an environment's folder instead of mounted on it: a link costs about
 * 10 µs, a mount the start of a program and a round trip to the spawner (4 ms).
 */
const MOST_LINKS = 64;
const MOST_TREES = 1000;

/** One entry of a tree, in the order in which it can be made. */
interface Entry {
  readonly path: string;
  readonly kind: "folder" | "file" | "link";
}

/**
 * Links small trees of code into the folders that sandboxes have bound, read-only. By the platform itself: in the
 * spawner's mount namespace these folders are mounts of their own, and the kernel links nothing across mounts, even of
 * one file system.
 */
export class Trees {
  /** Entries of trees that were linked, by path; undefined for one that is to be mounted. Trees never change. */
  readonly #trees = new Map<string, readonly Entry[] | undefined>();

  /** @returns false where the tree must be mounted on `target`, an empty folder */
  link(tree: string, target: string): boolean {
    const entries = this.#entries(tree);
    if (entries === undefined) return false;
    try {
      for (const entry of entries) place(tree, target, entry);
      return true;
    } catch (error) {
      // EXDEV: another file system. EMLINK: 65,000 links to one file. What was made of it lies under the mount then.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EXDEV" && code !== "EMLINK" && code !== "EPERM") throw error;
      this.#trees.set(tree, undefined);
      return false;
    }
  }

  forget(tree: string): void {
    this.#trees.delete(tree);
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
