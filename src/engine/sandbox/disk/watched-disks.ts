import { chmod, lchown, mkdir, readdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Timer } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Enforcement } from "../contract.ts";
import type { ScratchDisk, ScratchDiskOptions, ScratchDisks } from "./contract.ts";
import { exceeds } from "./usage.ts";

/** How long between two looks, at least; and at least ten times as long as a look takes. */
const INTERVAL_MS = 500;
const SHARE = 10;

/** As `image` has it: an inode for every 16 KB. */
const ENTRIES_PER_MB = 64;

const ENFORCEMENT: readonly Enforcement[] = [
  {
    limit: "ephemeral storage size",
    level: "watched",
    how: "/tmp is a folder on disk; its size is looked at while a function runs, and the environment ended when it is over EphemeralStorage. A file system of its own takes root and loop devices",
  },
];

interface Watched extends ScratchDisk {
  exceeded: (() => void) | undefined;
}

/** Disks as folders, for hosts and users that cannot mount file systems. */
export class WatchedDisks implements ScratchDisks {
  readonly method = "watched";
  readonly #options: ScratchDiskOptions & { readonly ids: Ids; readonly clock: Clock };
  readonly #taken = new Map<string, Watched>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: ScratchDiskOptions & { readonly ids: Ids; readonly clock: Clock }) {
    this.#options = options;
  }

  async take(id: string, sizeMb: number, exceeded?: () => void): Promise<ScratchDisk> {
    if (this.#closed) throw new Error("the scratch disks are closed");
    if (this.#taken.has(id)) throw new Error(`there is a scratch disk ${id} already`);
    const { folder, ids } = this.#options;
    const path = join(folder, ids.hex(16));
    let release: Promise<void> | undefined;
    const disk: Watched = {
      id,
      path,
      sizeMb,
      busy: true,
      exceeded,
      held: () => Promise.resolve(),
      release: () => (release ??= this.#release(disk)),
    };
    this.#taken.set(id, disk);
    try {
      await this.#make(path, sizeMb);
      if (release !== undefined) throw new Error("the scratch disks are closed");
    } catch (error) {
      // Again after a `release` that came before the folder was made.
      await disk.release();
      await rm(path, { recursive: true, force: true });
      throw error;
    }
    this.#timer ??= this.#watch(INTERVAL_MS);
    return disk;
  }

  expect(): void {
    // A folder is made at once.
  }

  enforcement(): readonly Enforcement[] {
    return ENFORCEMENT;
  }

  async clean(): Promise<void> {
    const { folder } = this.#options;
    const own = new Set([...this.#taken.values()].map((disk) => disk.path));
    const left = (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
    await Promise.all(left.filter((path) => !own.has(path)).map(remove));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await Promise.all([...this.#taken.values()].map((disk) => disk.release()));
  }

  async #make(path: string, sizeMb: number): Promise<void> {
    const { folder, owner } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o711 });
    const { bavail, bsize } = await statfs(folder);
    const freeMb = Math.floor((bavail * bsize) / (1024 * 1024));
    if (freeMb < sizeMb)
      throw new Error(`the disk of ${folder} has ${freeMb} MB left, too little for /tmp of ${sizeMb} MB`);
    await mkdir(path, { mode: 0o700 });
    if (process.getuid?.() === 0) await lchown(path, owner.uid, owner.gid);
  }

  async #release(disk: Watched): Promise<void> {
    disk.exceeded = undefined;
    await remove(disk.path);
    this.#taken.delete(disk.id);
  }

  #watch(delayMs: number): Timer | undefined {
    if (this.#closed || this.#taken.size === 0) return undefined;
    return this.#options.clock.after(delayMs, () => {
      const start = this.#options.clock.monotonic();
      void this.#look().then(() => {
        const pause = Math.max(INTERVAL_MS, (this.#options.clock.monotonic() - start) * SHARE);
        this.#timer = this.#watch(pause);
      });
    });
  }

  async #look(): Promise<void> {
    for (const disk of this.#taken.values()) {
      if (!disk.busy || disk.exceeded === undefined) continue;
      const bounds = { bytes: disk.sizeMb * 1024 * 1024, entries: disk.sizeMb * ENTRIES_PER_MB };
      // oxlint-disable-next-line no-await-in-loop
      if (!(await exceeds(disk.path, bounds))) continue;
      const tell = disk.exceeded;
      disk.exceeded = undefined;
      tell?.();
    }
  }
}

/** Functions may have taken the rights off their own folders. */
async function remove(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await allow(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function allow(path: string): Promise<void> {
  await chmod(path, 0o700).catch(() => undefined);
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries)
    // oxlint-disable-next-line no-await-in-loop
    if (entry.isDirectory()) await allow(join(path, entry.name));
}
