/** Somebody whose turn it is. */
export interface Turn<T> {
  readonly key: string;
  readonly value: T;
}

/**
 * Whose turn it is among those who wait for a place, by key. Those of whom nothing is under way come before all others;
 * within both kinds they take turns in the order in which they came. So whoever has very much to do, or what takes long,
 * never comes before one who has just got something.
 */
export class Turns<T> {
  readonly #fresh = new Map<string, T>();
  readonly #others = new Map<string, T>();
  readonly #underWay = new Map<string, number>();

  get size(): number {
    return this.#fresh.size + this.#others.size;
  }

  /** Puts one behind those that wait already; does nothing for one of those. */
  add(key: string, value: T): void {
    if (this.#fresh.has(key) || this.#others.has(key)) return;
    (this.#underWay.has(key) ? this.#others : this.#fresh).set(key, value);
  }

  /** The next turn, which is over once `take` was called for it. */
  next(freshOnly: boolean): Turn<T> | undefined {
    const [first] = this.#fresh.size > 0 || freshOnly ? this.#fresh : this.#others;
    return first && { key: first[0], value: first[1] };
  }

  take(key: string): void {
    this.#fresh.delete(key);
    this.#others.delete(key);
  }

  /** How much of one's is under way. */
  underWay(key: string): number {
    return this.#underWay.get(key) ?? 0;
  }

  begin(key: string, count: number): void {
    this.#underWay.set(key, (this.#underWay.get(key) ?? 0) + count);
  }

  end(key: string, count: number): void {
    const left = (this.#underWay.get(key) ?? 0) - count;
    if (left > 0) return void this.#underWay.set(key, left);
    this.#underWay.delete(key);
    const waiting = this.#others.get(key);
    if (waiting === undefined) return;
    this.#others.delete(key);
    this.#fresh.set(key, waiting);
  }
}
