import {
  decodeMessage,
  dueKey,
  encodeMessage,
  groupKey,
  groupPrefix,
  readDueKey,
  type Due,
  type MessageState,
  type QueueRow,
  type State,
} from "./queue-rows.ts";
import type { Tables } from "./tables.ts";
import { prefixEnd, readU64, u64 } from "./tuple.ts";

/** A message where it lies in `due`. */
export interface Place {
  readonly sequence: number;
  readonly due: number;
  readonly state: Due;
}

const NOTHING = Buffer.alloc(0);

const EVERY_STATE: readonly Due[] = ["ready", "delayed", "leased"];

/**
 * The messages of queues in their tables. All that change something are called within a transaction, and change the
 * counters of the queue's row, which the caller stores.
 *
 * Of a group, only the first message may be `ready`; the ones behind it are `held` once nothing else keeps them. So a
 * receive finds what it may take in `due` alone, however many messages wait behind others.
 */
export class QueueMessages {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  find(row: QueueRow, sequence: number): MessageState | undefined {
    const stored = this.#tables.messages.get(u64(row.id, sequence));
    return stored && decodeMessage(stored);
  }

  get(row: QueueRow, sequence: number): MessageState {
    const message = this.find(row, sequence);
    if (message === undefined) throw new Error(`queue ${row.id} lacks message ${sequence}`);
    return message;
  }

  body(row: QueueRow, sequence: number): Buffer {
    return Buffer.from(this.#tables.bodies.get(u64(row.id, sequence)) ?? []);
  }

  setBody(row: QueueRow, sequence: number, body: Uint8Array): void {
    this.#tables.bodies.putSync(u64(row.id, sequence), Buffer.from(body));
  }

  /** Stores a new message, which no table knows yet. */
  add(
    row: QueueRow,
    sequence: number,
    message: MessageState,
    body: Uint8Array,
    due: number,
    now: number,
  ): void {
    const { groups, ages } = this.#tables;
    const first = message.group === undefined || this.first(row, message.group) === undefined;
    if (message.group !== undefined) groups.putSync(groupKey(row.id, message.group, sequence), NOTHING);
    if (message.aged) ages.putSync(u64(row.id, message.sentAt, sequence), NOTHING);
    this.setBody(row, sequence, body);
    this.file(row, sequence, message, due > now ? "delayed" : first ? "ready" : "held", due);
  }

  /** Removes a message, and lets the next of its group take its place. */
  remove(row: QueueRow, sequence: number, message: MessageState): void {
    const { messages, bodies, groups, ages } = this.#tables;
    this.#unfile(row, sequence, message);
    message.state = "gone";
    messages.removeSync(u64(row.id, sequence));
    bodies.removeSync(u64(row.id, sequence));
    if (message.aged) ages.removeSync(u64(row.id, message.sentAt, sequence));
    if (message.group === undefined) return;
    const wasFirst = this.first(row, message.group) === sequence;
    groups.removeSync(groupKey(row.id, message.group, sequence));
    const next = wasFirst ? this.first(row, message.group) : undefined;
    if (next === undefined) return;
    const follower = this.get(row, next);
    if (follower.state === "held") this.file(row, next, follower, "ready", follower.due);
  }

  /** Stores a message under a state: its place in `due`, the counters and all that was changed of it. */
  file(row: QueueRow, sequence: number, message: MessageState, state: State, due: number): void {
    this.#unfile(row, sequence, message);
    if (state !== "held") this.#tables.due.putSync(dueKey(row.id, state, due, sequence), NOTHING);
    row[state] += 1;
    message.state = state;
    message.due = due;
    this.#tables.messages.putSync(u64(row.id, sequence), encodeMessage(message));
  }

  /** Files a message that nothing keeps any more; its lease stays known until another one follows. */
  release(row: QueueRow, sequence: number, message: MessageState, due: number): void {
    const first = message.group === undefined || this.first(row, message.group) === sequence;
    this.file(row, sequence, message, first ? "ready" : "held", due);
  }

  /** The sequence of a group's first message. */
  first(row: QueueRow, group: string): number | undefined {
    return this.#members(groupPrefix(row.id, group), groupPrefix(row.id, group), 1)[0];
  }

  /** Sequences of up to `max` messages behind `sequence` in its group. */
  behind(row: QueueRow, group: string, sequence: number, max: number): readonly number[] {
    return this.#members(groupPrefix(row.id, group), groupKey(row.id, group, sequence + 1), max);
  }

  #members(prefix: Buffer, start: Buffer, limit: number): number[] {
    const keys = this.#tables.groups.getKeys({ start, end: prefixEnd(prefix), limit });
    return Array.from(keys, (key) => readU64(key, key.length - 8));
  }

