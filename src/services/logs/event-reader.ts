import type { Journal, ReadOptions, StreamName } from "#storage/journal";
import type { LogRecord } from "#telemetry/log-record";
import { decodeLogRecord } from "#telemetry/log-record";
import type { Position } from "./tokens.ts";

/** A stored log event. */
export interface StoredEvent extends LogRecord, Position {}

export interface EventRange {
  /** First timestamp, inclusive; epoch milliseconds. */
  readonly from: number;
  /** Last timestamp, exclusive. */
  readonly to: number;
  /** Only events after this position. */
  readonly after?: Position;
  /** Only events before this position. */
  readonly before?: Position;
  /** By how much events may be older than the journal's time for them. */
  readonly lateness: number;
}

const CHUNK = 512;

export function comparePositions(a: Position, b: Position): number {
  return a.timestamp - b.timestamp || a.sequence - b.sequence;
}

/**
 * Events of a stream in order of timestamp, then of arrival. The journal keeps them in order of arrival, with times that
 * are never before the timestamp and at most `lateness` after it; so an event is due as soon as no unread one can come
 * before it. With a lateness of 0 nothing waits.
 */
export async function* readForward(
  journal: Journal,
  stream: StreamName,
  range: EventRange,
): AsyncGenerator<StoredEvent> {
  const from = Math.max(range.from, range.after?.timestamp ?? 0);
  const to = Math.min(range.to, range.before === undefined ? range.to : range.before.timestamp + 1);
  yield* inOrder(
    journal,
    stream,
    { from, to: Math.min(to + range.lateness, Number.MAX_SAFE_INTEGER) },
    range,
    (time) => time - range.lateness,
  );
}

/** The same events, latest first. */
export async function* readBackward(
  journal: Journal,
  stream: StreamName,
  range: EventRange,
): AsyncGenerator<StoredEvent> {
  const from = Math.max(range.from, range.after?.timestamp ?? 0);
  const to = Math.min(range.to, range.before === undefined ? range.to : range.before.timestamp + 1);
  const bounds = { from, to: Math.min(to + range.lateness, Number.MAX_SAFE_INTEGER), reverse: true };
  yield* inOrder(journal, stream, bounds, range, (time) => time);
}

/** @param edge given the journal time reached, the timestamp up to which every event has been read */
async function* inOrder(
  journal: Journal,
  stream: StreamName,
  bounds: ReadOptions,
  range: EventRange,
  edge: (time: number) => number,
): AsyncGenerator<StoredEvent> {
  const sign = bounds.reverse === true ? -1 : 1;
  let pending: StoredEvent[] = [];
  let afterSequence: number | undefined;
  for (;;) {
    const records = await journal.read(stream, {
      ...bounds,
      limit: CHUNK,
      ...(afterSequence === undefined ? {} : { afterSequence }),
    });
    const last = records.at(-1);
    for (const record of records) {
      const event = { ...decodeLogRecord(record.body), sequence: record.sequence };
      if (inRange(event, range)) pending.push(event);
    }
    if (range.lateness > 0) pending.sort((a, b) => sign * comparePositions(a, b));
    if (last === undefined || records.length < CHUNK) break;
    afterSequence = last.sequence;
    const limit = edge(last.time);
    const waiting = pending.findIndex((event) => sign * (event.timestamp - limit) > 0);
    const due = waiting === -1 ? pending : pending.slice(0, waiting);
    pending = waiting === -1 ? [] : pending.slice(waiting);
    yield* due;
  }
  yield* pending;
}

function inRange(event: StoredEvent, { from, to, after, before }: EventRange): boolean {
  if (event.timestamp < from || event.timestamp >= to) return false;
  if (after !== undefined && comparePositions(event, after) <= 0) return false;
  return before === undefined || comparePositions(event, before) < 0;
}
