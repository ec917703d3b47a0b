import type { Clock } from "#core/clock";
import type { DocumentKey, Documents } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import { LIMITS } from "./limits.ts";

/** Something that AWS would have sent to a person or a device. */
export interface OutboxMessage {
  readonly channel: "email" | "email-json" | "sms" | "application";
  readonly account: string;
  readonly region: string;
  /** Address, phone number or endpoint ARN. */
  readonly to: string;
  readonly subject?: string;
  readonly body: string;
  readonly messageId: string;
  readonly topicArn?: string;
  /** Of a subscription that waits for its confirmation. */
  readonly token?: string;
  readonly subscribeUrl?: string;
}

export interface OutboxEntry extends OutboxMessage {
  /** Grows by one with each entry. */
  readonly number: number;
  /** ISO 8601. */
  readonly time: string;
}

/** Keeps the last messages that would have left this machine, on disk, for all accounts together. */
export interface Outbox {
  /** Resolves once it is on disk. */
  put(message: OutboxMessage): Promise<void>;
  /** Oldest first. */
  list(): readonly OutboxEntry[];
}

// The platform's own, like its key: it belongs to whoever runs it, not to an account.
const OUTBOX = ["platform", "global", "sns-outbox"] as const;
const NEXT = ["platform", "global", "sns-outbox-next"] as const;

export function createOutbox(options: {
  readonly documents: Documents;
  readonly clock: Clock;
  /** How many are kept. */
  readonly most?: number;
}): Outbox {
  const { documents, clock, most = LIMITS.outboxEntries } = options;
  return {
    async put(message) {
      for (;;) {
        const next = documents.get<number>(NEXT);
        const number = next?.value ?? 0;
        const entry: OutboxEntry = { number, time: new Date(clock.now()).toISOString(), ...message };
        // A ring: the entry that is written over is the oldest.
        const place: DocumentKey = [...OUTBOX, number % most];
        try {
          await documents.commit([
            { key: NEXT, value: number + 1, expected: next?.revision ?? 0 },
            { key: place, value: entry },
          ]);
          return;
        } catch (error) {
          if (!(error instanceof RevisionConflict)) throw error;
        }
      }
    },
    list: () =>
      Array.from(documents.list<OutboxEntry>(OUTBOX), ({ value }) => value).toSorted(
        (a, b) => a.number - b.number,
      ),
  };
}