  /** Up to `max` messages that nothing keeps at `now`, whatever of `states` they are filed under, by due time. */
  overdue(row: QueueRow, now: number, max: number, states: readonly Due[] = EVERY_STATE): Place[] {
    return states
      .flatMap((state) => {
        if (row[state] === 0) return [];
        const [start, end] = [dueKey(row.id, state, 0, 0), dueKey(row.id, state, now + 1, 0)];
        const keys = this.#tables.due.getKeys({ start, end, limit: max });
        return Array.from(keys, (key) => ({ state, ...readDueKey(key) }));
      })
      .toSorted((a, b) => a.due - b.due || a.sequence - b.sequence)
      .slice(0, max);
  }

  /** How many messages filed under `state` are overdue at `now`. */
  countOverdue(row: QueueRow, state: Due, now: number): number {
    if (row[state] === 0) return 0;
    return this.#tables.due.getKeysCount({
      start: dueKey(row.id, state, 0, 0),
      end: dueKey(row.id, state, now + 1, 0),
    });
  }

  /** When the first message filed under `state` falls due after `now`. */
  nextDue(row: QueueRow, state: Due, now: number): number | undefined {
    if (row[state] === 0) return undefined;
    const [start, end] = [
      dueKey(row.id, state, now + 1, 0),
      dueKey(row.id, state, Number.MAX_SAFE_INTEGER, 0),
    ];
    const [key] = this.#tables.due.getKeys({ start, end, limit: 1 });
    return key && readDueKey(key).due;
  }

  /** Epoch milliseconds of the oldest message. */
  oldest(row: QueueRow): number | undefined {
    const [first] = this.#tables.messages.getRange({ ...within(row), limit: 1 });
    const [aged] = this.#tables.ages.getKeys({ ...within(row), limit: 1 });
    if (first === undefined) return undefined;
    const { sentAt } = decodeMessage(first.value);
    return aged === undefined ? sentAt : Math.min(sentAt, readU64(aged, 8));
  }

  /** Sequences of up to `max` messages older than `sentBefore`. */
  olderThan(row: QueueRow, sentBefore: number, max: number): readonly number[] {
    const found = new Set<number>();
    for (const { key, value } of this.#tables.messages.getRange({ ...within(row), limit: max })) {
      if (decodeMessage(value).sentAt >= sentBefore) break;
      found.add(readU64(key, 8));
    }
    const aged = { start: u64(row.id), end: u64(row.id, sentBefore), limit: max - found.size };
    if (aged.limit > 0) for (const key of this.#tables.ages.getKeys(aged)) found.add(readU64(key, 16));
    return [...found];
  }

  #unfile(row: QueueRow, sequence: number, { state, due }: MessageState): void {
    if (state === "gone") return;
    if (state !== "held") this.#tables.due.removeSync(dueKey(row.id, state, due, sequence));
    row[state] -= 1;
  }
}

function within(row: QueueRow): { start: Buffer; end: Buffer } {
  return { start: u64(row.id), end: u64(row.id + 1) };
}
