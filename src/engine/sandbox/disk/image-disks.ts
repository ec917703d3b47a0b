import { mkdir, readdir, rm, rmdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Enforcement } from "../contract.ts";
import { Demand } from "../demand.ts";
import { Lull } from "../lull.ts";
import type { Starts } from "../lull.ts";
import type { ScratchDisk, ScratchDiskOptions, ScratchDisks } from "./contract.ts";
import { mountsBelow } from "./mountinfo.ts";
import { Mounter } from "./mounter.ts";
import { makeTemplate } from "./template.ts";

/** EphemeralStorage's default, and so the size worth keeping spare. */
const USUAL_MB = 512;
const MOST_TEMPLATES = 32;

const ENFORCEMENT: readonly Enforcement[] = [
  {
    limit: "ephemeral storage size",
    level: "enforced",
    how: "/tmp is an ext4 file system of its own on disk: ENOSPC beyond EphemeralStorage, and beyond an inode for every 16 KB",
  },
];

/** Spare disks that are made by one program. */
const BATCH = 8;

export interface ImageDisksOptions extends ScratchDiskOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  /** Disks are made ahead while none starts. */
  readonly starts?: Starts;
}

interface Image {
  readonly file: string;
  readonly path: string;
}

/**
 * Disks as ext4 images behind loop devices. An image is made for one environment and deleted after it, never wiped and used
 * again: copying the sparse template takes 2 ms, and no byte of an earlier owner can be in it.
 */
export class ImageDisks implements ScratchDisks {
  readonly method = "image";
  readonly #options: ImageDisksOptions;
  readonly #templates = new Map<number, Promise<string>>();
  readonly #taken = new Map<string, ScratchDisk>();
  readonly #mounter: Mounter;
  readonly #demand: Demand;
  readonly #lull: Lull;
  readonly #spares: Image[] = [];
  /** Mount points of this process, those being made too. */
  readonly #own = new Set<string>();
  #filling: Promise<void> | undefined;
  /** Environments that wait for their disk. */
  #making = 0;
  #closed = false;

  constructor(options: ImageDisksOptions) {
    this.#options = options;
    this.#demand = new Demand(options.clock);
    this.#lull = new Lull(options.clock, () => this.#fill(), options.starts);
    this.#mounter = new Mounter(options.run);
  }

