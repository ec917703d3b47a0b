import type { Clock } from "#core/clock";
import type { Documents, QueueAppend, QueueName } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import type { Queue } from "#storage/queue";
import { type Scope, subscriptionArn } from "../arns.ts";
import { Matching } from "../message/matching.ts";
import { decodeMessage, type PublishedMessage } from "../message/message.ts";
import type { Signature } from "../message/notification.ts";
import type { SnsMetrics } from "../metrics.ts";
import type { Outbox } from "../outbox.ts";
import type { LaneDocument } from "../publisher.ts";
import { keys, type SubscriptionDocument } from "../store.ts";
import { isHttp } from "../subscription/attributes.ts";
import type { Filters } from "../subscription/filters.ts";
import type { SubscriptionRegistry } from "../subscription/registry.ts";
import { DEFAULT_RETRY_POLICY } from "../topic/delivery-policy.ts";
import { cleanUp, decodeCleanup } from "./cleanup.ts";
import type { Deliverer } from "./delivery.ts";
import { failureOf } from "./failure.ts";
import type { Confirmation, Notices } from "./notices.ts";
import { deliveryQueue, KIND } from "./queues.ts";
import { httpSchedule } from "./schedule.ts";
import { type Post, postConfirmation } from "./targets/http.ts";
import { mailConfirmation } from "./targets/people.ts";
import { Throttle } from "./throttle.ts";
import type { KindOptions, Leased } from "./worker.ts";

/** What waits in the queue of one subscription. */
type Job =
  | { readonly kind: "message"; readonly message: PublishedMessage; readonly failures: number }
  | { readonly kind: "confirmation"; readonly confirmation: Confirmation; readonly failures: number };

export interface DispatcherOptions {
  readonly documents: Documents;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly registry: SubscriptionRegistry;
  readonly filters: Filters;
  readonly deliverer: Deliverer;
  readonly notices: Notices;
  readonly post: Post;
  readonly outbox: Outbox;
  readonly metrics: SnsMetrics;
}

/** So many subscriptions of a topic are looked at, and served, at a time. */
const PAGE = 50;
/** So many messages of a lane are delivered in one turn, then others have theirs. */
const LANE_TURN = 25;

