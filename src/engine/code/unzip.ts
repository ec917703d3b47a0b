import { createWriteStream } from "node:fs";
import { mkdir, symlink, utimes } from "node:fs/promises";
import { dirname, join, normalize, posix } from "node:path";
import type { Readable } from "node:stream";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import yauzl from "yauzl";
import type { Entry, ZipFile } from "yauzl";

/** The archive holds what Lambda does not take; `kind` tells which of AWS's messages fits. */
export class BadArchive extends Error {
  readonly kind: "broken" | "too-large";
  constructor(kind: "broken" | "too-large", message: string) {
    super(message);
    this.name = "BadArchive";
    this.kind = kind;
  }
}

export interface UnzipLimits {
  /** Bytes of all files together, counted as they are written. */
  readonly bytes: number;
  readonly entries: number;
}

const PARALLEL = 8;
const TYPE_MASK = 0o170000;
const TYPES = { regular: 0o100000, directory: 0o040000, link: 0o120000 } as const;

/**
 * Unpacks a zip archive into the empty folder `target`. Nothing is written outside it, whatever the archive says; what is
 * left in it after an error is the caller's to remove.
 * @throws BadArchive
 */
export async function unzip(archive: string, target: string, limits: UnzipLimits): Promise<void> {
  let zip: ZipFile;
  try {
    zip = await open(archive);
  } catch (error) {
    throw broken(error);
  }
  try {
    const entries = await list(zip, limits);
    await mkdirAll(entries, target);
    const budget = { left: limits.bytes };
    const files = entries.filter((entry) => entry.type === "regular");
    await Promise.all(
      Array.from({ length: PARALLEL }, async () => {
        for (let file = files.pop(); file !== undefined; file = files.pop())
          await writeFile(zip, file, join(target, file.name), budget);
      }),
    );
    // Links come last, so that no file can be written through one.
    for (const link of entries.filter((entry) => entry.type === "link"))
      await writeLink(zip, link, target, budget);
  } catch (error) {
    throw error instanceof BadArchive ? error : broken(error);
  } finally {
    zip.close();
  }
}

interface Item {
  readonly name: string;
  readonly entry: Entry;
  readonly type: keyof typeof TYPES;
  readonly executable: boolean;
}

function open(archive: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    yauzl.open(archive, { lazyEntries: true, autoClose: false, strictFileNames: false }, (error, zip) => {
      if (error !== null) reject(error);
      else resolve(zip);
    });
  });
}

/** Reads the central directory and refuses what must not be, before anything is written. */
function list(zip: ZipFile, limits: UnzipLimits): Promise<Item[]> {
  if (zip.entryCount > limits.entries)
    return Promise.reject(new BadArchive("broken", `${zip.entryCount} entries`));
  return new Promise((resolve, reject) => {
    const items = new Map<string, Item>();
    let declared = 0;
    zip.on("entry", (entry: Entry) => {
      try {
        const item = check(entry);
        declared += entry.uncompressedSize;
        if (declared > limits.bytes) throw new BadArchive("too-large", `${declared} bytes declared`);
        const known = items.get(item.name);
        // Two tools may each add the same folder; two files of one name cannot both be meant.
        if (known !== undefined && !(known.type === "directory" && item.type === "directory"))
          throw new BadArchive("broken", `${item.name} is there twice`);
        items.set(item.name, item);
        zip.readEntry();
      } catch (error) {
        reject(error);
      }
    });
    zip.once("end", () => resolve([...items.values()]));
    zip.once("error", reject);
    zip.readEntry();
  });
}

function check(entry: Entry): Item {
  // yauzl has refused absolute names and "..", and written backslashes as slashes.
  const name = normalize(entry.fileName).replace(/\/+$/, "");
  if (name.includes("\0") || name.startsWith("..") || posix.isAbsolute(name))
    throw new BadArchive("broken", "a name that leaves the folder");
  if (entry.isEncrypted()) throw new BadArchive("broken", `${name} is encrypted`);
  const unix = entry.versionMadeBy >>> 8 === 3;
  const mode = unix ? entry.externalFileAttributes >>> 16 : 0;
  const executable = (mode & 0o111) !== 0;
  const bits = mode & TYPE_MASK;
  if (bits === TYPES.link) return { name, entry, type: "link", executable };
  if (entry.fileName.endsWith("/") || bits === TYPES.directory)
    return { name, entry, type: "directory", executable };
  if (bits !== 0 && bits !== TYPES.regular) throw new BadArchive("broken", `${name} is a special file`);
  return { name, entry, type: "regular", executable };
}

async function mkdirAll(items: readonly Item[], target: string): Promise<void> {
  const folders = new Set<string>();
  for (const { name, type } of items) folders.add(type === "directory" ? name : dirname(name));
  for (const folder of folders) await mkdir(join(target, folder), { recursive: true });
}

async function writeFile(zip: ZipFile, item: Item, path: string, budget: { left: number }): Promise<void> {
  const stream = await contents(zip, item.entry);
  const mode = item.executable ? 0o555 : 0o444;
  await pipeline(stream, counting(budget), createWriteStream(path, { flags: "wx", mode }));
  const time = item.entry.getLastModDate();
  // A date before 1980 cannot be written by any zip tool; it is a field left at zero.
  if (time.getTime() >= Date.UTC(1980, 0, 1)) await utimes(path, time, time);
}

async function writeLink(zip: ZipFile, item: Item, target: string, budget: { left: number }): Promise<void> {
  if (item.entry.uncompressedSize > 4096) throw new BadArchive("broken", `${item.name}: too long a link`);
  const chunks: Buffer[] = [];
  await pipeline(await contents(zip, item.entry), counting(budget), async (source) => {
    for await (const chunk of source) chunks.push(chunk as Buffer);
  });
  const to = Buffer.concat(chunks).toString("utf8");
  const resolved = posix.normalize(posix.join(posix.dirname(item.name), to));
  if (
    to === "" ||
    to.includes("\0") ||
    posix.isAbsolute(to) ||
    climbsLater(to) ||
    resolved === ".." ||
    resolved.startsWith("../")
  )
    throw new BadArchive("broken", `${item.name} links out of the archive`);
  await symlink(to, join(target, item.name));
}

/**
 * Whether `..` comes after a name: that name may be another link, and `..` then goes up from where it leads, which is not
 * what the text says. At the beginning it goes up from the link's own folder, which is a real one.
 */
function climbsLater(to: string): boolean {
  const parts = to.split("/").filter((part) => part !== "" && part !== ".");
  const name = parts.findIndex((part) => part !== "..");
  return name !== -1 && parts.includes("..", name);
}

function contents(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error !== null) reject(error);
      else resolve(stream);
    });
  });
}

/** Counts real bytes: headers lie. */
function counting(budget: { left: number }): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      budget.left -= chunk.length;
      if (budget.left < 0) done(new BadArchive("too-large", "more bytes than its headers say"));
      else done(null, chunk);
    },
  });
}

function broken(error: unknown): BadArchive {
  return new BadArchive("broken", error instanceof Error ? error.message : String(error));
}
