import type { MessageAttributes } from "./attributes.ts";

/** What every form of a message says. Forms leave out what is undefined. */
export interface Notice {
  readonly type: "Notification" | "SubscriptionConfirmation" | "UnsubscribeConfirmation";
  readonly messageId: string;
  /** Of FIFO topics, whose messages are not signed (recorded: test_fifo_topic_to_regular_sqs). */
  readonly sequenceNumber?: string;
  readonly topicArn: string;
  readonly subject?: string;
  readonly message: string;
  /** ISO 8601 with milliseconds. */
  readonly timestamp: string;
  readonly token?: string;
  readonly subscribeUrl?: string;
  readonly unsubscribeUrl?: string;
  readonly attributes?: MessageAttributes;
  readonly signature?: Signature;
}

export interface Signature {
  readonly version: "1" | "2";
  /** Base64. */
  readonly value: string;
  readonly certificateUrl: string;
}

/**
 * What a notice's signature is made over: names and values on lines of their own, in byte order of the names (developer
 * guide, "Verifying the signatures of Amazon SNS messages").
 */
export function signedText(notice: Notice): string {
  const { type, messageId, topicArn, subject, message, timestamp, token, subscribeUrl } = notice;
  const members =
    type === "Notification"
      ? { Message: message, MessageId: messageId, Subject: subject }
      : { Message: message, MessageId: messageId, SubscribeURL: subscribeUrl };
  const all = {
    ...members,
    Timestamp: timestamp,
    ...(type === "Notification" ? {} : { Token: token }),
    TopicArn: topicArn,
    Type: type,
  };
  return Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}\n${value}\n`)
    .join("");
}

/** The JSON document that HTTP endpoints and queues get, in AWS's order and with its spaces and line breaks. */
export function notificationJson(notice: Notice): string {
  const { signature, attributes } = notice;
  const members: readonly (readonly [string, string | undefined])[] = [
    ["Type", notice.type],
    ["MessageId", notice.messageId],
    ["SequenceNumber", notice.sequenceNumber],
    ["Token", notice.token],
    ["TopicArn", notice.topicArn],
    ["Subject", notice.subject],
    ["Message", notice.message],
    ["SubscribeURL", notice.subscribeUrl],
    ["Timestamp", notice.timestamp],
    ["SignatureVersion", signature?.version],
    ["Signature", signature?.value],
    ["SigningCertURL", signature?.certificateUrl],
    ["UnsubscribeURL", notice.unsubscribeUrl],
  ];
  const lines = members.flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${JSON.stringify(name)} : ${JSON.stringify(value)}`],
  );
  const names = Object.entries(attributes ?? {});
  if (names.length > 0) {
    const inner = names.map(
      ([name, { type, value }]) =>
        `    ${JSON.stringify(name)} : ${JSON.stringify({ Type: type, Value: value })}`,
    );
    lines.push(`  "MessageAttributes" : {\n${inner.join(",\n")}\n  }`);
  }
  return `{\n${lines.join(",\n")}\n}`;
}

/** The event that functions get (recorded: test_python_lambda_subscribe_sns_topic). */
export function lambdaEvent(notice: Notice, subscriptionArn: string): string {
  const { signature, attributes = {} } = notice;
  const sns = {
    Type: notice.type,
    MessageId: notice.messageId,
    TopicArn: notice.topicArn,
    Subject: notice.subject ?? null,
    Message: notice.message,
    Timestamp: notice.timestamp,
    SignatureVersion: signature?.version,
    Signature: signature?.value,
    SigningCertUrl: signature?.certificateUrl,
    UnsubscribeUrl: notice.unsubscribeUrl,
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, { type, value }]) => [name, { Type: type, Value: value }]),
    ),
  };
  const record = {
    EventSource: "aws:sns",
    EventVersion: "1.0",
    EventSubscriptionArn: subscriptionArn,
    Sns: sns,
  };
  return JSON.stringify({ Records: [record] });
}
