import type { Blobs } from "./blobs.ts";
import type { Documents } from "./documents.ts";
import type { Journal } from "./journal.ts";
import type { Objects } from "./objects.ts";
import type { Queue } from "./queue.ts";

/** The ports over one data folder. */
export interface Storage {
  readonly documents: Documents;
  readonly queue: Queue;
  readonly journal: Journal;
  readonly blobs: Blobs;
  readonly objects: Objects;
  /** The data folder's path, for node-local things: unpacked code, sockets, installed runtimes. */
  readonly folder: string;
  /** Empties everything (`POST /_thaw/reset`). */
  reset(): Promise<void>;
  /** Waits for writes under way and closes. Idempotent. */
  close(): Promise<void>;
}
