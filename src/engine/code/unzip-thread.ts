import { stat } from "node:fs/promises";
import type { Clock } from "#core/clock";
import { WorkerThread } from "#core/worker-thread";
import { BadArchive, unzip, type UnzipLimits } from "./unzip.ts";

/** Unpacks `archive` into the empty folder `target`; see `unzip`. @throws BadArchive */
export type Unzip = (archive: string, target: string, limits: UnzipLimits) => Promise<void>;

/**
 * Smaller archives are unpacked in place: starting a thread would take longer, and their 2,500 entries at the most do
 * not add up. One of 50 MB with 20,000 files keeps a thread busy for seconds.
 */
const SMALL_ARCHIVE_BYTES = 256 * 1024;

/** Archives that are unpacked side by side, so that a small one does not wait for a large one. */
const PARALLEL = 8;

export interface UnzipJob {
  readonly archive: string;
  readonly target: string;
  readonly limits: UnzipLimits;
}

/** A BadArchive as it passes between threads. */
export interface UnzipOutcome {
  readonly refused: { readonly kind: BadArchive["kind"]; readonly message: string } | undefined;
}

export interface UnzipThreadOptions {
  readonly clock: Clock;
  /** The compiled `unzip-worker.ts`; by default the one beside this module, which is right once both are compiled. */
  readonly workerUrl?: URL;
}

/** Unpacks large archives in a thread of their own, which starts with the first and ends when none has come for a while. */
export function createUnzipThread(options: UnzipThreadOptions): { unzip: Unzip; close(): Promise<void> } {
  const { clock, workerUrl = new URL("./unzip-worker.js", import.meta.url) } = options;
  const thread = new WorkerThread<UnzipJob, UnzipOutcome>({ url: workerUrl, clock, parallel: PARALLEL });
  return {
    async unzip(archive, target, limits) {
      if ((await stat(archive)).size <= SMALL_ARCHIVE_BYTES) return unzip(archive, target, limits);
      const { refused } = await thread.run({ archive, target, limits });
      if (refused !== undefined) throw new BadArchive(refused.kind, refused.message);
    },
    close: () => thread.close(),
  };
}
