import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import type { Stats } from "node:fs";
import { join, posix } from "node:path";
import { BadImage } from "./errors.ts";

/** As many as the kernel follows. */
const MOST_LINKS = 40;
const MOST_PARTS = 256;

/**
 * The root file system of an image while it is unpacked. Names are the image's own view: a link leads where it would lead
 * with this folder as root, so that nothing outside is ever touched, whatever a layer says. Nobody else writes to it.
 */
export class RootFs {
  readonly #root: string;
  /** Folders whose every part is known to be a folder, by their names from the root. */
  readonly #real = new Set<string>([""]);

  constructor(root: string) {
    this.#root = root;
  }

  /** The parts of a name as a layer writes it. @throws BadImage where it climbs out */
  static parts(name: string): readonly string[] {
    const parts = name.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes("..") || name.includes("\0") || parts.length > MOST_PARTS)
      throw new BadImage("broken", "a name that leaves the image");
    return parts;
  }

  /** The host's path of a name whose folders are made where they are missing; the last part is not followed. */
  place(parts: readonly string[]): string {
    return join(this.#root, this.#folder(parts.slice(0, -1), true) ?? "", parts.at(-1) ?? "");
  }

  /** The same for what must be there already; undefined where a folder on the way is not. */
  find(parts: readonly string[]): string | undefined {
    const folder = this.#folder(parts.slice(0, -1), false);
    return folder === undefined ? undefined : join(this.#root, folder, parts.at(-1) ?? "");
  }

  /** The host's path of what a name leads to, links followed to the end; undefined where it leads nowhere. */
  follow(name: string): string | undefined {
    try {
      const parts = name.split("/").filter((part) => part !== "" && part !== ".");
      const found = this.#walk(parts, false);
      return found === undefined ? undefined : join(this.#root, found);
    } catch (error) {
      if (error instanceof BadImage) return undefined;
      throw error;
    }
  }

  folder(parts: readonly string[], mode: number): string {
    const path = this.place(parts);
    const found = stat(path);
    if (parts.length > 0 && found !== undefined && !found.isDirectory()) {
      // A link to a folder stays: distributions merge /bin into /usr/bin so.
      const target = found.isSymbolicLink() ? this.#folder(parts, false) : undefined;
      if (target !== undefined) return join(this.#root, target);
      this.remove(path);
    }
    if (parts.length > 0) mkdirSync(path, { recursive: true });
    // The platform's own user must be able to fill and to remove it.
    chmodSync(path, (mode & 0o777) | 0o700);
    return path;
  }

  /** An empty file in place of whatever was there. */
  create(path: string): number {
    this.remove(path);
    return openSync(path, "wx", 0o600);
  }

  symlink(path: string, to: string): void {
    if (to === "" || to.includes("\0") || to.length > 4095) throw new BadImage("broken", "a link to nowhere");
    this.remove(path);
    symlinkSync(to, path);
  }

  hardLink(path: string, target: readonly string[]): void {
    const source = this.find(target);
    const found = source === undefined ? undefined : stat(source);
    if (source === undefined || found === undefined || found.isDirectory())
      throw new BadImage("broken", "a hard link to what is not there");
    if (source === path) return;
    this.remove(path);
    // Linux links a symbolic link itself, as tar means it.
    linkSync(source, path);
  }

  remove(path: string): void {
    const found = stat(path);
    if (found === undefined) return;
    if (found.isDirectory()) {
      rmSync(path, { recursive: true, force: true });
      this.#real.clear();
      this.#real.add("");
    } else unlinkSync(path);
  }

  /** Removes what a folder has, but not what `keeps` names by host paths. */
  clear(folder: string, keeps: (path: string) => boolean): void {
    const found = stat(folder);
    if (found?.isDirectory() !== true) return;
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (!keeps(path)) this.remove(path);
      else if (stat(path)?.isDirectory() === true) this.clear(path, keeps);
    }
  }

  /**
   * A folder or file to mount over. Every part of its name becomes a real folder, whatever the image has there: whoever
   * mounts follows links as they are on the host.
   */
  mountPoint(name: string, kind: "folder" | "file"): void {
    const parts = RootFs.parts(name);
    let path = this.#root;
    for (const part of kind === "folder" ? parts : parts.slice(0, -1)) {
      path = join(path, part);
      if (stat(path)?.isDirectory() === true) continue;
      this.remove(path);
      mkdirSync(path, { mode: 0o755 });
      chmodSync(path, 0o755);
    }
    if (kind === "folder") return;
    path = join(path, parts.at(-1) ?? "");
    if (stat(path)?.isFile() === true) return;
    closeSync(this.create(path));
    chmodSync(path, 0o644);
  }

  /** The name, from the root, of the folder that `parts` lead to, links followed. */
  #folder(parts: readonly string[], make: boolean): string | undefined {
    const name = parts.join("/");
    if (this.#real.has(name)) return name;
    const found = this.#walk(parts, make);
    if (found === undefined || stat(join(this.#root, found))?.isDirectory() !== true) return undefined;
    if (found === name) this.#real.add(name);
    return found;
  }

  #walk(parts: readonly string[], make: boolean): string | undefined {
    const left = parts.toReversed();
    let links = 0;
    let at = "";
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      if (part === "..") {
        at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
        continue;
      }
      const next = at === "" ? part : `${at}/${part}`;
      const found = stat(join(this.#root, next));
      if (found === undefined) {
        if (!make) return undefined;
        mkdirSync(join(this.#root, next), { mode: 0o755 });
      } else if (found.isSymbolicLink()) {
        if (++links > MOST_LINKS) throw new BadImage("broken", "too many links");
        const to = readlinkSync(join(this.#root, next));
        if (posix.isAbsolute(to)) at = "";
        left.push(
          ...to
            .split("/")
            .filter((each) => each !== "" && each !== ".")
            .toReversed(),
        );
        continue;
      } else if (make && !found.isDirectory()) {
        // A file of a lower layer where this one has a folder.
        this.remove(join(this.#root, next));
        mkdirSync(join(this.#root, next), { mode: 0o755 });
      }
      at = next;
    }
    return at;
  }
}

function stat(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // ENOTDIR: a file on the way.
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}
