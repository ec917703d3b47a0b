import { closeSync, futimesSync, mkdirSync, openSync, symlinkSync, writeSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { crc32, createInflateRaw, inflateRawSync } from "node:zlib";
import { ArchiveFile } from "./archive-file.ts";
import { BadArchive, readEntries, type ArchiveEntry, type UnzipLimits } from "./entries.ts";
import { isHostTrouble } from "./host-trouble.ts";

/**
 * Files up to here are unpacked in one go, in a blocking way: of a file of a few kilobytes, streams and asynchronous calls
 * are nine tenths of the time. Larger ones stream, so that memory stays bounded.
 */
const WHOLE_BYTES = 256 * 1024;
/** What a file costs besides its bytes, as many bytes as take as long. */
const FILE_BYTES = 16 * 1024;
/** And each character of its path, by which the system looks for it. */
const CHARACTER_BYTES = 32;
/** All paths of folders together, in characters: a name of 4,000 may speak of 2,000 of them, half a millisecond each. */
const MOST_PATHS = 8 * 1024 * 1024;
/** Of the ZIP specification: a file's own header, up to its name, and the ways to compress. */
const HEADER = { bytes: 30, signature: 0x04034b50, nameLength: 26, extraLength: 28 } as const;
const METHODS = { stored: 0, deflated: 8 } as const;
/** What is done in one turn of the event loop, in bytes. */
const TURN_BYTES = 256 * 1024;
const MAX_LINK_BYTES = 4096;

/**
 * Unpacks a zip archive into the empty folder `target`. Nothing is written outside it, whatever the archive says; what is
 * left in it after an error is the caller's to remove. Works in turns of a millisecond or two, so that several archives,
 * and whatever else the thread does, go on side by side.
 * @returns the bytes of all files
 * @throws BadArchive
 */
export async function unzip(archive: string, target: string, limits: UnzipLimits): Promise<number> {
  const file = new ArchiveFile(archive);
  try {
    const entries = await readEntries(file, limits);
    const pace = new Pace();
    for (const folder of folders(entries, limits.entries)) {
      mkdirSync(join(target, folder), { recursive: true });
      await pace.did(0, folder);
    }
    let bytes = 0;
    // In the order of the archive, which is then read once and from the beginning to the end.
    for (const entry of ofType(entries, "regular").toSorted((one, other) => one.offset - other.offset)) {
      await writeFile(file, entry, join(target, entry.name), pace);
      bytes += entry.bytes;
    }
    // Links come last, so that no file can be written through one.
    for (const entry of ofType(entries, "link")) {
      symlinkSync(linkTarget(file, entry), join(target, entry.name));
      await pace.did(0, entry.name);
    }
    return bytes;
  } catch (error) {
    if (error instanceof BadArchive || isHostTrouble(error)) throw error;
    throw new BadArchive("broken", error instanceof Error ? error.message : String(error));
  } finally {
    file.end();
  }
}

/** Yields after each bit of work. */
class Pace {
  #done = 0;

  async did(bytes: number, path: string): Promise<void> {
    this.#done += bytes + FILE_BYTES + path.length * CHARACTER_BYTES;
    if (this.#done < TURN_BYTES) return;
    this.#done = 0;
    await nextTurn();
  }
}

function ofType(entries: readonly ArchiveEntry[], type: ArchiveEntry["type"]): ArchiveEntry[] {
  return entries.filter((entry) => entry.type === type);
}

/** All that there must be, parents first. @throws BadArchive where one name after the other speaks of many */
function folders(entries: readonly ArchiveEntry[], most: number): Iterable<string> {
  const known = new Set<string>(["."]);
  let characters = 0;
  for (const { name, type } of entries) {
    const missing: string[] = [];
    for (let at = type === "directory" ? name : dirname(name); !known.has(at); at = dirname(at)) {
      missing.push(at);
      characters += at.length;
      if (known.size + missing.length > most) throw new BadArchive("broken", `more than ${most} folders`);
      if (characters > MOST_PATHS)
        throw new BadArchive("broken", `more than ${MOST_PATHS} characters of folders`);
    }
    for (const folder of missing.toReversed()) known.add(folder);
  }
  return known;
}

async function writeFile(archive: ArchiveFile, entry: ArchiveEntry, path: string, pace: Pace): Promise<void> {
  const descriptor = openSync(path, "wx", entry.executable ? 0o555 : 0o444);
  try {
    if (Math.max(entry.bytes, entry.packedBytes) > WHOLE_BYTES) await copy(archive, entry, descriptor, pace);
    else writeAll(descriptor, contents(archive, entry));
    if (entry.modified !== undefined) futimesSync(descriptor, entry.modified, entry.modified);
  } finally {
    closeSync(descriptor);
  }
  await pace.did(entry.bytes, entry.name);
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
}

/** All of a small file. It is exactly as long as its header says. */
function contents(archive: ArchiveFile, entry: ArchiveEntry): Buffer {
  const packed = archive.view(dataStart(archive, entry), entry.packedBytes);
  const bytes = isDeflated(entry)
    ? // With room for one more, it needs not look for what is left in a second round.
      inflateRawSync(packed, { chunkSize: Math.max(64, entry.bytes + 1), maxOutputLength: entry.bytes + 1 })
    : packed;
  if (bytes.length !== entry.bytes) throw wrongLength(entry);
  if (crc32(bytes) !== entry.crc32) throw wrongBytes(entry);
  return bytes;
}

/** Writes a large file as it is unpacked, and never more of it than its header says. */
async function copy(
  archive: ArchiveFile,
  entry: ArchiveEntry,
  descriptor: number,
  pace: Pace,
): Promise<void> {
  const start = dataStart(archive, entry);
  const packed = Readable.from(archive.pieces(start, entry.packedBytes), { objectMode: false });
  let left = entry.bytes;
  let sum = 0;
  const write = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      left -= chunk.length;
      if (left < 0) break;
      sum = crc32(chunk, sum);
      writeAll(descriptor, chunk);
      await pace.did(chunk.length, "");
    }
  };
  if (isDeflated(entry)) await pipeline(packed, createInflateRaw({ chunkSize: TURN_BYTES }), write);
  else await pipeline(packed, write);
  if (left !== 0) throw wrongLength(entry);
  if (sum !== entry.crc32) throw wrongBytes(entry);
}

