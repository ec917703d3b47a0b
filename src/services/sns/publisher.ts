import { createHash } from "node:crypto";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Change, Documents, QueueAppend } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import type { Queue } from "#storage/queue";
import { isFifo, type TopicName } from "./arns.ts";
import { Combiner } from "./combiner.ts";
import { encodeCleanup } from "./delivery/cleanup.ts";
import { groupHash, laneQueue, publishQueue, cleanupQueue } from "./delivery/queues.ts";
import { LIMITS } from "./limits.ts";
import { Matching } from "./message/matching.ts";
import { encodeMessage, type PublishedMessage } from "./message/message.ts";
import type { FifoIds, MessageContent } from "./message/request.ts";
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
  /** One commit after the other for each FIFO topic: each numbers messages, and looks for duplicates of those before. */
  readonly #fifo: Combiner<FifoRequest, readonly Accepted[]>;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#fifo = new Combiner(MOST_TOGETHER, (requests) => this.#acceptFifo(requests));
  }

  /** Accepts messages of one request, all of them or none, in their order. */
  accept(
    name: TopicName,
    topic: TopicDocument,
    submissions: readonly Submission[],
    traceHeader: string | undefined,
  ): Promise<readonly Accepted[]> {
    if (!isFifo(topic.name)) return this.#acceptStandard(name, topic, submissions, traceHeader);
    return this.#fifo.run(topic.id, { name, topic, submissions, traceHeader });
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

  /** Requests of one topic. */
  async #acceptFifo(requests: readonly FifoRequest[]): Promise<readonly (readonly Accepted[])[]> {
    const { documents } = this.#options;
    const [first] = requests;
    if (first === undefined) return [];
    const key = keys.sequence(first.name, first.topic.id);
    for (;;) {
      const numbered = documents.get<number>(key);
      const batch = new FifoBatch(this.#options, numbered?.value ?? 0);
      const accepted = requests.map(({ name, topic, submissions, traceHeader }) =>
        submissions.map((submission) =>
          batch.add(name, topic, submission, () => this.#message(name, topic, submission, traceHeader)),
        ),
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

interface FifoRequest {
  readonly name: TopicName;
  readonly topic: TopicDocument;
  readonly submissions: readonly Submission[];
  readonly traceHeader: string | undefined;
}

/** Requests that share a commit: enough to make flushes cheap, few enough to keep the commit short. */
const MOST_TOGETHER = 20;

/** Messages to a FIFO topic, as one commit. */
class FifoBatch {
  readonly changes: Change[] = [];
  readonly appends: QueueAppend[] = [];
  next: number;
  readonly #options: PublisherOptions;
  readonly #fresh = new Map<string, Accepted>();

  constructor(options: PublisherOptions, next: number) {
    this.#options = options;
    this.next = next;
  }

  add(
    name: TopicName,
    topic: TopicDocument,
    submission: Submission,
    makeMessage: () => PublishedMessage,
  ): Accepted {
    const { documents, clock } = this.#options;
    const { groupId = "", deduplicationId = "" } = submission;
    const scoped = topic.attributes["FifoThroughputScope"] === "MessageGroup" ? groupId : "";
    const hash = createHash("sha256")
      .update(JSON.stringify([scoped, deduplicationId]))
      .digest("hex");
    const key = keys.duplicate(name, topic.id, hash);
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
      queue: cleanupQueue(name),
      body: encodeCleanup({ kind: "duplicate", topicId: topic.id, hash }),
      delayMs: LIMITS.deduplicationMs,
    });
    this.#fanOut(name, message, sequence, groupId);
    return accepted;
  }

  /** Every subscription has a lane for each message group, so that one that fails holds up nobody else. */
  #fanOut(name: TopicName, message: PublishedMessage, sequence: number, groupId: string): void {
    const { registry, filters, onFiltered } = this.#options;
    const matching = new Matching(message, filters);
    const group = groupHash(groupId);
    let filtered = 0;
    for (const subscription of registry.membersOf(name, message.topicId)) {
      if (subscription.pending) continue;
      if (!matching.passes(subscription)) {
        filtered++;
        continue;
      }
      const waiting: LaneDocument = { message, failures: 0, notBefore: 0 };
      this.changes.push({ key: keys.lane(name, subscription.id, group, sequence), value: waiting });
      // The lane is the truth; what stands in the queue says only that there is something in it.
      this.appends.push({ queue: laneQueue(name, subscription.id, group), body: Buffer.alloc(0) });
    }
    if (filtered > 0) onFiltered(name, filtered);
  }
}
