import { open, type FileHandle } from "node:fs/promises";

import type {
  Journal,
  JournalRecord,
  ReadOptions,
  RecordBlock,
  StoredRecord,
  StreamInfo,
  StreamName,
} from "../journal.ts";
import { hasCode } from "./files.ts";
import { decodeFrame, encodeFrame, recordsOf } from "./frames.ts";
import type { Segments } from "./segments.ts";
import {
  chunks,
  putChunk,
  putStreamRow,
  seekTime,
  streamInfo,
  streamRow,
  type Chunk,
  type StreamRow,
} from "./streams.ts";
import type { Tables } from "./tables.ts";
import { encodeTuple, u64 } from "./tuple.ts";
import type { Writer } from "./writer.ts";

type ScanRange = Pick<ReadOptions, "from" | "to">;
type Batch = { stream: StreamName; records: readonly JournalRecord[] };
type Appending = { batches: readonly Batch[]; resolve: () => void; reject: (error: unknown) => void };

/** Frames stay near this size, so that a read by time does not decode much that it does not want. */
const FRAME_BYTES = 64 * 1024;
const FRAME_RECORDS = 1000;

/**
 * Streams in shared segment files, their index in LMDB. Appends that come while others are being written are written
 * together: one flush of the segment, then one transaction that makes the frames visible. Appends, trims and removals
 * follow one another; reads do not wait.
 */
