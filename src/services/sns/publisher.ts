import { createHash } from "node:crypto";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Change, Documents, QueueAppend } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import type { Queue } from "#storage/queue";
import { isFifo, type TopicName } from "./arns.ts";
import { encodeCleanup } from "./delivery/cleanup.ts";
import { groupHash, laneQueue, publishQueue, cleanupQueue } from "./delivery/queues.ts";
import { LIMITS } from "./limits.ts";
import { Matching } from "./message/matching.ts";
import { encodeMessage, type PublishedMessage } from "./message/message.ts";
import type { FifoIds, MessageContent } from "./message/request.ts";
import { KeyedMutex } from "./mutex.ts";
import { keys, type TopicDocument } from "./store.ts";
import type { Filters } from "./subscription/filters.ts";
import type { SubscriptionRegistry } from "./subscription/registry.ts";

/** One message that may be published: its content, and how it is ordered. */
export interface Submission extends FifoIds {
  readonly content: MessageContent;
}

export interface Accepted {
  readonly id: string;
  /** Of FIFO topics. */
  readonly sequence?: number;
}

/** What waits in a lane: a message for one subscription, and how it has fared. */
export interface LaneDocument {
  readonly message: PublishedMessage;
  readonly failures: number;
  /** Epoch milliseconds. */
  readonly notBefore: number;
}

interface DuplicateDocument extends Accepted {
  /** Epoch milliseconds of the message that this one is a duplicate of. */
  readonly at: number;
}

export interface PublisherOptions {
  readonly documents: Documents;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly registry: SubscriptionRegistry;
  readonly filters: Filters;
  /** Told how many subscriptions of a FIFO topic a message was not for. */
  readonly onFiltered: (name: TopicName, count: number) => void;
}

/** Accepts messages: they are on disk, with all that their delivery needs, before anybody is told so. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #mutex = new KeyedMutex();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Accepts messages of one request, all of them or none, in their order. */
  accept(
    name: TopicName,
    topic: TopicDocument,
    submissions: readonly Submission[],
    traceHeader: string | undefined,
  ): Promise<readonly Accepted[]> {
    if (!isFifo(topic.name)) return this.#acceptStandard(name, topic, submissions, traceHeader);
    // One request after the other: each numbers its messages, and looks for duplicates of those before.
    return this.#mutex.run(topic.id, () => this.#acceptFifo(name, topic, submissions, traceHeader));
  }

  async #acceptStandard(
    name: TopicName,
    topic: TopicDocument,
    submissions: readonly Submission[],
    traceHeader: string | undefined,
  ): Promise<readonly Accepted[]> {
    const { queue, registry } = this.#options;
    const messages = submissions.map((submission) => this.#message(name, topic, submission, traceHeader));
    // Nobody is there to hear it.
    if (registry.counts(name, topic.id).confirmed > 0)
      await queue.append(
        messages.map((message) => ({ queue: publishQueue(name), body: encodeMessage(message) })),
      );
    return messages.map(({ id }) => ({ id }));
  }

  async #acceptFifo(
    name: TopicName,
    topic: TopicDocument,
    submissions: readonly Submission[],
    traceHeader: string | undefined,
  ): Promise<readonly Accepted[]> {
    const { documents } = this.#options;
    for (;;) {
      const key = keys.sequence(name, topic.id);
      const numbered = documents.get<number>(key);
      const batch = new FifoBatch(this.#options, name, topic, numbered?.value ?? 0);
      const accepted = submissions.map((submission) =>
        batch.add(submission, () => this.#message(name, topic, submission, traceHeader)),
      );
      if (batch.changes.length === 0) return accepted;
      const sequence: Change = { key, value: batch.next, expected: numbered?.revision ?? 0 };
      try {
        await documents.commit([sequence, ...batch.changes], batch.appends);
        return accepted;
      } catch (error) {
        if (!(error instanceof RevisionConflict)) throw error;
      }
    }
  }

  #message(
    name: TopicName,
    topic: TopicDocument,
    { content, groupId, deduplicationId }: Submission,
    traceHeader: string | undefined,
  ): PublishedMessage {
    return {
      account: name.account,
      region: name.region,
      name: name.name,
      topicId: topic.id,
      id: this.#options.ids.uuid(),
      publishedAt: this.#options.clock.now(),
      ...content,
      ...(groupId === undefined ? {} : { groupId }),
      ...(deduplicationId === undefined ? {} : { deduplicationId }),
      ...(traceHeader === undefined ? {} : { traceHeader }),
    };
  }
}

/** The messages of one request to a FIFO topic, as one commit. */
class FifoBatch {
  readonly changes: Change[] = [];
  readonly appends: QueueAppend[] = [];
  next: number;
  readonly #options: PublisherOptions;
  readonly #name: TopicName;
  readonly #topic: TopicDocument;
  readonly #fresh = new Map<string, Accepted>();

  constructor(options: PublisherOptions, name: TopicName, topic: TopicDocument, next: number) {
    this.#options = options;
    this.#name = name;
    this.#topic = topic;
    this.next = next;
  }

  add(submission: Submission, makeMessage: () => PublishedMessage): Accepted {
    const { documents, clock } = this.#options;
    const { groupId = "", deduplicationId = "" } = submission;
    const scoped = this.#topic.attributes["FifoThroughputScope"] === "MessageGroup" ? groupId : "";
    const hash = createHash("sha256")
      .update(JSON.stringify([scoped, deduplicationId]))
      .digest("hex");
    const key = keys.duplicate(this.#name, this.#topic.id, hash);
    const earlier = documents.get<DuplicateDocument>(key)?.value;
    const now = clock.now();
    if (earlier !== undefined && now - earlier.at < LIMITS.deduplicationMs)
      return { id: earlier.id, ...(earlier.sequence === undefined ? {} : { sequence: earlier.sequence }) };
    const sibling = this.#fresh.get(hash);
    if (sibling !== undefined) return sibling;
    const sequence = this.next++;
    const message: PublishedMessage = { ...makeMessage(), sequence };
    const accepted = { id: message.id, sequence };
    this.#fresh.set(hash, accepted);
    this.changes.push({ key, value: { ...accepted, at: now } satisfies DuplicateDocument });
    this.appends.push({
      queue: cleanupQueue(this.#name),
      body: encodeCleanup({ kind: "duplicate", topicId: this.#topic.id, hash }),
      delayMs: LIMITS.deduplicationMs,
    });
    this.#fanOut(message, sequence, groupId);
    return accepted;
  }

  /** Every subscription has a lane for each message group, so that one that fails holds up nobody else. */
  #fanOut(message: PublishedMessage, sequence: number, groupId: string): void {
    const { registry, filters, onFiltered } = this.#options;
    const matching = new Matching(message, filters);
    const group = groupHash(groupId);
    let filtered = 0;
    for (const subscription of registry.membersOf(this.#name, this.#topic.id)) {
      if (subscription.pending) continue;
      if (!matching.passes(subscription)) {
        filtered++;
        continue;
      }
      const waiting: LaneDocument = { message, failures: 0, notBefore: 0 };
      this.changes.push({ key: keys.lane(this.#name, subscription.id, group, sequence), value: waiting });
      // The lane is the truth; what stands in the queue says only that there is something in it.
      this.appends.push({ queue: laneQueue(this.#name, subscription.id, group), body: Buffer.alloc(0) });
    }
    if (filtered > 0) onFiltered(this.#name, filtered);
  }
}
