import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { ScratchDiskOptions, ScratchDisks } from "./contract.ts";
import type { Starts } from "../lull.ts";
import { ImageDisks } from "./image-disks.ts";
import { WatchedDisks } from "./watched-disks.ts";

export interface FindScratchDisksOptions extends ScratchDiskOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  /** See `ImageDisksOptions`. */
  readonly starts?: Starts;
}

/** The stronger method that works here, found out by making a disk. */
export async function findScratchDisks(options: FindScratchDisksOptions): Promise<ScratchDisks> {
  const images = new ImageDisks(options);
  try {
    await images.probe();
    return images;
  } catch {
    // No right to mount, no loop devices, no e2fsprogs, or a file system that cannot hold an image.
    await images.close();
    return new WatchedDisks(options);
  }
}
