import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Ids } from "#core/ids";

/** Marks a folder that is being filled; no blob's name ends so. */
const UNFINISHED = ".tmp";

/** Folders that are complete once they have their name and never change afterwards: what packages and images are unpacked into. */
export class CompleteFolders {
  readonly #parent: string;
  readonly #ids: Ids;

  constructor(parent: string, ids: Ids) {
    this.#parent = parent;
    this.#ids = ids;
  }

  /** Removes what a crash left half filled. Call before the first `make`. */
  async clean(): Promise<void> {
    await mkdir(this.#parent, { recursive: true });
    for (const name of await readdir(this.#parent))
      if (name.endsWith(UNFINISHED)) await rm(join(this.#parent, name), { recursive: true, force: true });
  }

  /**
   * The folder of this name; `fill` fills an empty one where there is none yet.
   * @param isWhole asked where there is one; one that is not is made anew. By default it is
   */
  async make(
    name: string,
    fill: (building: string) => Promise<void>,
    isWhole: (folder: string) => Promise<boolean> = async () => true,
  ): Promise<string> {
    const target = join(this.#parent, name);
    if (await isFolder(target)) {
      if (await isWhole(target)) return target;
      const empty = await this.discard(name);
      await empty();
    }
    const building = join(this.#parent, `${this.#ids.hex(16)}${UNFINISHED}`);
    await mkdir(building, { recursive: true });
    try {
      await fill(building);
      await rename(building, target).catch(async (error: unknown) => {
        // Another process of this data folder's owner was first; the bytes are the same.
        if (!(await isFolder(target))) throw error;
      });
      return target;
    } finally {
      await rm(building, { recursive: true, force: true });
    }
  }
  /** Of those that are complete. */
  async names(): Promise<readonly string[]> {
    return (await readdir(this.#parent)).filter((name) => !name.endsWith(UNFINISHED));
  }

  /** Takes a folder's name away, so that it is as if it had never been filled, also after a crash. @returns what deletes it */
  async discard(name: string): Promise<() => Promise<void>> {
    const trash = join(this.#parent, `${this.#ids.hex(16)}${UNFINISHED}`);
    await rename(join(this.#parent, name), trash);
    return () => rm(trash, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.#parent, name);
  }
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
