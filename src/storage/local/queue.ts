import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";

import type { QueueAppend, QueueName } from "../documents.ts";
import type { LeasedMessage, Queue, QueueDepth } from "../queue.ts";
import {
  decodeMessage,
  decodeRow,
  encodeMessage,
  encodeRow,
  type MessageState,
  type QueueRow,
  type State,
} from "./queue-rows.ts";
import type { Tables } from "./tables.ts";
import { encodeTuple, readU64, u64 } from "./tuple.ts";
import { Watchers } from "./watchers.ts";
import type { Writer } from "./writer.ts";

/** How many overdue messages a receive moves to `ready`, so that no transaction grows with the backlog. */
const PROMOTE = 256;

/**
 * Queues in LMDB. `due` orders the messages of a queue by state and due time; `ready`, `delayed` and `leased` messages
 * are counted in the queue's row, so that depth costs no scan of a backlog. What falls due stays filed as delayed or
 * leased until a receive moves it; receive and depth go by the due time, so nobody sees the difference.
 */
export class LocalQueue implements Queue {
  readonly #tables: Tables;
  readonly #writer: Writer;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #watchers = new Watchers<QueueName>();

  constructor(tables: Tables, writer: Writer, clock: Clock, ids: Ids) {
    this.#tables = tables;
    this.#writer = writer;
    this.#clock = clock;
    this.#ids = ids;
  }

