import type { Change, Document, Documents, QueueAppend } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import type { Scope, TopicName } from "../arns.ts";
import { snsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import {
  keys,
  NO_SUBSCRIPTIONS,
  type SubscriptionDocument,
  type TokenDocument,
  type TopicCounts,
  type TopicDocument,
} from "../store.ts";
import { hasFilter } from "./attributes.ts";
import { endpointHash } from "./endpoints.ts";

/** What is committed together with a change. */
export interface Together {
  readonly changes: readonly Change[];
  readonly appends: readonly QueueAppend[];
}

const NOTHING_MORE: Together = { changes: [], appends: [] };

/**
 * Subscriptions with all that has to change together with them: the topic's list of members, its counts, the place of
 * each endpoint, and tokens. What was read is what is expected, and on a conflict it starts again.
 */
export class SubscriptionRegistry {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  find(scope: Scope, id: string): Document<SubscriptionDocument> | undefined {
    return this.#documents.get<SubscriptionDocument>(keys.subscription(scope, id));
  }

  /** The topic's subscription of this endpoint. */
  byEndpoint(
    scope: Scope,
    topicId: string,
    protocol: string,
    endpoint: string,
  ): Document<SubscriptionDocument> | undefined {
    const place = keys.endpointOf(scope, topicId, protocol, endpointHash(endpoint));
    const id = this.#documents.get<string>(place)?.value;
    return id === undefined ? undefined : this.find(scope, id);
  }

  /** Subscriptions of a topic by id, one read each; do not keep the iterator across an await. */
  *membersOf(scope: Scope, topicId: string, after?: string): Generator<SubscriptionDocument> {
    const members = keys.membersOf(scope, topicId);
    const options = after === undefined ? {} : { after: keys.member(scope, topicId, after) };
    for (const { key } of this.#documents.list(members, options)) {
      const subscription = this.find(scope, String(key.at(-1)));
      if (subscription !== undefined) yield subscription.value;
    }
  }

  /** Adds a subscription. @returns false where the endpoint has one already */
  async add(scope: Scope, subscription: SubscriptionDocument): Promise<boolean> {
    const { id, topicId, topicName, protocol, endpoint } = subscription;
    const place = keys.endpointOf(scope, topicId, protocol, endpointHash(endpoint));
    const topicKey = keys.topic({ ...scope, name: topicName });
    for (;;) {
      const topic = this.#documents.get<TopicDocument>(topicKey);
      if (topic?.value.id !== topicId) throw snsErrors.topicMissing();
      if (this.#documents.get(place) !== undefined) return false;
      const changes: Change[] = [
        { key: keys.subscription(scope, id), value: subscription, expected: 0 },
        { key: keys.member(scope, topicId, id), value: true },
        { key: place, value: id, expected: 0 },
        // A topic that is deleted at the same time gets no new subscription.
        { key: topicKey, value: topic.value, expected: topic.revision },
        this.#count(scope, topicId, undefined, subscription),
      ];
      if (await this.#commit(changes)) return true;
    }
  }

  /** Changes a subscription. `change` may throw; it gets undefined where there is no such subscription. */
  async update(
    scope: Scope,
    id: string,
    change: (current: SubscriptionDocument | undefined) => SubscriptionDocument,
    more: readonly Change[] = [],
  ): Promise<SubscriptionDocument> {
    for (;;) {
      const current = this.find(scope, id);
      const next = change(current?.value);
      const counted = this.#count(scope, next.topicId, current?.value, next);
      const key = keys.subscription(scope, id);
      if (await this.#commit([{ key, value: next, expected: current?.revision ?? 0 }, counted, ...more]))
        return next;
    }
  }

  /**
   * Ends a subscription.
   * @param more what is to be stored in the same step
   * @returns it, or undefined where there was none
   */
  async remove(
    scope: Scope,
    id: string,
    more: (removed: SubscriptionDocument) => Together = () => NOTHING_MORE,
  ): Promise<SubscriptionDocument | undefined> {
    for (;;) {
      const current = this.find(scope, id);
      if (current === undefined) return undefined;
      const { topicId, protocol, endpoint } = current.value;
      const { changes, appends } = more(current.value);
      const committed = await this.#commit(
        [
          { key: keys.subscription(scope, id), delete: true, expected: current.revision },
          { key: keys.member(scope, topicId, id), delete: true },
          { key: keys.endpointOf(scope, topicId, protocol, endpointHash(endpoint)), delete: true },
          this.#count(scope, topicId, current.value, undefined),
          ...changes,
        ],
        appends,
      );
      if (committed) return current.value;
    }
  }

  /** Stores a token by itself, with what is to be done when its time is over. */
  async putToken(scope: Scope, text: string, document: TokenDocument, over: QueueAppend): Promise<void> {
    await this.#documents.commit([{ key: keys.token(scope, text), value: document }], [over]);
  }

  counts(scope: Scope, topicId: string): TopicCounts {
    return this.#documents.get<TopicCounts>(keys.counts(scope, topicId))?.value ?? NO_SUBSCRIPTIONS;
  }

  topic(name: TopicName): TopicDocument | undefined {
    return this.#documents.get<TopicDocument>(keys.topic(name))?.value;
  }

  #count(
    scope: Scope,
    topicId: string,
    before: SubscriptionDocument | undefined,
    after: SubscriptionDocument | undefined,
  ): Change {
    const key = keys.counts(scope, topicId);
    const current = this.#documents.get<TopicCounts>(key);
    const counts = current?.value ?? NO_SUBSCRIPTIONS;
    const differ = (holds: (subscription: SubscriptionDocument) => boolean): number =>
      Number(after !== undefined && holds(after)) - Number(before !== undefined && holds(before));
    const filterPolicies = counts.filterPolicies + differ(({ attributes }) => hasFilter(attributes));
    if (filterPolicies > Math.max(LIMITS.filterPoliciesPerTopic, counts.filterPolicies))
      throw snsErrors.filterPolicies();
    const value: TopicCounts = {
      confirmed: counts.confirmed + differ(({ pending }) => !pending),
      pending: counts.pending + differ(({ pending }) => pending),
      deleted: counts.deleted + Number(after === undefined),
      filterPolicies,
    };
    return { key, value, expected: current?.revision ?? 0 };
  }

  async #commit(changes: readonly Change[], appends: readonly QueueAppend[] = []): Promise<boolean> {
    try {
      await this.#documents.commit(changes, appends);
      return true;
    } catch (error) {
      if (error instanceof RevisionConflict) return false;
      throw error;
    }
  }
}