  /** Makes and mounts a first disk, which stays as a spare one. @throws Error where this host or user cannot */
  async probe(): Promise<void> {
    const image = await this.#make(USUAL_MB);
    if (this.#options.spares.least > 0) this.#spares.push(image);
    else await this.#discard(image);
  }

  async take(id: string, sizeMb: number): Promise<ScratchDisk> {
    if (this.#closed) throw new Error("the scratch disks are closed");
    if (this.#taken.has(id)) throw new Error(`there is a scratch disk ${id} already`);
    let release: Promise<void> | undefined;
    let image: Image | undefined;
    // In the table before anything is waited for, so that neither a second `take` nor `close` misses it.
    let made: Promise<Image> | undefined;
    const discard = async (): Promise<void> => {
      image ??= await made?.catch(() => undefined);
      if (image !== undefined) await this.#discard(image);
      this.#taken.delete(id);
    };
    const disk: ScratchDisk = {
      id,
      sizeMb,
      busy: true,
      get path() {
        return image?.path ?? "";
      },
      held: () => (image === undefined ? Promise.resolve() : this.#unmount(image.path)),
      release: () => (release ??= discard()),
    };
    this.#taken.set(id, disk);
    if (sizeMb === USUAL_MB) this.#demand.take();
    this.#making++;
    try {
      made = this.#room(sizeMb).then(() => this.#spareOf(sizeMb) ?? this.#make(sizeMb));
      image = await made;
      if (release !== undefined) throw new Error("the scratch disks are closed");
      return disk;
    } catch (error) {
      await disk.release();
      throw error;
    } finally {
      this.#making--;
      this.#lull.await();
    }
  }

  expect(sizeMb: number): void {
    if (sizeMb !== USUAL_MB) return;
    this.#demand.expect();
    this.#lull.soon();
  }

  enforcement(): readonly Enforcement[] {
    return ENFORCEMENT;
  }

  async clean(): Promise<void> {
    const { run } = this.#options;
    const own = new Set([...this.#own].map((path) => this.#seen(path)));
    const points = mountsBelow(
      this.#seen(this.#folder("mounts")),
      await run(["cat", "/proc/self/mountinfo"]),
    );
    // oxlint-disable-next-line no-await-in-loop
    for (const point of points) if (!own.has(point)) await this.#umount(point);
    // A loop device without a mount: the crash came between the two.
    const list = await run(["losetup", "--list", "--noheadings", "--raw", "--output", "NAME,BACK-FILE"]);
    for (const line of list.split("\n")) {
      const [device, file] = line.split(" ");
      // oxlint-disable-next-line no-await-in-loop
      if (device && file?.startsWith(this.#folder("images")) && !this.#own.has(this.#pathOf(file)))
        await run(["losetup", "-d", device]);
    }
    for (const name of await namesIn(this.#folder("mounts")))
      // Not recursively: if something is mounted there after all, nothing of it is lost.
      // oxlint-disable-next-line no-await-in-loop
      if (!this.#own.has(join(this.#folder("mounts"), name))) await rmdir(join(this.#folder("mounts"), name));
    for (const name of await namesIn(this.#folder("images")))
      // oxlint-disable-next-line no-await-in-loop
      if (!this.#own.has(this.#pathOf(name))) await rm(join(this.#folder("images"), name));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#lull.cancel();
    await Promise.all([...this.#taken.values()].map((disk) => disk.release()));
    await this.#filling;
    await Promise.all(this.#spares.splice(0).map((image) => this.#discard(image)));
    await rm(this.#folder("templates"), { recursive: true, force: true });
    this.#templates.clear();
  }

  #folder(name: "images" | "mounts" | "templates"): string {
    return join(this.#options.folder, name);
  }

  #pathOf(imageFile: string): string {
    return join(
      this.#folder("mounts"),
      imageFile.slice(imageFile.lastIndexOf("/") + 1).replace(/\.ext4.*$/u, ""),
    );
  }

  /** Images are sparse, so that together they may promise more than the host has: what is short already is not promised again. */
  async #room(sizeMb: number): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = await statfs(this.#options.folder);
    const freeMb = Math.floor((bavail * bsize) / (1024 * 1024));
    if (freeMb < sizeMb)
      throw new Error(
        `the disk of ${this.#options.folder} has ${freeMb} MB left, too little for /tmp of ${sizeMb} MB`,
      );
  }

  #spareOf(sizeMb: number): Image | undefined {
    return sizeMb === USUAL_MB ? this.#spares.pop() : undefined;
  }

  /** A few after the other, and only while no environment waits for its own. */
  #fill(): void {
    if (this.#filling === undefined && this.#missing() > 0) this.#filling = this.#refill();
  }

  #missing(): number {
    const { least, most } = this.#options.spares;
    if (this.#closed || this.#making > 0) return 0;
    return (least === 0 ? 0 : this.#demand.within(least, most)) - this.#spares.length;
  }

  async #refill(): Promise<void> {
    try {
      while (this.#missing() > 0) {
        // oxlint-disable-next-line no-await-in-loop
        await this.#room(USUAL_MB);
        const batch = Array.from({ length: Math.min(BATCH, this.#missing()) }, () => this.#make(USUAL_MB));
        // oxlint-disable-next-line no-await-in-loop
        const made = await Promise.allSettled(batch);
        for (const image of made) if (image.status === "fulfilled") this.#spares.push(image.value);
        if (made.some(({ status }) => status === "rejected")) return;
      }
    } catch {
      // The next `take` tries again, and tells why it cannot be.
    } finally {
      this.#filling = undefined;
      if (this.#making > 0) this.#lull.await();
    }
  }

  async #make(sizeMb: number): Promise<Image> {
    const template = await this.#template(sizeMb);
    const name = this.#options.ids.hex(16);
    const image = {
      file: join(this.#folder("images"), `${name}.ext4`),
      path: join(this.#folder("mounts"), name),
    };
    this.#own.add(image.path);
    try {
      await mkdir(this.#folder("images"), { recursive: true, mode: 0o700 });
      await mkdir(image.path, { recursive: true, mode: 0o755 });
      await this.#mounter.mount({ template, file: image.file, path: this.#seen(image.path) });
      return image;
    } catch (error) {
      await this.#discard(image);
      throw error;
    }
  }

  async #template(sizeMb: number): Promise<string> {
    const known = this.#templates.get(sizeMb);
    if (known !== undefined) return known;
    const path = join(this.#folder("templates"), `${sizeMb}.ext4`);
    const making = mkdir(this.#folder("templates"), { recursive: true, mode: 0o700 })
      .then(() => makeTemplate(path, sizeMb, this.#options))
      .then(() => path);
    // A copy under way still has its file open: the oldest can go at any time.
    const [oldest] = this.#templates.keys();
    if (this.#templates.size >= MOST_TEMPLATES && oldest !== undefined) {
      this.#templates.delete(oldest);
      await rm(join(this.#folder("templates"), `${oldest}.ext4`), { force: true });
    }
    this.#templates.set(sizeMb, making);
    making.catch(() => this.#templates.delete(sizeMb));
    return making;
  }

  async #discard({ file, path }: Image): Promise<void> {
    await this.#unmount(path);
    await rm(file, { force: true });
    this.#own.delete(path);
  }

  #seen(path: string): string {
    return this.#options.seenAt?.(path) ?? path;
  }

  /**
   * Removes the mount point, and with it the mount. The kernel takes mounts of other namespaces off a folder that is
   * removed (mount_namespaces(7)): where `run` has one of its own, as a platform's has, that costs no program.
   */
  async #unmount(path: string): Promise<void> {
    try {
      await rmdir(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return;
      if (code !== "EBUSY") throw error;
      await this.#umount(this.#seen(path));
      await rmdir(path);
    }
  }

  /** Does nothing where nothing is mounted. */
  async #umount(path: string): Promise<void> {
    const { run } = this.#options;
    const isMounted = async (): Promise<boolean> =>
      mountsBelow(path, await run(["cat", "/proc/self/mountinfo"])).length > 0;
    try {
      await run(["umount", path]);
    } catch (error) {
      if (!(await isMounted())) return;
      // A process that is about to end still has a file open: out of sight now, and gone with that process.
      await run(["umount", "--lazy", path]).catch(() => Promise.reject(error));
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
