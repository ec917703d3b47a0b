import type { StreamInfo, StreamName } from "../journal.ts";
import type { Tables } from "./tables.ts";
import { readU64, u64 } from "./tuple.ts";

/** A stream's row. `firstSequence` is that of the oldest record kept, `nextSequence` where there is none. */
export interface StreamRow {
  readonly id: number;
  firstSequence: number;
  nextSequence: number;
  firstTime: number;
  lastTime: number;
  bytes: number;
}

/** Where a frame lies: records [firstSequence, firstSequence + count) of a stream. */
export interface Chunk {
  readonly firstSequence: number;
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
  readonly firstTime: number;
  readonly lastTime: number;
}

export function streamRow(tables: Tables, stream: StreamName): StreamRow | undefined {
  const row = tables.streams.get(stream);
  if (row === undefined) return undefined;
  const [id, firstSequence, nextSequence] = [readU64(row, 0), readU64(row, 8), readU64(row, 16)];
  return {
    id,
    firstSequence,
    nextSequence,
    firstTime: readU64(row, 24),
    lastTime: readU64(row, 32),
    bytes: readU64(row, 40),
  };
}

export function putStreamRow(tables: Tables, stream: StreamName, row: StreamRow): void {
  const { id, firstSequence, nextSequence, firstTime, lastTime, bytes } = row;
  tables.streams.put(stream, u64(id, firstSequence, nextSequence, firstTime, lastTime, bytes));
}

export function streamInfo(row: StreamRow): StreamInfo {
  const empty = row.firstSequence === row.nextSequence;
  return {
    firstTime: empty ? undefined : row.firstTime,
    lastTime: empty ? undefined : row.lastTime,
    nextSequence: row.nextSequence,
    bytes: row.bytes,
  };
}

export function putChunk(tables: Tables, stream: number, chunk: Chunk): void {
  const { firstSequence, segment, offset, length, firstTime, lastTime } = chunk;
  tables.chunks.putSync(u64(stream, firstSequence), u64(segment, offset, length, firstTime, lastTime));
}

/** Chunks of a stream that hold records of [start, end), in order. */
export function* chunks(
  tables: Tables,
  stream: number,
  start: number,
  end: number,
  reverse = false,
): Iterable<Chunk> {
  const low = chunkAt(tables, stream, start)?.firstSequence ?? start;
  if (end <= low) return;
  const [from, to] = [u64(stream, low), u64(stream, end)];
  const range = reverse
    ? { start: u64(stream, end - 1), end: from, inclusiveEnd: true, reverse }
    : { start: from, end: to };
  for (const { key, value } of tables.chunks.getRange(range)) yield chunk(key, value);
}

/** The first sequence of [start, end) whose chunk may hold a record at or after `time`: a binary search, as times only grow. */
export function seekTime(tables: Tables, stream: number, start: number, end: number, time: number): number {
  let [low, high] = [start, end];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = chunkAt(tables, stream, middle);
    if (found !== undefined && found.lastTime < time) low = middle + 1;
    else high = Math.min(middle, found?.firstSequence ?? middle);
  }
  return Math.max(low, start);
}

/** The chunk that holds a sequence, or the last before it. */
function chunkAt(tables: Tables, stream: number, sequence: number): Chunk | undefined {
  const range = {
    start: u64(stream, sequence),
    end: u64(stream, 0),
    inclusiveEnd: true,
    reverse: true,
    limit: 1,
  };
  for (const { key, value } of tables.chunks.getRange(range)) return chunk(key, value);
  return undefined;
}

function chunk(key: Buffer, value: Buffer): Chunk {
  const [segment, offset, length] = [readU64(value, 0), readU64(value, 8), readU64(value, 16)];
  return {
    firstSequence: readU64(key, 8),
    segment,
    offset,
    length,
    firstTime: readU64(value, 24),
    lastTime: readU64(value, 32),
  };
}
