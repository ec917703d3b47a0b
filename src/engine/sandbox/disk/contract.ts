import type { Enforcement } from "../contract.ts";

/**
 * Runs a command to its end and gives what it wrote to its standard output; rejects where its status is not 0, with what it
 * wrote to its standard error in the message. `argv[0]` is looked up in PATH and the sbin folders. Commands that mount run in
 * the mount namespace in which sandboxes are made, which need not be the caller's.
 */
export type Run = (argv: readonly string[]) => Promise<string>;

export interface ScratchDiskOptions {
  /** A folder of the platform's own, on disk (never tmpfs). What is in it belongs to the disks alone. */
  readonly folder: string;
  /** Who owns the root directory of each disk (mode 0700), as seen outside user namespaces. */
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly run: Run;
  /** Where what lies in `folder` is seen by `run`: mounted there alone. Default: at its own path. */
  readonly seenAt?: (path: string) => string;
  /** How many disks of 512 MB are kept ready, so that `take` need not make one: at least, and at most where demand is high. */
  readonly spares: { readonly least: number; readonly most: number };
}

/** Private /tmp folders of execution environments: on disk, never charged to a function's memory beyond page cache that is reclaimed on need. */
export interface ScratchDisks {
  /**
   * `image`: each is an ext4 file system in a file of its own, mounted by a loop device; a write beyond its size is refused
   * with ENOSPC. `watched`: each is a folder, its size is sampled while it is in use, and `exceeded` tells when it was too much.
   */
  readonly method: "image" | "watched";
  /**
   * An empty disk that nobody else has had: a spare one at once, else a new one within some ten milliseconds.
   * @param sizeMb EphemeralStorage, 512 to 10,240 MB of 1,048,576 bytes
   * @param exceeded called at most once, by `watched` alone: end the environment
   * @throws Error where the id is taken, or the host's disk is too full to make one
   */
  take(id: string, sizeMb: number, exceeded?: () => void): Promise<ScratchDisk>;
  /** A disk of this size may be taken soon. */
  expect(sizeMb: number): void;
  enforcement(): readonly Enforcement[];
  /** Unmounts and deletes what an earlier platform left in the folder. Call it before `take`. */
  clean(): Promise<void>;
  /** Releases every disk, the spare ones too. Idempotent. */
  close(): Promise<void>;
}

export interface ScratchDisk {
  readonly id: string;
  /** The directory to bind at /tmp, in `folder`: see `seenAt`. Mounted nosuid and nodev. */
  readonly path: string;
  readonly sizeMb: number;
  /** Whether its environment serves something; `watched` looks only then. Costs nothing. Starts true. */
  busy: boolean;
  /**
   * Its environment has it in a mount namespace of its own by now: the mount that it was started from may go. Idempotent.
   * Every start of a sandbox reads the whole table of mounts again and again, which must not grow with what runs.
   */
  held(): Promise<void>;
  /** Unmounts and deletes it, once no process of its environment is left. Idempotent. */
  release(): Promise<void>;
}
