import type { RootDatabase } from "lmdb";

import { RevisionConflict } from "../documents.ts";

interface Pending {
  run(): void;
  committed(): void;
  failed(error: unknown): void;
}

/**
 * Group commit: all operations that were handed in during one turn of the event loop share one transaction and one
 * flush to disk. An operation throws a RevisionConflict before its first write or not at all, so the others of the group
 * go on without it. Any other error (a full disk) may come half way through: it aborts the transaction for all of them.
 *
 * The transaction is LMDB's synchronous one: operations read what earlier ones of the group wrote, an error aborts,
 * and the flush (0.3 ms on an SSD) is shared. lmdb-js 3.5.6 never calls the callback of its asynchronous
 * `transaction()` back on Node 20.20, and that one could not be aborted either.
 */
export class Writer {
  readonly #env: RootDatabase;
  #pending: Pending[] = [];
  #closed = false;

  constructor(env: RootDatabase) {
    this.#env = env;
  }

  /** Runs `operation` in the next transaction; resolves with its result once that is on disk. `committed` runs before, in commit order. */
  run<T>(operation: () => T, committed?: (result: T) => void): Promise<T> {
    if (this.#closed) return Promise.reject(new Error("storage is closed"));
    return new Promise((resolve, reject) => {
      let outcome: { value: T } | { error: unknown } | undefined;
      if (this.#pending.length === 0) setImmediate(() => this.#commit());
      this.#pending.push({
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

  /** Commits what was handed in and takes nothing more. */
  close(): void {
    this.#commit();
    this.#closed = true;
  }

  #commit(): void {
    const group = this.#pending;
    if (group.length === 0) return;
    this.#pending = [];
    try {
      this.#env.transactionSync(() => {
        for (const pending of group) pending.run();
      });
    } catch (error) {
      for (const pending of group) pending.failed(error);
      return;
    }
    for (const pending of group) pending.committed();
  }
}
