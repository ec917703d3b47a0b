import { stat } from "node:fs/promises";
import type { Clock } from "#core/clock";
import { WorkerThread } from "#core/worker-thread";
import { BadArchive, type UnzipLimits } from "./entries.ts";
import { type Unzip, unzipInPlace } from "./unzip-in-place.ts";

/**
 * Smaller archives are unpacked in place: starting a thread would take longer, and their few hundred entries at the most
 * do not add up. One of 50 MB with 20,000 files keeps a thread busy for a second and more.
 */
const SMALL_ARCHIVE_BYTES = 64 * 1024;

/** Archives that are unpacked side by side, so that a small one does not wait for a large one. */
const PARALLEL = 8;

interface ArchiveJob {
  readonly task: "unzip" | "find";
  readonly archive: string;
  readonly folder: string;
  readonly limits: UnzipLimits;
}

interface MergeJob {
  readonly task: "merge";
  readonly folders: readonly string[];
  readonly target: string;
}

export type UnzipJob = ArchiveJob | MergeJob;

/** What the task comes to, or a BadArchive as it passes between threads. */
export type UnzipOutcome =
  | { readonly bytes: number | undefined }
  | { readonly refused: { readonly kind: BadArchive["kind"]; readonly message: string } };

export interface UnzipThreadOptions {
  readonly clock: Clock;
  /** The compiled `unzip-worker.ts`; by default the one beside this module, which is right once both are compiled. */
  readonly workerUrl?: URL;
}

/** Works on large archives in a thread of their own, which starts with the first and ends when none has come for a while. */
export function createUnzipThread(options: UnzipThreadOptions): Unzip & { close(): Promise<void> } {
  const { clock, workerUrl = new URL("./unzip-worker.js", import.meta.url) } = options;
  const thread = new WorkerThread<UnzipJob, UnzipOutcome>({ url: workerUrl, clock, parallel: PARALLEL });
  const run = async (job: ArchiveJob): Promise<number | undefined> => {
    const { task, archive, folder, limits } = job;
    if ((await stat(archive)).size <= SMALL_ARCHIVE_BYTES) return unzipInPlace[task](archive, folder, limits);
    const outcome = await thread.run(job);
    if ("refused" in outcome) throw new BadArchive(outcome.refused.kind, outcome.refused.message);
    return outcome.bytes;
  };
  const merge: Unzip["merge"] = async (folders, target, archiveBytes) => {
    if (archiveBytes <= SMALL_ARCHIVE_BYTES) await unzipInPlace.merge(folders, target, archiveBytes);
    else await thread.run({ task: "merge", folders, target });
  };
  return {
    unzip: async (archive, folder, limits) => (await run({ task: "unzip", archive, folder, limits })) ?? 0,
    find: (archive, folder, limits) => run({ task: "find", archive, folder, limits }),
    merge,
    close: () => thread.close(),
  };
}
