import type { QueueName } from "../documents.ts";
import type { Tables } from "./tables.ts";
import { decodeTuple, encodeTuple, readU64, u64 } from "./tuple.ts";

/** How many rows that have ended one append removes: more than it adds, so that they cannot pile up. */
const TIDY = 3;

/** What was appended lately under a key, within a transaction. */
export class QueueOnce {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** The sequence of the message that the queue took with `key`; `undefined` where that was too long ago. */
  find(queue: QueueName, key: string, now: number): number | undefined {
    const row = this.#tables.once.get([...queue, key]);
    return row === undefined || readU64(row, 0) <= now ? undefined : readU64(row, 8);
  }

  remember(queue: QueueName, key: string, sequence: number, now: number, until: number): void {
    const { once, onceEnds } = this.#tables;
    this.tidy(now, TIDY);
    once.put([...queue, key], u64(until, sequence));
    onceEnds.putSync(u64(until, sequence), encodeTuple([...queue, key]));
  }

  tidy(now: number, max: number): void {
    const { once, onceEnds } = this.#tables;
    const ended = Array.from(onceEnds.getRange({ end: u64(now + 1), limit: max }), ({ key, value }) => ({
      key: Buffer.from(key),
      name: decodeTuple(Buffer.from(value)),
    }));
    for (const { key, name } of ended) {
      onceEnds.removeSync(key);
      const row = once.get(name);
      // A later message may have taken the key since.
      if (row !== undefined && readU64(row, 0) <= now) once.remove(name);
    }
  }
}
