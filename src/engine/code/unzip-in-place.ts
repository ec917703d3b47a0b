import type { UnzipLimits } from "./entries.ts";
import { findUnpacked } from "./find-unpacked.ts";
import { unzip } from "./unzip.ts";

/** How packages are unpacked, and found again. */
export interface Unzip {
  /** Unpacks `archive` into the empty folder `target`. @returns the bytes of all files @throws BadArchive */
  unzip(archive: string, target: string, limits: UnzipLimits): Promise<number>;
  /** As `findUnpacked`. */
  find(archive: string, folder: string, limits: UnzipLimits): Promise<number | undefined>;
}

/** In the calling thread. */
export const unzipInPlace: Unzip = { unzip, find: findUnpacked };
