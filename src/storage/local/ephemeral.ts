import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { OperatorError } from "#core/errors";
import type { Ids } from "#core/ids";

import { lockFolder } from "./lock.ts";

const PREFIX = "thaw-ephemeral-";
/** A folder that was made this long ago has long been locked, if anybody still uses it. */
const SETTLED_MS = 60_000;

/** Makes a temporary data folder. */
export function makeEphemeral(): Promise<string> {
  return mkdtemp(join(tmpdir(), PREFIX));
}

/**
 * Removes the temporary data folders of this user's platforms that were killed, beside one that is in use: they never
 * start again to do it themselves. What cannot be told to be abandoned stays.
 */
export async function sweepEphemeral(own: string, ids: Ids): Promise<void> {
  const parent = join(own, "..");
  const { mtimeMs: now, uid } = await lstat(join(own, "lock"));
  for (const name of await readdir(parent)) {
    const folder = join(parent, name);
    // oxlint-disable-next-line no-await-in-loop -- each may be a great many files
    if (name.startsWith(PREFIX) && folder !== own && (await isSettled(folder, now, uid)))
      // oxlint-disable-next-line no-await-in-loop
      await removeAbandoned(folder, ids);
  }
}

async function isSettled(folder: string, now: number, uid: number): Promise<boolean> {
  try {
    const [itself, lock] = await Promise.all([lstat(folder), lstat(join(folder, "lock"))]);
    return itself.isDirectory() && itself.uid === uid && now - lock.mtimeMs > SETTLED_MS;
  } catch {
    // Gone meanwhile, or never used.
    return false;
  }
}

async function removeAbandoned(folder: string, ids: Ids): Promise<void> {
  let lock: Awaited<ReturnType<typeof lockFolder>>;
  try {
    lock = await lockFolder(folder, ids);
  } catch (error) {
    if (error instanceof OperatorError) return;
    throw error;
  }
  // What cannot be removed harms nobody.
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  await lock.release();
}
