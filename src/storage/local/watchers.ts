/** Listeners by prefix of whole elements. */
export class Watchers<T> {
  readonly #all = new Set<{ prefix: readonly unknown[]; listener: (event: T) => void }>();

  add(prefix: readonly unknown[], listener: (event: T) => void): () => void {
    const watcher = { prefix: [...prefix], listener };
    this.#all.add(watcher);
    return () => void this.#all.delete(watcher);
  }

  /** `event` is made only where somebody listens. A listener that throws is reported and disturbs nobody else. */
  notify(key: readonly unknown[], event: () => T): void {
    for (const { prefix, listener } of this.#all) {
      if (!prefix.every((element, index) => element === key[index])) continue;
      try {
        listener(event());
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }
}
