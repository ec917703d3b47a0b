import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";

import type { QueueAppend, QueueName } from "../documents.ts";
import type { Acked, LeasedMessage, Queue, QueueDepth } from "../queue.ts";
import { QueueMessages } from "./queue-messages.ts";
import { QueueOnce } from "./queue-once.ts";
import { QueuePurger } from "./queue-purger.ts";
import { decodeRow, encodeRow, isEmpty, type MessageState, type QueueRow } from "./queue-rows.ts";
import type { Tables } from "./tables.ts";
import { encodeTuple } from "./tuple.ts";
import { Watchers } from "./watchers.ts";
import type { Writer } from "./writer.ts";

/** How many overdue messages a receive moves to where they belong, so that no transaction grows with the backlog. */
const PROMOTE = 256;

/** So many overdue messages are filed anew in the background: to count them takes half a millisecond each time. */
const UNSETTLED = 10_000;

/** How often a receive looks again because messages that were overdue stood behind others of their group. */
const LOOKS = 16;

/** LMDB takes keys of 1,978 bytes. */
const GROUP_BYTES = 1024;

/**
 * Queues in LMDB. `due` orders the messages of a queue by state and due time; how many are filed under each state is
 * counted in the queue's row, so that depth costs no scan of a backlog. What falls due stays filed as delayed or leased
 * until a receive moves it; receive and depth go by the due time, so nobody sees the difference.
 */
export class LocalQueue implements Queue {
  readonly #tables: Tables;
  readonly #writer: Writer;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #messages: QueueMessages;
  readonly #once: QueueOnce;
  readonly #purger: QueuePurger;
  readonly #watchers = new Watchers<QueueName>();
  readonly #settling = new Set<string>();

  constructor(tables: Tables, writer: Writer, clock: Clock, ids: Ids) {
    this.#tables = tables;
    this.#writer = writer;
    this.#clock = clock;
    this.#ids = ids;
    this.#messages = new QueueMessages(tables);
    this.#once = new QueueOnce(tables);
    this.#purger = new QueuePurger(tables, writer);
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
    for (const { queue, delayMs = 0, group = "", once } of messages) {
      encodeTuple(once === undefined ? queue : [...queue, once.key]);
      checkDuration(delayMs);
      if (once !== undefined) checkDuration(once.forMs);
      if (encodeTuple([group]).length > GROUP_BYTES) throw new TypeError("group is too long");
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
    if (seen === undefined || max <= 0 || this.#messages.overdue(seen, this.#clock.now(), 1).length === 0)
      return [];
    return this.#writer.shrink(() => {
      const row = this.#row(queue);
      if (row === undefined) return [];
      const received = this.#take(row, max, leaseMs);
      this.#promote(row, PROMOTE);
      this.#tables.queues.put(queue, encodeRow(row));
      return received;
    });
  }