  async append(messages: readonly QueueAppend[]): Promise<readonly string[]> {
    const appending = this.prepare(messages);
    return this.#writer.run(
      () => appending.write(),
      () => appending.announce(),
    );
  }

  /** Checks an append now, so that it cannot fail inside a transaction. */
  prepare(messages: readonly QueueAppend[]): { write(): readonly string[]; announce(): void } {
    for (const { queue, delayMs = 0 } of messages) {
      encodeTuple(queue);
      checkDuration(delayMs);
    }
    return {
      write: () => messages.map((message) => this.#append(message)),
      announce: () => {
        for (const queue of new Map(
          messages.map((message) => [JSON.stringify(message.queue), message.queue]),
        ).values())
          this.#watchers.notify(queue, () => queue);
      },
    };
  }

  async receive(queue: QueueName, max: number, leaseMs: number): Promise<readonly LeasedMessage[]> {
    checkDuration(leaseMs);
    const seen = this.#row(queue);
    if (seen === undefined || max <= 0 || this.#overdue(seen, 1).length === 0) return [];
    return this.#writer.run(() => {
      const row = this.#row(queue);
      if (row === undefined) return [];
      const received = this.#overdue(row, max).map(({ sequence }) => this.#lease(row, sequence, leaseMs));
      this.#promote(row);
      this.#tables.queues.put(queue, encodeRow(row));
      return received;
    });
  }

  ack(queue: QueueName, id: string, lease: string): Promise<boolean> {
    return this.#underLease(queue, id, lease, (row, sequence, message) => {
      this.#file(row, sequence, message, "gone", 0);
      this.#tables.messages.removeSync(u64(row.id, sequence));
      this.#tables.bodies.removeSync(u64(row.id, sequence));
    });
  }

  async extend(queue: QueueName, id: string, lease: string, leaseMs: number): Promise<boolean> {
    checkDuration(leaseMs);
    return this.#underLease(queue, id, lease, (row, sequence, message) => {
      this.#file(row, sequence, message, "leased", Math.ceil(this.#clock.now() + leaseMs));
      this.#tables.messages.putSync(u64(row.id, sequence), encodeMessage(message));
    });
  }

  async giveBack(
    queue: QueueName,
    id: string,
    lease: string,
    delayMs: number,
    body?: Uint8Array,
  ): Promise<boolean> {
    checkDuration(delayMs);
    return this.#underLease(queue, id, lease, (row, sequence, message) => {
      message.lease = "";
      const due = Math.ceil(this.#clock.now() + delayMs);
      this.#file(row, sequence, message, delayMs > 0 ? "delayed" : "ready", due);
      this.#tables.messages.putSync(u64(row.id, sequence), encodeMessage(message));
      if (body !== undefined) this.#tables.bodies.putSync(u64(row.id, sequence), Buffer.from(body));
    });
  }

  depth(queue: QueueName): QueueDepth {
    const row = this.#row(queue);
    if (row === undefined) return { visible: 0, leased: 0, delayed: 0, oldestSentAt: undefined };
    const now = this.#clock.now();
    const passed = (state: State): number =>
      this.#tables.due.getKeysCount({
        start: dueKey(row.id, state, 0, 0),
        end: dueKey(row.id, state, now + 1, 0),
      });
    const [delayed, leased] = [row.delayed - passed("delayed"), row.leased - passed("leased")];
    const visible = row.ready + row.delayed + row.leased - delayed - leased;
    const [oldest] = this.#tables.messages.getRange({ start: u64(row.id, 0), limit: 1 });
    return { visible, leased, delayed, oldestSentAt: oldest && decodeMessage(oldest.value).sentAt };
  }

  nextDue(queue: QueueName): number | undefined {
    const row = this.#row(queue);
    if (row === undefined) return undefined;
    const firsts = STATE_NAMES.flatMap((state) => {
      const [start, end] = [dueKey(row.id, state, 0, 0), dueKey(row.id, state, Number.MAX_SAFE_INTEGER, 0)];
      return Array.from(this.#tables.due.getKeys({ start, end, limit: 1 }), (key) => readU64(key, 9));
    });
    return firsts.length === 0 ? undefined : Math.min(...firsts);
  }

  purge(queue: QueueName): Promise<void> {
    return this.#writer.run(() => {
      const row = this.#row(queue);
      if (row === undefined) return;
      const { messages, bodies, due, queues } = this.#tables;
      for (const table of [messages, bodies, due])
        for (const key of Array.from(table.getKeys({ start: u64(row.id), end: u64(row.id + 1) })))
          table.removeSync(key);
      queues.remove(queue);
    });
  }

  queues(prefix: readonly string[]): readonly QueueName[] {
    return Array.from(this.#tables.queues.range(prefix), ({ key }) => key as unknown as QueueName);
  }

  watch(prefix: readonly string[], listener: (queue: QueueName) => void): () => void {
    return this.#watchers.add(prefix, listener);
  }

  #append({ queue, body, delayMs = 0 }: QueueAppend): string {
    const { queues, messages, bodies } = this.#tables;
    const now = this.#clock.now();
    const row = this.#row(queue) ?? { id: this.#tables.next(), ready: 0, delayed: 0, leased: 0 };
    const sequence = this.#tables.next();
    const message: MessageState = { state: "gone", due: 0, sentAt: now, receiveCount: 0, lease: "" };
    bodies.putSync(u64(row.id, sequence), Buffer.from(body));
    this.#file(row, sequence, message, delayMs > 0 ? "delayed" : "ready", Math.ceil(now + delayMs));
    messages.putSync(u64(row.id, sequence), encodeMessage(message));
    queues.put(queue, encodeRow(row));
    return messageId(sequence);
  }

  #lease(row: QueueRow, sequence: number, leaseMs: number): LeasedMessage {
    const { messages, bodies } = this.#tables;
    const message = this.#message(row, sequence);
    message.receiveCount += 1;
    message.lease = this.#ids.hex(32);
    this.#file(row, sequence, message, "leased", Math.ceil(this.#clock.now() + leaseMs));
    messages.putSync(u64(row.id, sequence), encodeMessage(message));
    const { sentAt, receiveCount, lease } = message;
    const body = Buffer.from(bodies.get(u64(row.id, sequence)) ?? []);
    return { id: messageId(sequence), body, sentAt, receiveCount, lease };
  }

  #row(queue: QueueName): QueueRow | undefined {
    const stored = this.#tables.queues.get(queue);
    return stored && decodeRow(stored);
  }

  #message(row: QueueRow, sequence: number): MessageState {
    const stored = this.#tables.messages.get(u64(row.id, sequence));
    if (stored === undefined) throw new Error(`queue ${row.id} lacks message ${sequence}`);
    return decodeMessage(stored);
  }

  /** Up to `max` messages that may be received now, whatever they are filed under, by due time. */
  #overdue(row: QueueRow, max: number): { sequence: number; due: number; state: State }[] {
    const now = this.#clock.now();
    return STATE_NAMES.flatMap((state) => {
      const [start, end] = [dueKey(row.id, state, 0, 0), dueKey(row.id, state, now + 1, 0)];
      const keys = this.#tables.due.getKeys({ start, end, limit: max });
      return Array.from(keys, (key) => ({ state, due: readU64(key, 9), sequence: readU64(key, 17) }));
    })
      .toSorted((a, b) => a.due - b.due || a.sequence - b.sequence)
      .slice(0, max);
  }

  #promote(row: QueueRow): void {
    for (const { sequence, due, state } of this.#overdue(row, PROMOTE)) {
      if (state === "ready") continue;
      const message = this.#message(row, sequence);
      message.lease = "";
      this.#file(row, sequence, message, "ready", due);
      this.#tables.messages.putSync(u64(row.id, sequence), encodeMessage(message));
    }
  }

  /** Moves a message's place in `due` and in the counters. */
  #file(row: QueueRow, sequence: number, message: MessageState, state: State | "gone", due: number): void {
    if (message.state !== "gone") {
      this.#tables.due.removeSync(dueKey(row.id, message.state, message.due, sequence));
      row[message.state] -= 1;
    }
    if (state !== "gone") {
      this.#tables.due.putSync(dueKey(row.id, state, due, sequence), Buffer.alloc(0));
      row[state] += 1;
    }
    message.state = state;
    message.due = due;
  }

  #underLease(
    queue: QueueName,
    id: string,
    lease: string,
    change: (row: QueueRow, sequence: number, message: MessageState) => void,
  ): Promise<boolean> {
    return this.#writer.run(() => {
      const row = this.#row(queue);
      if (row === undefined || !/^[0-9a-f]{16}$/.test(id) || lease === "") return false;
      const sequence = Number.parseInt(id, 16);
      const stored = this.#tables.messages.get(u64(row.id, sequence));
      if (stored === undefined) return false;
      const message = decodeMessage(stored);
      if (message.state !== "leased" || message.lease !== lease || message.due <= this.#clock.now())
        return false;
      change(row, sequence, message);
      if (row.ready + row.delayed + row.leased === 0) this.#tables.queues.remove(queue);
      else this.#tables.queues.put(queue, encodeRow(row));
      return true;
    });
  }
}

const STATES = { ready: 1, delayed: 2, leased: 3 } as const;
const STATE_NAMES = ["ready", "delayed", "leased"] as const;

function dueKey(queue: number, state: State, due: number, sequence: number): Buffer {
  return Buffer.concat([u64(queue), Buffer.from([STATES[state]]), u64(due, sequence)]);
}

function messageId(sequence: number): string {
  return sequence.toString(16).padStart(16, "0");
}

function checkDuration(ms: number): void {
  if (!Number.isFinite(ms) || ms < 0) throw new TypeError(`duration must be 0 ms or more: ${ms}`);
}
