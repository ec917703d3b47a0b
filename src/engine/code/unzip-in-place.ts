import type { UnzipLimits } from "./entries.ts";
import { findUnpacked } from "./find-unpacked.ts";
import { mergeFolders } from "./merge.ts";
import { unzip } from "./unzip.ts";

/** How packages are unpacked, found again, and merged. */
export interface Unzip {
  /** Unpacks `archive` into the empty folder `target`. @returns the bytes of all files @throws BadArchive */
  unzip(archive: string, target: string, limits: UnzipLimits): Promise<number>;
  /** As `findUnpacked`. */
  find(archive: string, folder: string, limits: UnzipLimits): Promise<number | undefined>;
  /** As `mergeFolders`. @param archiveBytes of all that the folders were unpacked from, which tells how much there is to do */
  merge(folders: readonly string[], target: string, archiveBytes: number): Promise<void>;
}

/** In the calling thread. */
export const unzipInPlace: Unzip = { unzip, find: findUnpacked, merge: mergeFolders };