  ack(queue: QueueName, id: string, lease: string | undefined): Promise<Acked> {
    return this.#change<Acked>(queue, id, "missing", (row, sequence, message) =>
      this.#remove(row, sequence, message, lease),
    );
  }

  async extend(queue: QueueName, id: string, lease: string | undefined, leaseMs: number): Promise<boolean> {
    checkDuration(leaseMs);
    return this.#underLease(queue, id, lease, (row, sequence, message) => {
      this.#messages.file(row, sequence, message, "leased", Math.ceil(this.#clock.now() + leaseMs));
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
      if (delayMs > 0) this.#messages.file(row, sequence, message, "delayed", due);
      else this.#messages.release(row, sequence, message, due);
      if (body !== undefined) this.#messages.setBody(row, sequence, body);
    });
  }

  async move(queue: QueueName, id: string, lease: string | undefined, to: QueueAppend): Promise<boolean> {
    if (queue[0] !== to.queue[0] || queue[1] !== to.queue[1])
      throw new TypeError("a message moves within one [account, region]");
    const appending = this.prepare([to]);
    const outcome = await this.#change<Acked>(
      queue,
      id,
      "missing",
      (row, sequence, message) => this.#remove(row, sequence, message, lease),
      (removed) => {
        if (removed === "removed") appending.write();
      },
    );
    if (outcome !== "removed") return false;
    appending.announce();
    return true;
  }

  expire(queue: QueueName, sentBefore: number, max: number): Promise<number> {
    const seen = this.#row(queue);
    const oldest = seen && this.#messages.oldest(seen);
    if (oldest === undefined || oldest >= sentBefore) return Promise.resolve(0);
    return this.#writer.shrink(() => {
      this.#once.tidy(this.#clock.now(), max);
      const row = this.#row(queue);
      if (row === undefined) return 0;
      const old = this.#messages.olderThan(row, sentBefore, max);
      for (const sequence of old) this.#messages.remove(row, sequence, this.#messages.get(row, sequence));
      this.#store(queue, row);
      return old.length;
    });
  }

  depth(queue: QueueName): QueueDepth {
    const row = this.#row(queue);
    if (row === undefined)
      return { visible: 0, leased: 0, delayed: 0, oldestSentAt: undefined, nextDueAt: undefined };
    const now = this.#clock.now();
    const messages = this.#messages;
    const [overdueDelayed, overdueLeased] = [
      messages.countOverdue(row, "delayed", now),
      messages.countOverdue(row, "leased", now),
    ];
    if (overdueDelayed + overdueLeased > UNSETTLED) void this.#settle(queue);
    const [delayed, leased] = [row.delayed - overdueDelayed, row.leased - overdueLeased];
    const visible = row.ready + row.held + row.delayed + row.leased - delayed - leased;
    const next = [messages.nextDue(row, "delayed", now), messages.nextDue(row, "leased", now)];
    const nextDueAt = Math.min(...next.map((due) => due ?? Number.POSITIVE_INFINITY));
    return {
      visible,
      leased,
      delayed,
      oldestSentAt: messages.oldest(row),
      nextDueAt: Number.isFinite(nextDueAt) ? nextDueAt : undefined,
    };
  }

  /** The queue's name gets another row with its next message; nobody finds the rows of the old one. */
  async purge(queue: QueueName): Promise<void> {
    await this.#writer.shrink(() => {
      const row = this.#row(queue);
      if (row === undefined) return;
      this.#tables.queues.remove(queue);
      this.#purger.add(row.id);
    });
    this.#purger.start();
  }

  queues(prefix: readonly string[]): readonly QueueName[] {
    return Array.from(this.#tables.queues.range(prefix), ({ key }) => key as unknown as QueueName);
  }

  watch(prefix: readonly string[], listener: (queue: QueueName) => void): () => void {
    return this.#watchers.add(prefix, listener);
  }

  #append({ queue, body, delayMs = 0, group, once, sentAt }: QueueAppend): string {
    const now = this.#clock.now();
    const before = once && this.#once.find(queue, once.key, now);
    if (before !== undefined) return messageId(before);
    const row = this.#row(queue) ?? { id: this.#tables.next(), ready: 0, delayed: 0, leased: 0, held: 0 };
    const sequence = this.#tables.next();
    const message: MessageState = {
      state: "gone",
      due: 0,
      sentAt: sentAt ?? now,
      receiveCount: 0,
      firstReceivedAt: 0,
      lease: "",
      aged: sentAt !== undefined,
      group,
    };
    this.#messages.add(row, sequence, message, body, Math.ceil(now + delayMs), now);
    if (once !== undefined) this.#once.remember(queue, once.key, sequence, now, now + once.forMs);
    this.#tables.queues.put(queue, encodeRow(row));
    return messageId(sequence);
  }

  #remove(row: QueueRow, sequence: number, message: MessageState, lease: string | undefined): Acked {
    if (lease !== undefined && !this.#isUnder(lease, message)) return "lapsed";
    this.#messages.remove(row, sequence, message);
    return "removed";
  }

  /** Leases what may be received: first heads of groups and messages without one, behind a head what follows it. */
  #take(row: QueueRow, max: number, leaseMs: number): LeasedMessage[] {
    const messages = this.#messages;
    const now = this.#clock.now();
    const taken = new Map<number, LeasedMessage>();
    // One for all that are received together: a message's id and this tell each receive of it from all others.
    const lease = this.#ids.hex(32);
    const take = (sequence: number, message: MessageState): void =>
      void taken.set(sequence, this.#lease(row, sequence, message, lease, leaseMs));
    for (let look = 0; look < LOOKS; look++) {
      let moved = false;
      for (const { sequence, due } of messages.overdue(row, now, max)) {
        if (taken.size >= max) break;
        if (taken.has(sequence)) continue;
        const message = messages.get(row, sequence);
        const { group } = message;
        if (group === undefined) take(sequence, message);
        else if (messages.first(row, group) === sequence) {
          take(sequence, message);
          for (const next of messages.behind(row, group, sequence, max - taken.size)) {
            const follower = messages.get(row, next);
            if (follower.state !== "held" && follower.due > now) break;
            take(next, follower);
          }
        } else {
          messages.file(row, sequence, message, "held", due);
          moved = true;
        }
      }
      if (!moved || taken.size >= max) break;
    }
    return [...taken.values()];
  }

  #lease(
    row: QueueRow,
    sequence: number,
    message: MessageState,
    lease: string,
    leaseMs: number,
  ): LeasedMessage {
    const now = this.#clock.now();
    message.receiveCount += 1;
    message.firstReceivedAt ||= now;
    message.lease = lease;
    this.#messages.file(row, sequence, message, "leased", Math.ceil(now + leaseMs));
    const { sentAt, receiveCount, firstReceivedAt, group } = message;
    return {
      id: messageId(sequence),
      body: this.#messages.body(row, sequence),
      sentAt,
      receiveCount,
      firstReceivedAt,
      lease,
      ...(group === undefined ? {} : { group }),
    };
  }

  /** Files what has fallen due where it belongs, so that the next receives find it in one place. */
  #promote(row: QueueRow, max: number): void {
    for (const { sequence, due } of this.#messages.overdue(row, this.#clock.now(), max, [
      "delayed",
      "leased",
    ]))
      this.#messages.release(row, sequence, this.#messages.get(row, sequence), due);
  }

  /** Files all that is overdue where it belongs, a little in each turn of the event loop. */
  async #settle(queue: QueueName): Promise<void> {
    const key = JSON.stringify(queue);
    if (this.#settling.has(key)) return;
    this.#settling.add(key);
    const step = (): boolean => {
      const row = this.#row(queue);
      if (row === undefined) return false;
      const before = row.delayed + row.leased;
      this.#promote(row, PROMOTE);
      this.#tables.queues.put(queue, encodeRow(row));
      return before - row.delayed - row.leased === PROMOTE;
    };
    try {
      while (await this.#writer.shrink(step));
    } catch {
      // Storage was closed or is full. Nothing is lost by it: the next look at the queue tries again.
    } finally {
      this.#settling.delete(key);
    }
  }

  #row(queue: QueueName): QueueRow | undefined {
    const stored = this.#tables.queues.get(queue);
    return stored && decodeRow(stored);
  }

  #store(queue: QueueName, row: QueueRow): void {
    if (isEmpty(row)) this.#tables.queues.remove(queue);
    else this.#tables.queues.put(queue, encodeRow(row));
  }

  /** Whether a message is leased now, by `lease` or, without one, by any. */
  #isUnder(lease: string | undefined, message: MessageState): boolean {
    const { state, due } = message;
    return state === "leased" && due > this.#clock.now() && (lease ?? message.lease) === message.lease;
  }

  /**
   * Changes a message and stores its queue's row, all within one transaction; then tells the watchers where another
   * message, or this one, may have become visible by it. Answers `missing` where there is no such message.
   */
  #change<T>(
    queue: QueueName,
    id: string,
    missing: T,
    change: (row: QueueRow, sequence: number, message: MessageState) => T,
    then?: (result: T) => void,
  ): Promise<T> {
    let freed = false;
    return this.#writer.shrink(
      () => {
        const row = this.#row(queue);
        const sequence = /^[0-9a-f]{16}$/.test(id) ? Number.parseInt(id, 16) : undefined;
        if (row === undefined || sequence === undefined) return missing;
        const message = this.#messages.find(row, sequence);
        if (message === undefined) return missing;
        const result = change(row, sequence, message);
        this.#store(queue, row);
        then?.(result);
        const { state, group, due } = message;
        freed = state === "gone" ? group !== undefined : due <= this.#clock.now();
        return result;
      },
      () => {
        if (freed) this.#watchers.notify(queue, () => queue);
      },
    );
  }

  #underLease(
    queue: QueueName,
    id: string,
    lease: string | undefined,
    change: (row: QueueRow, sequence: number, message: MessageState) => void,
  ): Promise<boolean> {
    return this.#change(queue, id, false, (row, sequence, message) => {
      if (!this.#isUnder(lease, message)) return false;
      change(row, sequence, message);
      return true;
    });
  }
}

function messageId(sequence: number): string {
  return sequence.toString(16).padStart(16, "0");
}

function checkDuration(ms: number): void {
  if (!Number.isFinite(ms) || ms < 0) throw new TypeError(`duration must be 0 ms or more: ${ms}`);
}
