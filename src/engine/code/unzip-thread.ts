import { stat } from "node:fs/promises";
import type { Clock } from "#core/clock";
import { WorkerThread } from "#core/worker-thread";
import { BadArchive, type UnzipLimits } from "./entries.ts";
import { unzip } from "./unzip.ts";

/** Unpacks `archive` into the empty folder `target`; see `unzip`. @returns the bytes of all files @throws BadArchive */
export type Unzip = (archive: string, target: string, limits: UnzipLimits) => Promise<number>;

/**
 * Smaller archives are unpacked in place: starting a thread would take longer, and their few hundred entries at the most
 * do not add up. One of 50 MB with 20,000 files keeps a thread busy for a second and more.
 */
const SMALL_ARCHIVE_BYTES = 64 * 1024;

/** Archives that are unpacked side by side, so that a small one does not wait for a large one. */
const PARALLEL = 8;

export interface UnzipJob {
  readonly archive: string;
  readonly target: string;
  readonly limits: UnzipLimits;
}

/** The bytes of all files, or a BadArchive as it passes between threads. */
export type UnzipOutcome =
  | { readonly bytes: number }
  | { readonly refused: { readonly kind: BadArchive["kind"]; readonly message: string } };

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
      const outcome = await thread.run({ archive, target, limits });
      if ("refused" in outcome) throw new BadArchive(outcome.refused.kind, outcome.refused.message);
      return outcome.bytes;
    },
    close: () => thread.close(),
  };
}
