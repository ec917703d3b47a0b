/**
 * Lets work pass side by side, and now and then something alone: it waits for all work under way, and whatever comes
 * meanwhile waits for it.
 */
export class Turnstile {
  #inside = 0;
  #emptied: (() => void) | undefined;
  /** The last of those that want to be alone; settles when it is done. */
  #alone: Promise<void> | undefined;

  async pass<T>(work: () => Promise<T>): Promise<T> {
    while (this.#alone !== undefined) await this.#alone;
    this.#inside++;
    try {
      return await work();
    } finally {
      this.#inside--;
      if (this.#inside === 0) this.#emptied?.();
    }
  }

  async alone<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#alone;
    let done = (): void => {};
    const mine = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#alone = mine;
    try {
      await before;
      if (this.#inside > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
      return await work();
    } finally {
      this.#emptied = undefined;
      if (this.#alone === mine) this.#alone = undefined;
      done();
    }
  }
}
