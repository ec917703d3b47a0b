import { readU64, u64 } from "./tuple.ts";

/** Where a message is filed; one that is overdue may still be filed as delayed or leased. */
export type State = "ready" | "delayed" | "leased";

/** A queue's row: its id in the other tables and how many messages are filed under each state. */
export interface QueueRow {
  readonly id: number;
  ready: number;
  delayed: number;
  leased: number;
}

export interface MessageState {
  state: State | "gone";
  due: number;
  readonly sentAt: number;
  receiveCount: number;
  /** Empty where there is none. */
  lease: string;
}

const STATES = ["gone", "ready", "delayed", "leased"] as const;

export function encodeRow({ id, ready, delayed, leased }: QueueRow): Buffer {
  return u64(id, ready, delayed, leased);
}

export function decodeRow(row: Buffer): QueueRow {
  return { id: readU64(row, 0), ready: readU64(row, 8), delayed: readU64(row, 16), leased: readU64(row, 24) };
}

export function encodeMessage({ state, due, sentAt, receiveCount, lease }: MessageState): Buffer {
  return Buffer.concat([u64(STATES.indexOf(state), due, sentAt, receiveCount), Buffer.from(lease)]);
}

export function decodeMessage(row: Buffer): MessageState {
  return {
    state: STATES[readU64(row, 0)] ?? "gone",
    due: readU64(row, 8),
    sentAt: readU64(row, 16),
    receiveCount: readU64(row, 24),
    lease: row.toString("latin1", 32),
  };
}
