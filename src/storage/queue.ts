import type { QueueAppend, QueueName } from "./documents.ts";

export interface LeasedMessage {
  readonly id: string;
  readonly body: Uint8Array;
  /** Epoch milliseconds of the append, or what the append said instead. */
  readonly sentAt: number;
  /** How often it has been leased, this time included. */
  readonly receiveCount: number;
  /** Epoch milliseconds of the first lease. */
  readonly firstReceivedAt: number;
  /** The group that it was appended with. */
  readonly group?: string;
  /** Proves the lease; changes with every receive. */
  readonly lease: string;
}

export interface QueueDepth {
  /** May be received now, or once the messages before it in its group are gone. */
  readonly visible: number;
  /** Under lease. */
  readonly leased: number;
  /** Waiting for their delay to pass. */
  readonly delayed: number;
  /** Epoch milliseconds at which the oldest message was appended. */
  readonly oldestSentAt: number | undefined;
  /** Epoch milliseconds at which the next delay or lease ends. */
  readonly nextDueAt: number | undefined;
}

/**
 * What became of an `ack`: the message is removed; or it is there, but the lease has ended or was replaced; or there is
 * no such message (any more).
 */
export type Acked = "removed" | "lapsed" | "missing";

/**
 * Durable queues of byte messages: at least once, delayed, leased. Messages of one queue come in order of due time, then
 * of append. Messages of one group come in order of append, and never while an earlier one is delayed or leased, except
 * together with it in the same receive.
 */
export interface Queue {
  /** Resolves, once on disk, with the message ids in order: ids of a queue grow, and are never used again. */
  append(messages: readonly QueueAppend[]): Promise<readonly string[]>;
  /** Leases up to `max` visible messages for `leaseMs` milliseconds; an empty array where there is none. */
  receive(queue: QueueName, max: number, leaseMs: number): Promise<readonly LeasedMessage[]>;
  /** Removes a message for good; without a lease, whether it is leased or not. */
  ack(queue: QueueName, id: string, lease: string | undefined): Promise<Acked>;
  /** Lets the lease end `leaseMs` from now; `false` where it has ended. Without a lease, whichever there is. */
  extend(queue: QueueName, id: string, lease: string | undefined, leaseMs: number): Promise<boolean>;
  /** Gives a message back to be received after `delayMs`, optionally with a new body. `false` where the lease has ended. */
  giveBack(queue: QueueName, id: string, lease: string, delayMs: number, body?: Uint8Array): Promise<boolean>;
  /**
   * Removes a message, as `ack` does, and appends another one, of the same [account, region], in one commit. `false` where
   * there was nothing to remove.
   */
  move(queue: QueueName, id: string, lease: string | undefined, to: QueueAppend): Promise<boolean>;
  /** Removes up to `max` messages that were appended before `sentBefore` (epoch ms), leased ones too; resolves with how many. */
  expire(queue: QueueName, sentBefore: number, max: number): Promise<number>;
  depth(queue: QueueName): QueueDepth;
  /** Removes all messages, leased ones too. They are gone at once; their space is freed little by little. */
  purge(queue: QueueName): Promise<void>;
  /** Queues under a prefix that hold a message, in name order. */
  queues(prefix: readonly string[]): readonly QueueName[];
  /** Calls `listener` when a message of a queue under `prefix` may have become visible otherwise than by passing time. */
  watch(prefix: readonly string[], listener: (queue: QueueName) => void): () => void;
}
