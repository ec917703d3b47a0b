import type { PublishedMessage } from "../../message/message.ts";
import type { Notice } from "../../message/notification.ts";
import type { SubscriptionDocument, TopicDocument } from "../../store.ts";

/** One message for one subscription. */
export interface Delivery {
  readonly message: PublishedMessage;
  readonly subscription: SubscriptionDocument;
  /** Undefined where it was deleted after the message was accepted. */
  readonly topic: TopicDocument | undefined;
  readonly notice: Notice;
}

/** Hands a message over. @throws DeliveryFailure, AwsError */
export type Target = (delivery: Delivery) => Promise<void>;

export function isRaw({ attributes }: SubscriptionDocument): boolean {
  return attributes["RawMessageDelivery"] === "true";
}
