import { subscriptionArn, topicArn, type TopicName } from "../arns.ts";
import { sequenceNumber, type PublishedMessage, textFor } from "../message/message.ts";
import { type Notice, type Signature, signedText } from "../message/notification.ts";
import type { Signer } from "../signing/signer.ts";
import type { SubscriptionDocument, TopicDocument } from "../store.ts";

/** A request to confirm, on its way. */
export interface Confirmation extends TopicName {
  readonly type: "SubscriptionConfirmation" | "UnsubscribeConfirmation";
  readonly id: string;
  readonly subscription: SubscriptionDocument;
  readonly token: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Makes the documents that leave: with links to this platform, and signed. */
export class Notices {
  readonly #signer: Signer;
  readonly #url: () => string;

  constructor(signer: Signer, url: () => string) {
    this.#signer = signer;
    this.#url = url;
  }

  /** @param signatures of this message, by version and text: most endpoints get the same one */
  async ofMessage(
    message: PublishedMessage,
    subscription: SubscriptionDocument,
    topic: TopicDocument | undefined,
    signatures: Map<string, Promise<Signature>> = new Map(),
  ): Promise<Notice> {
    const { subject, sequence } = message;
    const arn = subscriptionArn({ ...message, id: subscription.id });
    const notice: Notice = {
      type: "Notification",
      messageId: message.id,
      ...(sequence === undefined ? {} : { sequenceNumber: sequenceNumber(sequence) }),
      topicArn: topicArn(message),
      ...(subject === undefined ? {} : { subject }),
      message: textFor(message, subscription.protocol),
      timestamp: new Date(message.publishedAt).toISOString(),
      unsubscribeUrl: `${this.#url()}/?Action=Unsubscribe&SubscriptionArn=${arn}`,
      attributes: message.attributes,
    };
    if (sequence !== undefined) return notice;
    const text = signedText(notice);
    // Functions get version 1, whatever the topic's is (recorded: test_publish_lambda_verify_signature[2]).
    const version = subscription.protocol === "lambda" ? "1" : versionOf(topic);
    const key = version + text;
    let signature = signatures.get(key);
    if (signature === undefined) {
      signature = this.#signer.sign(text, version);
      signatures.set(key, signature);
    }
    return { ...notice, signature: await signature };
  }

  async ofConfirmation(confirmation: Confirmation, topic: TopicDocument | undefined): Promise<Notice> {
    const { type, token, subscription, id } = confirmation;
    const arn = topicArn(confirmation);
    const notice: Notice = {
      type,
      messageId: id,
      token,
      topicArn: arn,
      message:
        type === "SubscriptionConfirmation"
          ? `You have chosen to subscribe to the topic ${arn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`
          : `You have chosen to deactivate subscription ${subscriptionArn({ ...confirmation, id: subscription.id })}.\n` +
            "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message.",
      subscribeUrl: `${this.#url()}/?Action=ConfirmSubscription&TopicArn=${arn}&Token=${token}`,
      timestamp: new Date(confirmation.at).toISOString(),
    };
    return { ...notice, signature: await this.#signer.sign(signedText(notice), versionOf(topic)) };
  }
}

function versionOf(topic: TopicDocument | undefined): Signature["version"] {
  return topic?.attributes["SignatureVersion"] === "2" ? "2" : "1";
}
