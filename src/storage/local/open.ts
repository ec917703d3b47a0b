import { statfsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { Clock } from "#core/clock";
import { OperatorError } from "#core/errors";
import type { Ids } from "#core/ids";

import type { Storage } from "../storage.ts";
import { LocalBlobs } from "./blobs.ts";
import { LocalDocuments } from "./documents.ts";
import { makeEphemeral, sweepEphemeral } from "./ephemeral.ts";
import { checkVersion, createFolder, writeVersion } from "./folder.ts";
import { LocalJournal } from "./journal.ts";
import { lockFolder } from "./lock.ts";
import { LocalObjects } from "./objects.ts";
import { LocalQueue } from "./queue.ts";
import { Segments } from "./segments.ts";
import { openTables, type Tables } from "./tables.ts";
import { Writer } from "./writer.ts";

export interface LocalStorageOptions {
  /** The data folder; made where it does not exist. Not used with `ephemeral`. */
  readonly folder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Keeps everything in a temporary folder, removed by `close`, or by the next of this user's after a death without one. */
  readonly ephemeral?: boolean;
}

/**
 * Opens the ports over one data folder of this machine.
 * @throws OperatorError where the folder is in use, damaged, of a newer format, or not Thaw's.
 */
export async function openLocalStorage(options: LocalStorageOptions): Promise<Storage> {
  const { clock, ids, ephemeral = false } = options;
  const folder = ephemeral ? await makeEphemeral() : resolve(options.folder);
  await createFolder(folder);
  const lock = await lockFolder(folder, ids);
  let tables: Tables | undefined;
  try {
    await checkVersion(folder);
    tables = openOrRefuse(folder);
    const writer = new Writer(tables.env, () => freeBytes(folder));
    const segments = await Segments.open(join(folder, "journal"), tables);
    const blobs = await LocalBlobs.open(join(folder, "blobs"), ids);
    const objects = await LocalObjects.open(join(folder, "objects"));
    await rm(join(folder, "trash"), { recursive: true, force: true });
    await writeVersion(folder, true);
    return assemble({ folder, clock, ids, tables, writer, segments, blobs, objects, lock, ephemeral });
  } catch (error) {
    await tables?.env.close();
    await lock.release();
    throw error;
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

interface Parts {
  readonly folder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly tables: Tables;
  readonly writer: Writer;
  readonly segments: Segments;
  readonly blobs: LocalBlobs;
  readonly objects: LocalObjects;
  readonly lock: { release(): Promise<void> };
  readonly ephemeral: boolean;
}

function assemble(parts: Parts): Storage {
  const { folder, clock, ids, tables, writer, segments, blobs, objects, lock, ephemeral } = parts;
  const queue = new LocalQueue(tables, writer, clock, ids);
  const journal = new LocalJournal(tables, writer, segments);
  let closing: Promise<void> | undefined;
  const warn = (error: unknown): void => process.emitWarning(String(error));
  let emptying: Promise<unknown> = ephemeral ? sweepEphemeral(folder, ids).catch(warn) : Promise.resolve();
  const clear = async (): Promise<void> => {
    await segments.rotate();
    await writer.shrink(() => tables.clear());
    // Renaming takes no time however many blobs there are; they are deleted afterwards, at the latest at the next open.
    const trash = join(folder, "trash", ids.hex(16));
    await mkdir(trash, { recursive: true, mode: 0o700 });
    for (const name of ["blobs", "objects"]) await rename(join(folder, name), join(trash, name));
    await LocalBlobs.open(join(folder, "blobs"), ids);
    await LocalObjects.open(join(folder, "objects"));
    await segments.unlinkAll();
    const emptied = rm(trash, { recursive: true, force: true });
    emptying = Promise.all([emptying, emptied]).catch(warn);
  };
  const close = async (): Promise<void> => {
    await journal.exclusive(() => segments.rotate());
    await emptying;
    writer.close();
    await tables.env.close();
    await lock.release();
    if (ephemeral) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  return {
    documents: new LocalDocuments(tables, writer, queue),
    queue,
    journal,
    blobs,
    objects,
    folder,
    reset: () => journal.exclusive(clear),
    close: () => (closing ??= close()),
  };
}

function openOrRefuse(folder: string): Tables {
  try {
    return openTables(join(folder, "state.mdb"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperatorError(`the data folder ${folder} is damaged: state.mdb cannot be opened (${reason})`);
  }
}