/** What is done with each kind of queue. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #throttle: Throttle;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#throttle = new Throttle(options.clock);
  }

  /** For the worker: what it does with the queues. */
  kinds(): Readonly<Record<string, KindOptions>> {
    return {
      [KIND.publish]: {
        batch: 4,
        turns: 4,
        work: async (_, messages) => {
          await Promise.all(messages.map((leased) => this.#fanOut(leased)));
        },
      },
      [KIND.delivery]: {
        batch: 4,
        turns: 2,
        waits: true,
        work: async (queue, messages) => {
          await Promise.all(messages.map((leased) => this.#redeliver(queue, leased)));
        },
      },
      [KIND.lane]: { batch: 32, turns: 1, work: (queue, messages) => this.#workLane(queue, messages) },
      [KIND.cleanup]: {
        batch: 64,
        turns: 1,
        work: async ([account, region], messages) => {
          const cleanups = messages.map(({ body }) => decodeCleanup(body));
          await cleanUp({ account, region }, cleanups, this.#options);
          await Promise.all(messages.map((leased) => leased.ack()));
        },
      },
    };
  }

  /** Puts a request to confirm on its way; resolves once it is on disk. */
  async confirm(confirmation: Confirmation): Promise<void> {
    const { outbox, notices, queue, registry } = this.#options;
    const { subscription } = confirmation;
    if (isHttp(subscription.protocol)) {
      const job: Job = { kind: "confirmation", confirmation, failures: 0 };
      await queue.append([{ queue: deliveryQueue(confirmation, subscription.id), body: encodeJob(job) }]);
      return;
    }
    const notice = await notices.ofConfirmation(confirmation, registry.topic(confirmation));
    await mailConfirmation(outbox, confirmation, subscription, notice);
  }

  /** A message of a standard topic goes to every subscription that it passes; each that fails gets a life of its own. */
  async #fanOut(leased: Leased): Promise<void> {
    const { registry, filters, queue, deliverer } = this.#options;
    const message = decodeMessage(leased.body);
    if (deliverer.topicOf(message)?.id !== message.topicId) return leased.ack();
    const matching = new Matching(message, filters);
    const signatures = new Map<string, Promise<Signature>>();
    let after: string | undefined;
    for (;;) {
      const page = firstOf(registry.membersOf(message, message.topicId, after), PAGE);
      const confirmed = page.filter(({ pending }) => !pending);
      const meant = confirmed.filter((subscription) => matching.passes(subscription));
      this.#countFiltered(message, confirmed.length - meant.length);
      const later = await Promise.all(
        meant.map((subscription) => this.#first(message, subscription, signatures)),
      );
      const appends = later.filter((append) => append !== undefined);
      if (appends.length > 0) await queue.append(appends);
      if (page.length < PAGE) break;
      after = page.at(-1)?.id;
    }
    return leased.ack();
  }

  #countFiltered(message: PublishedMessage, count: number): void {
    const { metrics, clock } = this.#options;
    if (count > 0) metrics.count(message, "NumberOfNotificationsFilteredOut", count, clock.now());
  }

  /** Endpoints beyond this platform may be slow: they are waited for in queues of their own. */
  async #first(
    message: PublishedMessage,
    subscription: SubscriptionDocument,
    signatures: Map<string, Promise<Signature>>,
  ): Promise<QueueAppend | undefined> {
    const queue = deliveryQueue(message, subscription.id);
    if (isHttp(subscription.protocol))
      return { queue, body: encodeJob({ kind: "message", message, failures: 0 }) };
    const outcome = await this.#options.deliverer.attempt(message, subscription, 0, signatures);
    if (outcome.state === "done") return undefined;
    const { failures, delayMs } = outcome;
    return { queue, body: encodeJob({ kind: "message", message, failures }), delayMs };
  }

  async #redeliver(queue: QueueName, leased: Leased): Promise<void> {
    const { deliverer } = this.#options;
    const job = JSON.parse(Buffer.from(leased.body).toString()) as Job;
    if (job.kind === "confirmation") return this.#sendConfirmation(leased, job);
    const [account, region, , id = ""] = queue;
    const subscription = deliverer.subscription({ account, region }, id);
    if (subscription === undefined) return leased.ack();
    const wait = this.#throttle.wait(subscription, deliverer.topicOf(job.message));
    if (wait > 0) return leased.putBack(wait);
    const outcome = await deliverer.attempt(job.message, subscription, job.failures);
    if (outcome.state === "done") return leased.ack();
    const { failures, delayMs } = outcome;
    return leased.putBack(delayMs, encodeJob({ ...job, failures }));
  }

  async #sendConfirmation(leased: Leased, job: Extract<Job, { kind: "confirmation" }>): Promise<void> {
    const { notices, post, registry } = this.#options;
    const { confirmation } = job;
    const { subscription } = confirmation;
    const notice = await notices.ofConfirmation(confirmation, registry.topic(confirmation));
    const arn = subscriptionArn({ ...confirmation, id: subscription.id });
    try {
      await postConfirmation(post, { subscription, notice, arn });
      return await leased.ack();
    } catch (error) {
      const failures = job.failures + 1;
      const failure = failureOf(error);
      const delayMs = failure.permanent ? undefined : httpSchedule(DEFAULT_RETRY_POLICY)(failures);
      if (delayMs === undefined) return leased.ack();
      return leased.putBack(delayMs, encodeJob({ ...job, failures }));
    }
  }

  /**
   * Delivers a lane in order until it is empty or its first message has to wait. What is in the queue only says that the
   * lane holds something: one that stays is enough.
   */
  async #workLane(
    [account, region, , id = "", group = ""]: QueueName,
    signals: readonly Leased[],
  ): Promise<void> {
    const scope = { account, region };
    const wait = await this.#drainLane(scope, id, group);
    const [first, ...rest] = signals;
    await Promise.all([
      ...rest.map((signal) => signal.ack()),
      wait === undefined ? first?.ack() : first?.putBack(wait),
    ]);
  }

  /** @returns milliseconds after which to go on; undefined where the lane is empty */
  async #drainLane(scope: Scope, id: string, group: string): Promise<number | undefined> {
    const { documents, clock, deliverer } = this.#options;
    for (let taken = 0; taken < LANE_TURN; taken++) {
      const [head] = documents.list<LaneDocument>(keys.laneOf(scope, id, group), { limit: 1 });
      if (head === undefined) return undefined;
      const { message, failures, notBefore } = head.value;
      const wait = notBefore - clock.now();
      if (wait > 0) return wait;
      const subscription = deliverer.subscription(scope, id);
      const outcome =
        subscription === undefined
          ? { state: "done" as const }
          : await deliverer.attempt(message, subscription, failures);
      const { key, revision } = head;
      const next: LaneDocument | undefined =
        outcome.state === "done"
          ? undefined
          : { message, failures: outcome.failures, notBefore: clock.now() + outcome.delayMs };
      try {
        await documents.commit([
          next === undefined
            ? { key, delete: true, expected: revision }
            : { key, value: next, expected: revision },
        ]);
      } catch (error) {
        // Emptied under our hands.
        if (!(error instanceof RevisionConflict)) throw error;
      }
      if (outcome.state === "again") return outcome.delayMs;
    }
    return 0;
  }
}

function encodeJob(job: Job): Uint8Array {
  return Buffer.from(JSON.stringify(job));
}

function firstOf<T>(items: Iterable<T>, count: number): readonly T[] {
  const found: T[] = [];
  for (const item of items) {
    found.push(item);
    if (found.length === count) break;
  }
  return found;
}
