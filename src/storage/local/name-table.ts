import { createHash } from "node:crypto";

import type { Database } from "lmdb";

import { decodeTuple, encodeTuple, prefixEnd, type Element } from "./tuple.ts";

export interface Row {
  readonly key: readonly Element[];
  readonly value: Buffer;
}

export interface RangeOptions {
  readonly after?: readonly Element[] | undefined;
  readonly limit?: number | undefined;
  readonly reverse?: boolean | undefined;
}

/** LMDB takes keys of 1,978 bytes; a key longer than this is stored as this many of its bytes and a hash. */
const HEAD = 1900;

/**
 * An LMDB table under tuples of any length. A log group and a log stream of 512 characters each can be 2,100 bytes of
 * UTF-8, more than an LMDB key holds: such a key is stored as its head and a hash, whole in the value, and rows that
 * share a head (they lie together) are sorted by their whole keys when read. So order and paging stay exact.
 */
export class NameTable {
  readonly #table: Database<Buffer, Buffer>;

  constructor(table: Database<Buffer, Buffer>) {
    this.#table = table;
  }

  get(key: readonly Element[]): Buffer | undefined {
    const stored = this.#table.get(storedKey(encodeTuple(key)));
    return stored?.subarray(2 + stored.readUInt16BE(0));
  }

  put(key: readonly Element[], value: Buffer): void {
    const encoded = encodeTuple(key);
    const whole = encoded.length > HEAD ? encoded : Buffer.alloc(0);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(whole.length);
    this.#table.putSync(storedKey(encoded), Buffer.concat([length, whole, value]));
  }

  remove(key: readonly Element[]): void {
    this.#table.removeSync(storedKey(encodeTuple(key)));
  }

  *range(prefix: readonly (Element | undefined)[], options: RangeOptions = {}): Iterable<Row> {
    const { reverse = false, limit = Number.POSITIVE_INFINITY } = options;
    const low = encodeTuple(prefix);
    const high = prefixEnd(low);
    const after = options.after === undefined ? undefined : encodeTuple(options.after);
    let left = limit;
    if (left <= 0) return;
    for (const row of this.#inOrder(low, high, after, reverse)) {
      if (row.encoded.compare(low) < 0 || row.encoded.compare(high) >= 0) continue;
      if (after !== undefined && row.encoded.compare(after) * (reverse ? -1 : 1) <= 0) continue;
      yield { key: decodeTuple(row.encoded), value: row.value };
      if (--left <= 0) return;
    }
  }

  *#inOrder(low: Buffer, high: Buffer, after: Buffer | undefined, reverse: boolean): Iterable<Encoded> {
    const from = after !== undefined && !reverse && after.compare(low) > 0 ? after : low;
    const to = after !== undefined && reverse && after.compare(high) < 0 ? after : high;
    const start = from.subarray(0, HEAD);
    const end =
      to.length > HEAD
        ? prefixEnd(Buffer.concat([to.subarray(0, HEAD), Buffer.alloc(34, 0xff)]))
        : prefixEnd(to);
    const rows = this.#table.getRange(
      reverse ? { start: end, end: start, inclusiveEnd: true, reverse } : { start, end },
    );
    let run: Encoded[] = [];
    for (const { key, value } of rows) {
      const length = value.readUInt16BE(0);
      const encoded = length === 0 ? Buffer.from(key) : Buffer.from(value.subarray(2, 2 + length));
      const row = { encoded, value: Buffer.from(value.subarray(2 + length)) };
      if (run[0] !== undefined && !sameHead(run[0].encoded, encoded)) {
        yield* sorted(run, reverse);
        run = [];
      }
      if (encoded.length < HEAD) yield row;
      else run.push(row);
    }
    yield* sorted(run, reverse);
  }
}

interface Encoded {
  readonly encoded: Buffer;
  readonly value: Buffer;
}

function sorted(run: readonly Encoded[], reverse: boolean): readonly Encoded[] {
  return run.toSorted((a, b) => a.encoded.compare(b.encoded) * (reverse ? -1 : 1));
}

function sameHead(a: Buffer, b: Buffer): boolean {
  return a.subarray(0, HEAD).equals(b.subarray(0, HEAD));
}

function storedKey(encoded: Buffer): Buffer {
  if (encoded.length <= HEAD) return encoded;
  return Buffer.concat([encoded.subarray(0, HEAD), createHash("sha256").update(encoded).digest()]);
}
