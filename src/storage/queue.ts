import type { QueueAppend, QueueName } from "./documents.ts";

export interface LeasedMessage {
  readonly id: string;
  readonly body: Uint8Array;
  /** Epoch milliseconds of the append. */
  readonly sentAt: number;
  /** How often it has been leased, this time included. */
  readonly receiveCount: number;
  /** Proves the lease; changes with every receive. */
  readonly lease: string;
}

export interface QueueDepth {
  /** May be received now. */
  readonly visible: number;
  /** Under lease. */
  readonly leased: number;
  /** Waiting for their delay to pass. */
  readonly delayed: number;
  /** Epoch milliseconds at which the oldest message was appended. */
  readonly oldestSentAt: number | undefined;
}

/** Durable queues of byte messages: at least once, delayed, leased. Messages of one queue come in order of due time, then of append. */
export interface Queue {
  /** Resolves, once on disk, with the message ids in order. */
  append(messages: readonly QueueAppend[]): Promise<readonly string[]>;
  /** Leases up to `max` visible messages for `leaseMs` milliseconds; an empty array where there is none. */
  receive(queue: QueueName, max: number, leaseMs: number): Promise<readonly LeasedMessage[]>;
  /** Removes a message for good; `false` where the lease has ended or was replaced. */
  ack(queue: QueueName, id: string, lease: string): Promise<boolean>;
  /** Lets the lease end `leaseMs` from now; `false` where the lease has ended. */
  extend(queue: QueueName, id: string, lease: string, leaseMs: number): Promise<boolean>;
  /** Gives a message back to be received after `delayMs`, optionally with a new body. `false` where the lease has ended. */
  giveBack(queue: QueueName, id: string, lease: string, delayMs: number, body?: Uint8Array): Promise<boolean>;
  depth(queue: QueueName): QueueDepth;
  /**
   * Epoch milliseconds at which the message that is due first may be received, in the past where one may be now;
   * undefined where there is none. Whoever has emptied a queue need not ask again before then, but for appends.
   */
  nextDue(queue: QueueName): number | undefined;
  /** Removes all messages, leased ones too. */
  purge(queue: QueueName): Promise<void>;
  /** Queues under a prefix that hold a message, in name order. */
  queues(prefix: readonly string[]): readonly QueueName[];
  /** Calls `listener` when a message of a queue under `prefix` may have become visible by an append. */
  watch(prefix: readonly string[], listener: (queue: QueueName) => void): () => void;
}
