import type { Clock } from "#core/clock";
import type { Documents } from "#storage/documents";
import { type Scope, subscriptionArn, topicArn } from "../arns.ts";
import type { PublishedMessage } from "../message/message.ts";
import type { Signature } from "../message/notification.ts";
import type { SnsMetrics } from "../metrics.ts";
import { keys, type Protocol, type SubscriptionDocument, type TopicDocument } from "../store.ts";
import { isHttp } from "../subscription/attributes.ts";
import { deadLetterQueue } from "../subscription/redrive-policy.ts";
import { applied } from "../topic/delivery-policy.ts";
import { type DeliveryFailure, failureOf } from "./failure.ts";
import type { Notices } from "./notices.ts";
import { httpSchedule, managedSchedule, type Schedule } from "./schedule.ts";
import type { QueueSender } from "./targets/sqs.ts";
import type { Delivery, Target } from "./targets/target.ts";

/** How a delivery stands after it was tried. */
export type Outcome =
  | { readonly state: "done" }
  /** To be tried again, after so many failures. */
  | { readonly state: "again"; readonly delayMs: number; readonly failures: number };

export interface DelivererOptions {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly notices: Notices;
  readonly targets: Readonly<Record<Protocol, Target>>;
  readonly queues: QueueSender;
  readonly metrics: SnsMetrics;
  /** Told of a message that was given up, and why. */
  readonly onLost: (lost: {
    readonly topicArn: string;
    readonly subscriptionArn: string;
    readonly messageId: string;
    readonly reason: string;
  }) => void;
}

/** Hands messages to endpoints, and what they do not take to their dead-letter queues. */
export class Deliverer {
  readonly #options: DelivererOptions;

  constructor(options: DelivererOptions) {
    this.#options = options;
  }

  topicOf(message: PublishedMessage): TopicDocument | undefined {
    return this.#options.documents.get<TopicDocument>(keys.topic(message))?.value;
  }

  subscription(scope: Scope, id: string): SubscriptionDocument | undefined {
    return this.#options.documents.get<SubscriptionDocument>(keys.subscription(scope, id))?.value;
  }

  /**
   * Tries a delivery, and again as long as the schedule says "at once".
   * @param failures how often it has failed before
   * @param signatures of the same message, made for other subscriptions
   */
  async attempt(
    message: PublishedMessage,
    subscription: SubscriptionDocument,
    failures: number,
    signatures?: Map<string, Promise<Signature>>,
  ): Promise<Outcome> {
    const { notices, targets, metrics, clock } = this.#options;
    const topic = this.topicOf(message);
    const notice = await notices.ofMessage(message, subscription, topic, signatures);
    const delivery: Delivery = { message, subscription, topic, notice };
    const schedule = scheduleOf(subscription, topic);
    for (let failed = failures; ;) {
      let failure: DeliveryFailure;
      try {
        await targets[subscription.protocol](delivery);
        metrics.count(message, "NumberOfNotificationsDelivered", 1, clock.now());
        return { state: "done" };
      } catch (error) {
        failure = failureOf(error);
      }
      failed++;
      const delayMs = failure.permanent ? undefined : schedule(failed);
      if (delayMs === undefined) return this.#giveUp(delivery, failure, failed);
      if (delayMs > 0) return { state: "again", delayMs, failures: failed };
    }
  }

  /** The dead-letter queue gets it; where that cannot be reached now, the whole delivery comes again. */
  async #giveUp(delivery: Delivery, failure: DeliveryFailure, failures: number): Promise<Outcome> {
    const { queues, metrics, clock, onLost } = this.#options;
    const { message, subscription } = delivery;
    const queue = deadLetterQueue(subscription.attributes["RedrivePolicy"]);
    const now = clock.now();
    let reason = failure.message;
    if (queue !== undefined) {
      try {
        await queues.send(queue, delivery);
        metrics.count(message, "NumberOfNotificationsFailed", 1, now);
        metrics.count(message, "NumberOfNotificationsRedrivenToDlq", 1, now);
        return { state: "done" };
      } catch (error) {
        const refusal = failureOf(error);
        const delayMs = refusal.permanent ? undefined : managedSchedule(failures);
        if (delayMs !== undefined) return { state: "again", delayMs: Math.max(delayMs, 1000), failures };
        metrics.count(message, "NumberOfNotificationsFailedToRedriveToDlq", 1, now);
        reason = `${reason}; dead-letter queue: ${refusal.message}`;
      }
    }
    metrics.count(message, "NumberOfNotificationsFailed", 1, now);
    onLost({
      topicArn: topicArn(message),
      subscriptionArn: subscriptionArn({ ...message, id: subscription.id }),
      messageId: message.id,
      reason,
    });
    return { state: "done" };
  }
}

function scheduleOf(subscription: SubscriptionDocument, topic: TopicDocument | undefined): Schedule {
  if (!isHttp(subscription.protocol)) return managedSchedule;
  const own = subscription.attributes["DeliveryPolicy"] || undefined;
  return httpSchedule(applied(own, topic?.attributes["DeliveryPolicy"] || undefined).retry);
}
