import { encodeTuple, readU64, u64 } from "./tuple.ts";

/**
 * Where a message is filed; one that is overdue may still be filed as delayed or leased. A `held` one could be received
 * if it were the first of its group; only it is not in the table `due`.
 */
export type State = "ready" | "delayed" | "leased" | "held";

/** A queue's row: its id in the other tables and how many messages are filed under each state. */
export interface QueueRow {
  readonly id: number;
  ready: number;
  delayed: number;
  leased: number;
  held: number;
}

export interface MessageState {
  state: State | "gone";
  due: number;
  readonly sentAt: number;
  receiveCount: number;
  /** 0 before the first receive. */
  firstReceivedAt: number;
  /** Empty where there is none; 32 characters otherwise. */
  lease: string;
  /** Whether `sentAt` is another time than that of the append. */
  readonly aged: boolean;
  readonly group: string | undefined;
}

const STATES = ["gone", "ready", "delayed", "leased", "held"] as const;

const LEASE = 32;
const NO_LEASE = Buffer.alloc(LEASE);
const AGED = 1;
const GROUPED = 2;

export function encodeRow({ id, ready, delayed, leased, held }: QueueRow): Buffer {
  return u64(id, ready, delayed, leased, held);
}

/** Rows of before there were groups end earlier. */
export function decodeRow(row: Buffer): QueueRow {
  return {
    id: readU64(row, 0),
    ready: readU64(row, 8),
    delayed: readU64(row, 16),
    leased: readU64(row, 24),
    held: row.length > 32 ? readU64(row, 32) : 0,
  };
}

export function isEmpty({ ready, delayed, leased, held }: QueueRow): boolean {
  return ready + delayed + leased + held === 0;
}

export function encodeMessage(message: MessageState): Buffer {
  const { state, due, sentAt, receiveCount, firstReceivedAt, lease, aged, group } = message;
  const flags = (aged ? AGED : 0) | (group === undefined ? 0 : GROUPED);
  return Buffer.concat([
    u64(STATES.indexOf(state), due, sentAt, receiveCount),
    lease === "" ? NO_LEASE : Buffer.from(lease, "latin1"),
    u64(firstReceivedAt),
    Buffer.from([flags]),
    Buffer.from(group ?? ""),
  ]);
}

/** Rows of before there were groups end with the lease, or before it where there is none. */
export function decodeMessage(row: Buffer): MessageState {
  const flags = row.length > 72 ? row.readUInt8(72) : 0;
  return {
    state: STATES[readU64(row, 0)] ?? "gone",
    due: readU64(row, 8),
    sentAt: readU64(row, 16),
    receiveCount: readU64(row, 24),
    lease: row.length > 32 && row[32] !== 0 ? row.toString("latin1", 32, 32 + LEASE) : "",
    firstReceivedAt: row.length > 64 ? readU64(row, 64) : 0,
    aged: (flags & AGED) !== 0,
    group: (flags & GROUPED) === 0 ? undefined : row.toString("utf8", 73),
  };
}

const DUE = { ready: 1, delayed: 2, leased: 3 } as const;

/** States in which a message has a place in `due`. */
export type Due = keyof typeof DUE;

export function dueKey(queue: number, state: Due, due: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(25);
  u64(queue).copy(key, 0);
  key[8] = DUE[state];
  u64(due, sequence).copy(key, 9);
  return key;
}

export function readDueKey(key: Buffer): { due: number; sequence: number } {
  return { due: readU64(key, 9), sequence: readU64(key, 17) };
}

/** Begins the keys of a group's messages in `groups`. */
export function groupPrefix(queue: number, group: string): Buffer {
  return Buffer.concat([u64(queue), encodeTuple([group])]);
}

export function groupKey(queue: number, group: string, sequence: number): Buffer {
  return Buffer.concat([groupPrefix(queue, group), u64(sequence)]);
}
