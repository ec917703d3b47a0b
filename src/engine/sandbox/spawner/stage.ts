import { mkdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Run } from "../disk/contract.ts";

/**
 * What guests see of the host, gathered on a tmpfs that only the spawner's mount namespace has: sources may lie below
 * folders that a guest's user cannot walk (/root, a data folder of mode 0700), and no mount outlives the spawner.
 */
export class Stage {
  readonly #folder: string;
  readonly #root: string;
  readonly #run: Run;
  readonly #staged = new Map<string, Promise<string>>();
  #last = 0;
  /** What is mounted on environments' folders. */
  readonly #mounted = new Map<string, string[]>();

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
    await Promise.all([
      this.#peers(environments, join(this.#root, "environments")),
      // Disks are mounted on the stage alone, each for as long as its guest does not have it yet.
      this.#run(["mount", "--bind", disks, join(this.#root, "disks")]),
    ]);
  }

  get folders(): { readonly environments: string; readonly disks: string } {
    return { environments: join(this.#folder, "environments"), disks: join(this.#folder, "disks") };
  }

  /** One group of peers: what is mounted under the folder later is seen on the stage and, from there, in sandboxes. */
  async #peers(folder: string, staged: string): Promise<void> {
    await this.#run(["mount", "--rbind", folder, folder]);
    await this.#run(["mount", "--make-shared", folder]);
    await this.#run(["mount", "--rbind", folder, staged]);
  }

  /** Mounts a tree on an empty folder that running sandboxes have bound, read-only. */
  async bindTree(id: string, tree: string, at: "task" | "opt"): Promise<void> {
    const target = join(this.folders.environments, id, at);
    // Mounts that propagate keep the flags that they have by then: the source is read-only already.
    await this.#run(["mount", "--bind", await this.stage(tree), target]);
    this.#mounted.set(id, [...(this.#mounted.get(id) ?? []), target]);
  }

  /** A read-only view of a file or folder, by a path that every user may walk. */
  stage(source: string): Promise<string> {
    let staged = this.#staged.get(source);
    if (staged === undefined) {
      staged = this.#bind(source, join(this.#root, "sources", String(this.#last++)));
      this.#staged.set(source, staged);
      staged.catch(() => this.#staged.delete(source));
    }
    return staged;
  }

  /** Environments that have it bound keep it. */
  async unstage(source: string): Promise<void> {
    const staged = await this.#staged.get(source)?.catch(() => undefined);
    this.#staged.delete(source);
    if (staged === undefined) return;
    await this.#run(["umount", "--lazy", staged]);
    await rm(staged, { recursive: true });
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
