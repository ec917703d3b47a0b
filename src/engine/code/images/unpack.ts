import { chmodSync, closeSync, createReadStream, futimesSync, mkdirSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Transform } from "node:stream";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { createHash } from "node:crypto";
import { extract } from "tar-stream";
import type { Entry } from "tar-stream";
import { isHostTrouble } from "../host-trouble.ts";
import { BadImage } from "./errors.ts";
import { RootFs } from "./rootfs.ts";

/** What is to become one root file system. */
export interface UnpackJob {
  readonly layers: readonly LayerFile[];
  /** An empty folder. */
  readonly target: string;
  readonly limits: UnpackLimits;
}

export interface LayerFile {
  /** A file whose digest has been checked. */
  readonly file: string;
  readonly mediaType: string;
  /** Digest of the tar in it. */
  readonly diffId: string;
}

export interface UnpackLimits {
  /** Bytes of all files of all layers, as they are written. */
  readonly bytes: number;
  readonly entries: number;
}

/** Unpacks an image's layers, lowest first. @throws BadImage */
export type Unpack = (job: UnpackJob) => Promise<void>;

const WHITEOUT = ".wh.";
/** All that lower layers have in this folder is gone ("Image Layer Filesystem Changeset"). */
const OPAQUE = ".wh..wh..opq";

/** What sandboxes mount on a root file system, which they see read-only. */
const FOLDERS = ["proc", "dev", "tmp", "var/rapid/launcher", "var/rapid/tools"];
const FILES = ["etc/hosts", "etc/resolv.conf"];

interface Budget {
  bytes: number;
  entries: number;
}

export const unpack: Unpack = async ({ layers, target, limits }) => {
  mkdirSync(target, { recursive: true, mode: 0o755 });
  const root = new RootFs(target);
  const budget = { ...limits };
  try {
    // Each over those before it.
    // oxlint-disable-next-line no-await-in-loop
    for (const layer of layers) await applyLayer(root, layer, budget);
    for (const folder of FOLDERS) root.mountPoint(folder, "folder");
    for (const file of FILES) root.mountPoint(file, "file");
    chmodSync(target, 0o755);
  } catch (error) {
    throw error instanceof BadImage ? error : problem(error);
  }
};

/** The disk's own troubles are not the image's fault. */
function problem(error: unknown): Error {
  return isHostTrouble(error) ? (error as Error) : new BadImage("broken", (error as Error).message);
}

async function applyLayer(root: RootFs, layer: LayerFile, budget: Budget): Promise<void> {
  const hash = createHash("sha256");
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const tar = extract();
  const source = createReadStream(layer.file);
  const gunzip = decompressor(layer.mediaType);
  const whole =
    gunzip === undefined ? pipeline(source, counted, tar) : pipeline(source, gunzip, counted, tar);
  whole.catch(() => undefined);
  const writer = new LayerWriter(root, budget);
  try {
    for await (const entry of tar) await writer.entry(entry);
    await whole;
  } finally {
    source.destroy();
  }
  if (`sha256:${hash.digest("hex")}` !== layer.diffId)
    throw new BadImage("broken", "a layer is not the one of the configuration");
}

function decompressor(mediaType: string): ReturnType<typeof createGunzip> | undefined {
  if (/[.+](?:gzip|gz)$/.test(mediaType)) return createGunzip();
  if (/(?:\.tar|layer\.v1\.tar)$/.test(mediaType)) return undefined;
  throw new BadImage("unsupported", `layers of the type ${mediaType}`);
}

class LayerWriter {
  readonly #root: RootFs;
  readonly #budget: Budget;
  /** Host paths that this layer has brought: an opaque folder hides only what lower ones have. */
  readonly #own = new Set<string>();

  constructor(root: RootFs, budget: Budget) {
    this.#root = root;
    this.#budget = budget;
  }

  async entry(entry: Entry): Promise<void> {
    const { name, type, mode = 0o755, linkname } = entry.header;
    if (--this.#budget.entries < 0) throw new BadImage("too-large", "too many files");
    const parts = RootFs.parts(name);
    const last = parts.at(-1) ?? "";
    if (last.startsWith(WHITEOUT)) this.#whiteOut(parts, last);
    else if (type === "directory") this.#brought(this.#root.folder(parts, mode));
    else if (last === "") throw new BadImage("broken", "a file without a name");
    else if (type === "file" || type === "contiguous-file") {
      await this.#file(entry, this.#root.place(parts), mode);
      return;
    } else if (type === "symlink") {
      const path = this.#root.place(parts);
      this.#root.symlink(path, linkname ?? "");
      this.#brought(path);
    } else if (type === "link") {
      const path = this.#root.place(parts);
      this.#root.hardLink(path, RootFs.parts(linkname ?? ""));
      this.#brought(path);
    }
    // Devices and pipes are left out: sandboxes bring the devices that there are.
    for await (const _ of entry) {
      // What such an entry carries is passed over.
    }
  }

  async #file(entry: Entry, path: string, mode: number): Promise<void> {
    const file = this.#root.create(path);
    try {
      for await (const chunk of entry as unknown as Readable) {
        const bytes = chunk as Buffer;
        this.#budget.bytes -= bytes.length;
        if (this.#budget.bytes < 0) throw new BadImage("too-large", "the files are larger than 10 GB");
        for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
      }
      const { mtime } = entry.header;
      if (mtime !== undefined && mtime.getTime() >= 0) futimesSync(file, mtime, mtime);
    } finally {
      closeSync(file);
    }
    // Without the bits that give privileges; whoever runs the platform can always read and replace it.
    chmodSync(path, (mode & 0o777) | 0o400);
    this.#brought(path);
  }

  #brought(path: string): void {
    for (let at = path; !this.#own.has(at) && at.length > 1; at = dirname(at)) this.#own.add(at);
  }

  #whiteOut(parts: readonly string[], last: string): void {
    const marker = this.#root.find(parts);
    if (marker === undefined) return;
    const folder = dirname(marker);
    if (last === OPAQUE) return this.#root.clear(folder, (path) => this.#own.has(path));
    const hidden = last.slice(WHITEOUT.length);
    if (hidden === "" || hidden === "." || hidden === ".." || basename(hidden) !== hidden)
      throw new BadImage("broken", "a whiteout of nothing");
    const path = join(folder, hidden);
    // One layer may both remove a folder and bring it anew.
    if (this.#own.has(path)) this.#root.clear(path, (each) => this.#own.has(each));
    else this.#root.remove(path);
  }
}
