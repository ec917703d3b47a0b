import type { QueueName } from "#storage/documents";

/** A queue whose turn it is. */
export interface Turn {
  readonly key: string;
  readonly queue: QueueName;
  /** Whether none of its messages is under way: it may not be kept waiting by the long runs of others. */
  readonly fresh: boolean;
}

/**
 * Whose turn it is among queues that may hold something. Queues of which nothing is under way come before all others;
 * within both kinds they take turns in the order in which they came. So a queue with very many messages, or with
 * messages that take long, never comes before one that has just got its first.
 */
export class Turns {
  readonly #fresh = new Map<string, QueueName>();
  readonly #others = new Map<string, QueueName>();
  readonly #underWay = new Map<string, number>();

  get size(): number {
    return this.#fresh.size + this.#others.size;
  }

  /** Puts a queue behind those that wait already; does nothing for one of those. */
  add(queue: QueueName, key = turnKey(queue)): void {
    if (this.#fresh.has(key) || this.#others.has(key)) return;
    (this.#underWay.has(key) ? this.#others : this.#fresh).set(key, queue);
  }

  /** The next turn, which is over once `take` was called for it. */
  next(freshOnly: boolean): Turn | undefined {
    const [first] = this.#fresh;
    if (first !== undefined) return { key: first[0], queue: first[1], fresh: true };
    const [other] = freshOnly ? [] : this.#others;
    return other && { key: other[0], queue: other[1], fresh: false };
  }

  take(key: string): void {
    this.#fresh.delete(key);
    this.#others.delete(key);
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

export function turnKey(queue: QueueName): string {
  return JSON.stringify(queue);
}
