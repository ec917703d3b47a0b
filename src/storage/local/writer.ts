import type { RootDatabase } from "lmdb";

import { RevisionConflict } from "../documents.ts";

interface Pending {
  /** Whether it leaves more in the storage than there was. */
  readonly grows: boolean;
  run(): void;
  committed(): void;
  failed(error: unknown): void;
}

/** What stays free on the data folder's disk: for what makes room, and for what this process does not know of. */
const RESERVE_BYTES = 32 * 1024 * 1024;

/** Below this, not even what makes room is tried. */
const FLOOR_BYTES = 1024 * 1024;

/** Nothing more can be kept. Who reads it is an operator: clients are answered an internal failure. */
export class StorageFull extends Error {
  constructor(free: number) {
    super(`the data folder's disk is full: ${free} bytes are free, and ${RESERVE_BYTES} are kept in reserve`);
    this.name = "StorageFull";
  }
}

/** What a group waits at most for more operations, as a share of what the last flush took. */
const WAITED_SHARE = 0.5;

/**
 * Group commit: all operations that were handed in during one turn of the event loop, and during the next ones as long as
 * each brings more of them, share one transaction and one flush to disk. An operation throws a RevisionConflict before its
 * first write or not at all, so the others of the group go on without it. Any other error (a full disk) may come half way
 * through: it aborts the transaction for all of them.
 *
 * The transaction is LMDB's synchronous one: operations read what earlier ones of the group wrote, an error aborts,
 * and the flush (0.3 ms on an SSD) is shared. lmdb-js 3.5.6 never calls the callback of its asynchronous
 * `transaction()` back on Node 20.20, and that one could not be aborted either.
 *
 * What would grow is refused while the disk has less than a reserve left (a look takes 4 µs); what makes room goes on. LMDB
 * itself must not meet a full disk: the message that lmdb 3.5.6 writes of one can be longer than its buffer, and the
 * process is aborted (test/scale/full-disk.test.ts).
 */
export class Writer {
  readonly #env: RootDatabase;
  readonly #free: () => number;
  readonly #now: () => number;
  #pending: Pending[] = [];
  /** Of the pending ones, those that were there one turn ago. */
  #seen = 0;
  #firstAt = 0;
  #flushMs = 0;
  #closed = false;

  /** @param free bytes that the disk has left @param now milliseconds, of a clock that is never set */
  constructor(
    env: RootDatabase,
    free: () => number = () => Infinity,
    now: () => number = () => performance.now(),
  ) {
    this.#env = env;
    this.#free = free;
    this.#now = now;
  }

  /**
   * Runs `operation` in the next transaction; resolves with its result once that is on disk. `committed` runs before, in
   * commit order. Rejects with StorageFull where there is no room.
   */
  run<T>(operation: () => T, committed?: (result: T) => void): Promise<T> {
    return this.#queue(true, operation, committed);
  }

  /** The same for what leaves no more in the storage than there was: it runs on a full disk, too. */
  shrink<T>(operation: () => T, committed?: (result: T) => void): Promise<T> {
    return this.#queue(false, operation, committed);
  }

  #queue<T>(grows: boolean, operation: () => T, committed?: (result: T) => void): Promise<T> {
    if (this.#closed) return Promise.reject(new Error("storage is closed"));
    return new Promise((resolve, reject) => {
      let outcome: { value: T } | { error: unknown } | undefined;
      if (this.#pending.length === 0) this.#open();
      this.#pending.push({
        grows,
        run: () => {
          try {
            outcome = { value: operation() };
          } catch (error) {
            if (!(error instanceof RevisionConflict)) throw error;
            outcome = { error };
          }
        },
        committed: () => {
          if (outcome === undefined) return;
          if ("error" in outcome) return reject(outcome.error);
          resolve(outcome.value);
          try {
            committed?.(outcome.value);
          } catch (error) {
            process.emitWarning(error instanceof Error ? error : String(error));
          }
        },
        failed: reject,
      });
    });
  }

  #open(): void {
    this.#seen = 0;
    this.#firstAt = this.#now();
    setImmediate(this.#turn);
  }

  /** A slow disk makes larger groups: what a group waits for, it would have waited for behind another flush. */
  readonly #turn = (): void => {
    const more = this.#pending.length > this.#seen;
    this.#seen = this.#pending.length;
    if (more && this.#now() - this.#firstAt < this.#flushMs * WAITED_SHARE) setImmediate(this.#turn);
    else this.#commit();
  };

  /** Commits what was handed in and takes nothing more. */
  close(): void {
    this.#commit();
    this.#closed = true;
  }

  /** Those of a group's operations that there is room for; the others have failed. */
  #admitted(group: readonly Pending[]): readonly Pending[] {
    const free = this.#free();
    if (free >= RESERVE_BYTES) return group;
    const fits = ({ grows }: Pending): boolean => !grows && free >= FLOOR_BYTES;
    const full = new StorageFull(free);
    for (const pending of group) if (!fits(pending)) pending.failed(full);
    return group.filter(fits);
  }

  #commit(): void {
    let group: readonly Pending[] = this.#pending;
    this.#pending = [];
    if (group.length === 0) return;
    try {
      group = this.#admitted(group);
      if (group.length === 0) return;
      let ranAt = 0;
      this.#env.transactionSync(() => {
        for (const pending of group) pending.run();
        ranAt = this.#now();
      });
      this.#flushMs = this.#now() - ranAt;
    } catch (error) {
      for (const pending of group) pending.failed(error);
      return;
    }
    for (const pending of group) pending.committed();
  }
}
