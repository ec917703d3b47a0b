import { normalize, posix } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import yauzl from "yauzl";
import type { Entry } from "yauzl";
import type { ArchiveFile } from "./archive-file.ts";

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
  /** Of all files together, as their headers say; what is unpacked is held to that. */
  readonly bytes: number;
  /** Entries, and folders that only their names speak of. */
  readonly entries: number;
}

/** What an archive says of one of its files, folders or links. */
export interface ArchiveEntry {
  /** In its shortest form, within the archive. */
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly executable: boolean;
  /** In seconds since 1970; undefined where the archive does not say. */
  readonly modified: number | undefined;
  readonly bytes: number;
  readonly packedBytes: number;
  /** How it is compressed, by the ZIP specification's numbers. */
  readonly method: number;
  /** The CRC-32 of its bytes. */
  readonly crc32: number;
  /** Where its own header is. */
  readonly offset: number;
}

const TYPE_MASK = 0o170000;
const TYPES = { regular: 0o100000, directory: 0o040000, link: 0o120000 } as const;

/** All names of an archive together, in characters: far over what 200,000 real ones have, so that memory stays bounded. */
const MOST_NAMES = 32 * 1024 * 1024;
/** Entries that are read in one turn of the event loop, about half a millisecond. */
const ENTRIES_A_TURN = 128;

/** Reads an archive's directory and refuses what must not be, before anything is written. @throws BadArchive */
export async function readEntries(archive: ArchiveFile, limits: UnzipLimits): Promise<ArchiveEntry[]> {
  const zip = await yauzl.fromRandomAccessReaderPromise(archive, archive.bytes, { autoClose: false });
  if (zip.entryCount > limits.entries) throw new BadArchive("broken", `${zip.entryCount} entries`);
  const entries = new Map<string, ArchiveEntry>();
  let [read, names, declared, packed] = [0, 0, 0, 0];
  for await (const each of zip.eachEntry()) {
    const entry = check(each);
    names += entry.name.length;
    packed += entry.packedBytes;
    declared += entry.bytes;
    if (names > MOST_NAMES) throw new BadArchive("broken", `more than ${MOST_NAMES} characters of names`);
    // The same bytes again and again would be work without end.
    if (packed > archive.bytes) throw new BadArchive("broken", "files that overlap");
    if (declared > limits.bytes) throw new BadArchive("too-large", `${declared} bytes declared`);
    const known = entries.get(entry.name);
    // Two tools may each add the same folder; two files of one name cannot both be meant.
    if (known !== undefined && !(known.type === "directory" && entry.type === "directory"))
      throw new BadArchive("broken", `${entry.name} is there twice`);
    entries.set(entry.name, entry);
    if (++read % ENTRIES_A_TURN === 0) await nextTurn();
  }
  return [...entries.values()];
}

function check(entry: Entry): ArchiveEntry {
  // yauzl has refused absolute names and "..", and written backslashes as slashes.
  const name = normalize(entry.fileName).replace(/\/+$/, "");
  if (name.includes("\0") || name === ".." || name.startsWith("../") || posix.isAbsolute(name))
    throw new BadArchive("broken", "a name that leaves the folder");
  if (entry.isEncrypted()) throw new BadArchive("broken", `${name} is encrypted`);
  const unix = entry.versionMadeBy >>> 8 === 3;
  const mode = unix ? entry.externalFileAttributes >>> 16 : 0;
  // Zones are not told: as where AWS unpacks it, wherever this host is.
  const time = entry.getLastModDate({ timezone: "UTC" }).getTime();
  return {
    name,
    type: typeOf(entry.fileName, mode & TYPE_MASK),
    executable: (mode & 0o111) !== 0,
    // A date before 1980 cannot be written by any zip tool; it is a field left at zero.
    modified: time >= Date.UTC(1980, 0, 1) ? time / 1000 : undefined,
    bytes: entry.uncompressedSize,
    packedBytes: entry.compressedSize,
    method: entry.compressionMethod,
    crc32: entry.crc32,
    offset: entry.relativeOffsetOfLocalHeader,
  };
}

function typeOf(name: string, bits: number): ArchiveEntry["type"] {
  if (bits === TYPES.link) return "link";
  if (name.endsWith("/") || bits === TYPES.directory) return "directory";
  if (bits !== 0 && bits !== TYPES.regular) throw new BadArchive("broken", `${name} is a special file`);
  return "regular";
}
