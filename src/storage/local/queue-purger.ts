import { readU64, u64 } from "./tuple.ts";
import type { Table, Tables } from "./tables.ts";
import type { Writer } from "./writer.ts";

/** How many rows of a table go in one transaction: about a millisecond. */
const CHUNK = 250;

/**
 * Frees what purged queues leave behind, a little in each turn of the event loop: a queue of a million messages would
 * hold everyone up for seconds. What a stop interrupts goes on with the next start.
 */
export class QueuePurger {
  readonly #tables: Tables;
  readonly #writer: Writer;
  #running = false;

  constructor(tables: Tables, writer: Writer) {
    this.#tables = tables;
    this.#writer = writer;
    this.start();
  }

  /** Notes, within a transaction, that a queue's rows are to go. */
  add(queue: number): void {
    this.#tables.purged.putSync(u64(queue), Buffer.alloc(0));
  }

  /** Goes on in the background until nothing is left. */
  start(): void {
    if (this.#running || this.#next() === undefined) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (await this.#writer.shrink(() => this.#step()));
    } catch {
      // Storage was closed; rows that stay are in nobody's way, and the next purge or start tries again.
    } finally {
      this.#running = false;
    }
  }

  #step(): boolean {
    const queue = this.#next();
    if (queue === undefined) return false;
    const { messages, bodies, due, groups, ages, purged } = this.#tables;
    for (const table of [bodies, messages, due, groups, ages]) if (clear(table, queue) > 0) return true;
    purged.removeSync(u64(queue));
    return true;
  }

  #next(): number | undefined {
    const [key] = this.#tables.purged.getKeys({ limit: 1 });
    return key && readU64(key, 0);
  }
}

function clear(table: Table, queue: number): number {
  const keys = Array.from(table.getKeys({ start: u64(queue), end: u64(queue + 1), limit: CHUNK }), (key) =>
    Buffer.from(key),
  );
  for (const key of keys) table.removeSync(key);
  return keys.length;
}
