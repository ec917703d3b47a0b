/** Lets pieces of work of the same key run one after the other, and those of different keys at once. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs work once all that came before it under its key has ended, well or not. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work, work);
    this.#last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }
}
