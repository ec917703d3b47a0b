import type { Clock } from "#core/clock";
import type { Deployments } from "./deployments.ts";
import type { FolderUse } from "./folder-use.ts";

/** Longer than any invocation takes, and than a record takes to be written for code that was stored. */
export const GRACE_MS = 20 * 60_000;

/** Unpacked code of one kind, one folder a name. */
export interface CodeFolders {
  names(): Promise<readonly string[]>;
  path(name: string): string;
  /**
   * Removes a folder, and the blobs that only it was made of: blobs are code's alone, nobody else stores any. In an order that a crash may break off anywhere: what is left
   * is found again. @returns what deletes the files, which may take long
   */
  discard(name: string): Promise<() => Promise<void>>;
}

export interface Reclaimed {
  /** Folders that were given back. */
  readonly removed: number;
  /** Those that nothing needs, but that have not rested for long enough. */
  readonly waiting: number;
}

export interface ReclaimerOptions {
  readonly clock: Clock;
  readonly use: FolderUse;
  readonly deployments: Deployments;
  readonly stores: readonly CodeFolders[];
  /** A folder has gone: whatever was kept for its next use may go as well. */
  readonly onGone: (folder: string) => void;
}

/** Gives back the room of code that nothing refers to any more and no environment uses. */
export class Reclaimer {
  readonly #options: ReclaimerOptions;
  /** Since when each folder has been without a reference. */
  readonly #since = new Map<string, number>();

  constructor(options: ReclaimerOptions) {
    this.#options = options;
  }

  /** @param kept names of folders that something refers to */
  async reclaim(kept: ReadonlySet<string>): Promise<Reclaimed> {
    const { deployments } = this.#options;
    const { due, waiting } = await this.#due(kept);
    const emptying: (() => Promise<void>)[] = [];
    const removed =
      due.length > 0 &&
      (await deployments.without(async () => {
        for (const each of due)
          // Used again while this was waited for.
          if (this.#rests(each.folder))
            // oxlint-disable-next-line no-await-in-loop
            emptying.push(await this.#discard(each));
      }));
    for (const empty of emptying)
      // oxlint-disable-next-line no-await-in-loop
      await empty();
    return { removed: emptying.length, waiting: removed ? waiting : waiting + due.length };
  }

  async #due(kept: ReadonlySet<string>): Promise<{ due: Due[]; waiting: number }> {
    const now = this.#options.clock.monotonic();
    const due: Due[] = [];
    const seen = new Set<string>();
    for (const store of this.#options.stores)
      // oxlint-disable-next-line no-await-in-loop
      for (const name of await store.names()) {
        const folder = store.path(name);
        if (kept.has(name)) continue;
        seen.add(folder);
        const since = this.#since.get(folder) ?? now;
        this.#since.set(folder, since);
        if (now - since >= GRACE_MS && this.#rests(folder)) due.push({ store, name, folder });
      }
    // What is referred to again, or gone, starts from the beginning.
    for (const folder of this.#since.keys()) if (!seen.has(folder)) this.#since.delete(folder);
    return { due, waiting: seen.size - due.length };
  }

  #rests(folder: string): boolean {
    return this.#options.use.restingMs(folder) >= GRACE_MS;
  }

  async #discard({ store, name, folder }: Due): Promise<() => Promise<void>> {
    const empty = await store.discard(name);
    this.#since.delete(folder);
    this.#options.use.forget(folder);
    this.#options.onGone(folder);
    return empty;
  }
}

interface Due {
  readonly store: CodeFolders;
  readonly name: string;
  readonly folder: string;
}