function isDeflated({ name, method }: ArchiveEntry): boolean {
  if (method === METHODS.deflated) return true;
  if (method === METHODS.stored) return false;
  throw new BadArchive("broken", `${name} is compressed in an unknown way`);
}

function wrongLength({ name, bytes }: ArchiveEntry): BadArchive {
  return new BadArchive("broken", `${name} has not the ${bytes} bytes that its header says`);
}

/** As every tool refuses it: the archive was damaged. */
function wrongBytes({ name }: ArchiveEntry): BadArchive {
  return new BadArchive("broken", `${name} has not the bytes that were packed`);
}

/** Where an entry's own bytes begin. */
function dataStart(archive: ArchiveFile, { name, offset, packedBytes }: ArchiveEntry): number {
  const header = archive.view(offset, HEADER.bytes);
  if (header.readUInt32LE(0) !== HEADER.signature) throw new BadArchive("broken", `${name} has no header`);
  const names = header.readUInt16LE(HEADER.nameLength) + header.readUInt16LE(HEADER.extraLength);
  const start = offset + HEADER.bytes + names;
  if (start + packedBytes > archive.bytes) throw new BadArchive("broken", `${name} ends after the archive`);
  return start;
}

/** @throws BadArchive where it leads out of the archive */
function linkTarget(archive: ArchiveFile, entry: ArchiveEntry): string {
  const { name, bytes, packedBytes } = entry;
  if (Math.max(bytes, packedBytes) > MAX_LINK_BYTES)
    throw new BadArchive("broken", `${name}: too long a link`);
  const to = contents(archive, entry).toString("utf8");
  const resolved = posix.normalize(posix.join(posix.dirname(name), to));
  if (
    to === "" ||
    to.includes("\0") ||
    posix.isAbsolute(to) ||
    climbsLater(to) ||
    resolved === ".." ||
    resolved.startsWith("../")
  )
    throw new BadArchive("broken", `${name} links out of the archive`);
  return to;
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