export class LocalJournal implements Journal {
  readonly #tables: Tables;
  readonly #writer: Writer;
  readonly #segments: Segments;
  #pending: Appending[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(tables: Tables, writer: Writer, segments: Segments) {
    this.#tables = tables;
    this.#writer = writer;
    this.#segments = segments;
  }

  async append(batches: readonly Batch[]): Promise<void> {
    for (const { stream, records } of batches) {
      encodeTuple(stream);
      for (const { time } of records)
        if (!Number.isSafeInteger(time) || time < 0)
          throw new TypeError(`time must be whole epoch milliseconds: ${time}`);
    }
    await new Promise<void>((resolve, reject) => {
      this.#pending.push({ batches, resolve, reject });
      if (this.#pending.length === 1) void this.exclusive(() => this.#flush());
    });
  }

  /** Runs `work` when all appends, trims and removals before it are done. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #flush(): Promise<void> {
    const group = this.#pending;
    this.#pending = [];
    try {
      await this.#write(group.flatMap(({ batches }) => batches));
      for (const { resolve } of group) resolve();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  async #write(batches: readonly Batch[]): Promise<void> {
    const merged = new Map<string, { stream: StreamName; records: JournalRecord[] }>();
    for (const { stream, records } of batches) {
      const name = JSON.stringify(stream);
      const entry = merged.get(name) ?? { stream, records: [] };
      for (const record of records) entry.records.push(record);
      merged.set(name, entry);
    }
    // A new stream's id is taken from the folder's counter first, as its frames carry it.
    const rows = await this.#writer.run(() =>
      Array.from(merged.values(), ({ stream, records }) => {
        const row = streamRow(this.#tables, stream) ?? {
          id: this.#tables.next(),
          firstSequence: 0,
          nextSequence: 0,
          firstTime: 0,
          lastTime: 0,
          bytes: 0,
        };
        return { stream, records, row };
      }),
    );
    const frames: Buffer[] = [];
    const indexed: { stream: number; chunk: Chunk }[] = [];
    let offset = 0;
    for (const { records, row } of rows) {
      for (const part of split(raise(records, row.lastTime))) {
        const [first, last] = [part[0]?.time ?? 0, part.at(-1)?.time ?? 0];
        const frame = encodeFrame(row.id, row.nextSequence, part);
        const chunk = {
          firstSequence: row.nextSequence,
          segment: 0,
          offset,
          length: frame.length,
          firstTime: first,
          lastTime: last,
        };
        indexed.push({ stream: row.id, chunk });
        frames.push(frame);
        offset += frame.length;
        if (row.firstSequence === row.nextSequence) row.firstTime = first;
        row.nextSequence += part.length;
        row.lastTime = last;
        row.bytes += bodyBytes(part);
      }
    }
    const place = frames.length === 0 ? undefined : await this.#segments.write(Buffer.concat(frames));
    await this.#writer.run(() => {
      for (const { stream, row } of rows) putStreamRow(this.#tables, stream, row);
      if (place === undefined) return;
      for (const { stream, chunk } of indexed)
        putChunk(this.#tables, stream, {
          ...chunk,
          segment: place.segment,
          offset: place.offset + chunk.offset,
        });
      this.#segments.commit(place, offset);
    });
    await this.#segments.rotateWhenFull();
  }

  async read(stream: StreamName, options: ReadOptions = {}): Promise<readonly StoredRecord[]> {
    for (;;) {
      const row = streamRow(this.#tables, stream);
      if (row === undefined) return [];
      try {
        return await this.#read(row, options);
      } catch (error) {
        // A trim or removal took the segment away meanwhile: the index knows better now. Otherwise it is missing for good.
        const now = streamRow(this.#tables, stream);
        if (hasCode(error, "ENOENT") && (now?.id !== row.id || now.firstSequence !== row.firstSequence))
          continue;
        throw error;
      }
    }
  }

  async #read(row: StreamRow, options: ReadOptions): Promise<StoredRecord[]> {
    const {
      from = 0,
      to = Number.POSITIVE_INFINITY,
      afterSequence,
      reverse = false,
      limit = Number.POSITIVE_INFINITY,
    } = options;
    const low =
      afterSequence === undefined || reverse
        ? row.firstSequence
        : Math.max(row.firstSequence, afterSequence + 1);
    const high =
      afterSequence === undefined || !reverse ? row.nextSequence : Math.min(row.nextSequence, afterSequence);
    const start = from > row.firstTime ? seekTime(this.#tables, row.id, low, high, from) : low;
    // The chunk that reaches `to` may begin before it, and holds no more than FRAME_RECORDS.
    const end =
      to <= row.lastTime
        ? Math.min(high, seekTime(this.#tables, row.id, low, high, to) + FRAME_RECORDS)
        : high;
    const found: StoredRecord[] = [];
    if (limit <= 0) return found;
    const files = new Files(this.#segments);
    try {
      // The list is taken at once: an LMDB cursor does not outlive this turn of the event loop.
      for (const chunk of bounded(chunks(this.#tables, row.id, start, end, reverse), to, from, limit)) {
        const records = decodeFrame(await files.read(chunk), row.id, chunk.firstSequence);
        for (const record of reverse ? records.toReversed() : records) {
          const { sequence, time } = record;
          if (sequence < low || sequence >= high || time < from || time >= to) continue;
          found.push(record);
          if (found.length >= limit) return found;
        }
      }
      return found;
    } finally {
      await files.close();
    }
  }

  async *scan(stream: StreamName, { from = 0, to = Infinity }: ScanRange = {}): AsyncGenerator<RecordBlock> {
    const row = streamRow(this.#tables, stream);
    if (row === undefined) return;
    const { id, firstSequence: low, nextSequence: high } = row;
    const start = from > row.firstTime ? seekTime(this.#tables, id, low, high, from) : low;
    const files = new Files(this.#segments);
    try {
      for (const chunk of bounded(chunks(this.#tables, id, start, high), to, from, Infinity)) {
        const frame = await files.read(chunk).catch((error: unknown) => {
          const now = streamRow(this.#tables, stream);
          // Trimmed or removed meanwhile; otherwise the segment is missing for good.
          if (!hasCode(error, "ENOENT") || (now?.id === id && now.firstSequence <= chunk.firstSequence))
            throw error;
        });
        if (frame !== undefined)
          yield blockOf(recordsOf(frame, id, chunk.firstSequence), chunk.firstSequence, low);
      }
    } finally {
      await files.close();
    }
  }

  info(stream: StreamName): StreamInfo | undefined {
    const row = streamRow(this.#tables, stream);
    return row && streamInfo(row);
  }

  streams(prefix: readonly string[]): readonly StreamName[] {
    return Array.from(this.#tables.streams.range(prefix), ({ key }) => key as unknown as StreamName);
  }

  trim(stream: StreamName, before: number): Promise<void> {
    return this.exclusive(async () => {
      const row = streamRow(this.#tables, stream);
      if (row === undefined || row.firstSequence === row.nextSequence || row.firstTime >= before) return;
      const [first] = await this.#read(row, { from: before, limit: 1 });
      const bytes = bodyBytes(await this.#read(row, { to: before }));
      const kept = first?.sequence ?? row.nextSequence;
      const dead = await this.#writer.shrink(() => {
        for (const chunk of Array.from(chunks(this.#tables, row.id, row.firstSequence, kept)))
          if (chunk.lastTime < before) this.#forget(row.id, chunk);
        const firstTime = first?.time ?? row.lastTime;
        putStreamRow(this.#tables, stream, {
          ...row,
          firstSequence: kept,
          firstTime,
          bytes: row.bytes - bytes,
        });
        return this.#forgetDead();
      });
      await this.#segments.unlink(dead);
    });
  }

  remove(prefix: readonly string[]): Promise<void> {
    return this.exclusive(async () => {
      const dead = await this.#writer.shrink(() => {
        for (const stream of this.streams(prefix)) {
          const row = streamRow(this.#tables, stream);
          if (row === undefined) continue;
          for (const chunk of Array.from(chunks(this.#tables, row.id, 0, row.nextSequence)))
            this.#forget(row.id, chunk);
          this.#tables.streams.remove(stream);
        }
        return this.#forgetDead();
      });
      await this.#segments.unlink(dead);
    });
  }

  #forget(stream: number, chunk: Chunk): void {
    this.#tables.chunks.removeSync(u64(stream, chunk.firstSequence));
    this.#segments.release(chunk.segment, chunk.length);
  }

  #forgetDead(): readonly number[] {
    const dead = this.#segments.dead();
    for (const id of dead) this.#tables.segments.removeSync(u64(id));
    return dead;
  }
}

/** Those records of a frame that are `kept` or later, in memory of their own. */
function blockOf(records: Buffer<ArrayBuffer>, first: number, kept: number): RecordBlock {
  let at = 0;
  let firstSequence = first;
  while (firstSequence < kept && at < records.length) {
    at += 12 + records.readUInt32BE(at + 8);
    firstSequence++;
  }
  return { firstSequence, bytes: new Uint8Array(records.subarray(at)) };
}

/** The segment files that one read has open. */
class Files {
  readonly #segments: Segments;
  readonly #open = new Map<number, FileHandle>();

  constructor(segments: Segments) {
    this.#segments = segments;
  }

  async read({ segment, offset, length }: Chunk): Promise<Buffer<ArrayBuffer>> {
    const handle = this.#open.get(segment) ?? (await open(this.#segments.path(segment), "r"));
    this.#open.set(segment, handle);
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  }

  async close(): Promise<void> {
    for (const handle of this.#open.values()) await handle.close();
  }
}

/** Each chunk between holds at least one wanted record; those at the ends may hold none. */
function bounded(all: Iterable<Chunk>, to: number, from: number, limit: number): Chunk[] {
  const wanted: Chunk[] = [];
  for (const chunk of all) {
    if (chunk.firstTime >= to || chunk.lastTime < from) continue;
    wanted.push(chunk);
    if (wanted.length > limit + 2) break;
  }
  return wanted;
}

function raise(records: readonly JournalRecord[], floor: number): JournalRecord[] {
  let last = floor;
  return records.map(({ time, body }) => ({ time: (last = Math.max(last, time)), body }));
}

function* split(records: readonly JournalRecord[]): Iterable<JournalRecord[]> {
  let part: JournalRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    part.push(record);
    bytes += record.body.length;
    if (bytes < FRAME_BYTES && part.length < FRAME_RECORDS) continue;
    yield part;
    [part, bytes] = [[], 0];
  }
  if (part.length > 0) yield part;
}

function bodyBytes(records: readonly JournalRecord[]): number {
  return records.reduce((sum, { body }) => sum + body.length, 0);
}
