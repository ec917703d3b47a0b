import { access, chmod, mkdir, open, readdir, readFile, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";

import { OperatorError } from "#core/errors";

import { hasCode, replaceFile } from "./files.ts";

/** The format that this program reads and writes. */
const FORMAT = 1;

/** What may lie in a folder that is about to become a data folder. */
const HARMLESS = new Set(["lock", "VERSION.new", "lost+found", ".DS_Store"]);

/** Makes the folder, for its owner alone, where it does not exist; refuses one that holds something else than Thaw's data. */
export async function createFolder(folder: string): Promise<void> {
  const unusable = (verb: string) => (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperatorError(`the data folder ${folder} cannot be ${verb}: ${reason}`);
  };
  await makeFolder(folder).catch(unusable("made"));
  const names = await readdir(folder).catch(unusable("read"));
  if (!names.includes("VERSION") && names.some((name) => !HARMLESS.has(name)))
    throw new OperatorError(`${folder} is not empty and not a data folder of Thaw; choose another folder`);
  await chmod(folder, 0o700);
}

/**
 * `mkdir -p`. Node's own `recursive` never comes back where a folder's parent exists and yet answers ENOENT, as /proc does.
 */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const parent = dirname(folder);
    if (hasCode(error, "EEXIST")) {
      if ((await stat(folder)).isDirectory()) return;
      throw new Error("there is a file of that name", { cause: error });
    }
    if (!hasCode(error, "ENOENT") || parent === folder || (await exists(parent))) throw error;
    await makeFolder(parent);
    await makeFolder(folder);
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * Checks the file `VERSION`, writes it in a new folder. `ready` becomes true when the database exists; from then on its
 * absence is damage and not a beginning.
 * @throws OperatorError where the folder is damaged or was written by a newer Thaw.
 */
export async function checkVersion(folder: string): Promise<void> {
  const text = await readFile(join(folder, "VERSION"), "utf8").catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  });
  if (text === undefined) return writeVersion(folder, false);
  const version = parse(text);
  if (version === undefined)
    throw new OperatorError(
      `the data folder ${folder} is damaged: its VERSION file cannot be read; restore it from a backup`,
    );
  if (version.format > FORMAT)
    throw new OperatorError(
      `the data folder ${folder} has format ${version.format}, written by a newer Thaw; this one reads format ${FORMAT}`,
    );
  if (version.ready && !(await sound(join(folder, "state.mdb"))))
    throw new OperatorError(
      `the data folder ${folder} is damaged: state.mdb is missing or cut off; restore it from a backup`,
    );
}

export function writeVersion(folder: string, ready: boolean): Promise<void> {
  return replaceFile(
    join(folder, "VERSION"),
    `${JSON.stringify({ product: "thaw", format: FORMAT, ready })}\n`,
  );
}

function parse(text: string): { format: number; ready: boolean } | undefined {
  try {
    const value = JSON.parse(text) as { product?: unknown; format?: unknown; ready?: unknown } | null;
    if (value?.product !== "thaw" || !Number.isSafeInteger(value.format) || Number(value.format) < 1)
      return undefined;
    return { format: Number(value.format), ready: value.ready === true };
  } catch {
    return undefined;
  }
}

/**
 * LMDB maps its file unchecked, and garbage or a file that is cut off ends the process by SIGSEGV or SIGBUS. So the
 * two meta pages (liblmdb's `MDB_meta`) are looked at first: magic number, page size, and root pages within the file.
 */
async function sound(path: string): Promise<boolean> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const { size } = await handle.stat();
    const first = await meta(handle, 0);
    if (first === undefined) return false;
    const second = await meta(handle, first.pageSize);
    if (second === undefined || second.pageSize !== first.pageSize) return false;
    const newest = second.transaction > first.transaction ? second : first;
    return newest.roots.every(
      (root) => root === NO_PAGE || (root + 1n) * BigInt(newest.pageSize) <= BigInt(size),
    );
  } finally {
    await handle.close();
  }
}

const MAGIC = 0xbeefc0de;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

interface Meta {
  readonly pageSize: number;
  readonly roots: readonly bigint[];
  readonly transaction: bigint;
}

async function meta(handle: FileHandle, offset: number): Promise<Meta | undefined> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(160), 0, 160, offset);
  if (bytesRead < 160 || buffer.readUInt32LE(24) !== MAGIC) return undefined;
  const pageSize = buffer.readUInt32LE(48);
  if (pageSize < 512 || pageSize > 65_536) return undefined;
  const roots = [buffer.readBigUInt64LE(88), buffer.readBigUInt64LE(136)];
  return { pageSize, roots, transaction: buffer.readBigUInt64LE(152) };
}
