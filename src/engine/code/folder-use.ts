import type { Clock } from "#core/clock";

/** Which of the unpacked folders are in use: environments hold theirs, and whoever asked for one may be about to start one. */
export class FolderUse {
  readonly #clock: Clock;
  readonly #holders = new Map<string, number>();
  readonly #asked = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Somebody was given the folder's path. */
  ask(folder: string): void {
    this.#asked.set(folder, this.#clock.monotonic());
  }

  /** An environment has them in its view until the returned function is called. */
  hold(folders: readonly (string | undefined)[]): () => void {
    const held = folders.filter((folder) => folder !== undefined);
    for (const folder of held) this.#holders.set(folder, (this.#holders.get(folder) ?? 0) + 1);
    return () => {
      for (const folder of held.splice(0)) {
        const left = (this.#holders.get(folder) ?? 1) - 1;
        if (left > 0) this.#holders.set(folder, left);
        else this.#holders.delete(folder);
        this.ask(folder);
      }
    };
  }

  /** How long nobody has used it, in milliseconds; as long as can be where nobody did since the platform's start. */
  restingMs(folder: string): number {
    if (this.#holders.has(folder)) return 0;
    const asked = this.#asked.get(folder);
    return asked === undefined ? Infinity : this.#clock.monotonic() - asked;
  }

  forget(folder: string): void {
    this.#asked.delete(folder);
  }
}
