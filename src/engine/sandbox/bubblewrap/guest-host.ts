import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { ScratchDisks } from "../disk/contract.ts";
import { findScratchDisks } from "../disk/find.ts";
import { runHere } from "../disk/run.ts";
import type { Starts } from "../lull.ts";
import { Spawner } from "../spawner/spawner.ts";
import type { SpawnerOptions } from "../spawner/spawner.ts";
import { Trees } from "./trees.ts";

export interface GuestHostOptions extends SpawnerOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  /** Who owns scratch disks that no environment has yet. */
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly filter: Buffer | undefined;
  readonly starts: Starts;
}

/** A spawner and what lives and dies with it: the mounts of scratch disks are its own. */
export interface GuestHost {
  readonly spawner: Spawner;
  readonly disks: ScratchDisks;
  readonly trees: Trees;
  /** The seccomp filter, in a file. */
  readonly filter: string | undefined;
  /** Where the files are that tell environments' guests of recalls: the folder itself, and as it is on the stage, to be read. */
  readonly recalls: { readonly folder: string; readonly staged: string };
  /** On the stage. */
  readonly emptyFolder: string;
  readonly emptyFile: string;
  close(): Promise<void>;
}

/** Environments of 512 MB /tmp that may start without waiting for a disk to be made; the most where many are expected. */
const SPARE_DISKS = { least: 4, most: 64 };

export async function openGuestHost(options: GuestHostOptions): Promise<GuestHost> {
  const { folder, clock, ids, owner } = options;
  const files = join(folder, "files");
  const recalls = join(folder, "recalls");
  const [emptyFolder, emptyFile, filter] = ["empty", "nothing", "seccomp.bpf"].map((name) =>
    join(files, name),
  ) as [string, string, string];
  await mkdir(emptyFolder, { recursive: true, mode: 0o755 });
  // Of guests that ended with an earlier spawner.
  await Promise.all([rm(filter, { force: true }), rm(recalls, { recursive: true, force: true })]);
  await mkdir(recalls, { mode: 0o700 });
  await Promise.all([writeFile(emptyFile, ""), writeFile(filter, options.filter ?? "")]);
  const spawner = await Spawner.open(options);
  const run = (argv: readonly string[]): Promise<string> =>
    spawner.dead ? runHere(argv) : spawner.run(argv);
  try {
    const [disks, ...staged] = await Promise.all([
      findScratchDisks({
        folder: spawner.disks,
        owner,
        run,
        // A spawner that has ended took its view of them along.
        seenAt: (path) => (spawner.dead ? path : spawner.staged(path)),
        spares: SPARE_DISKS,
        clock,
        ids,
        starts: options.starts,
      }),
      spawner.stage(emptyFolder),
      spawner.stage(emptyFile),
      spawner.stage(recalls),
    ]);
    return {
      spawner,
      disks,
      trees: new Trees(),
      filter: options.filter === undefined ? undefined : filter,
      recalls: { folder: recalls, staged: staged[2] },
      emptyFolder: staged[0],
      emptyFile: staged[1],
      async close() {
        await disks.close().catch(() => undefined);
        await spawner.close();
      },
    };
  } catch (error) {
    await spawner.close();
    throw error;
  }
}
