import type { Documents } from "#storage/documents";
import { keys, type EndpointDocument, type SubscriptionDocument } from "../../store.ts";
import { readEndpointArn } from "../../platform-arns.ts";
import { type Notice, notificationJson } from "../../message/notification.ts";
import { textFor } from "../../message/message.ts";
import type { Outbox } from "../../outbox.ts";
import type { Confirmation } from "../notices.ts";
import { DeliveryFailure } from "../failure.ts";
import type { Target } from "./target.ts";

/** Mail without a subject has this one, as from AWS. */
const NO_SUBJECT = "AWS Notification Message";

export function emailTarget(outbox: Outbox): Target {
  return ({ message, subscription, notice }) => {
    const { account, region } = message;
    const json = subscription.protocol === "email-json";
    const footer =
      "\n\n--\nIf you wish to stop receiving notifications from this topic, please visit the link below to unsubscribe:\n" +
      (notice.unsubscribeUrl ?? "");
    return outbox.put({
      channel: json ? "email-json" : "email",
      account,
      region,
      to: subscription.endpoint,
      subject: notice.subject ?? NO_SUBJECT,
      body: json ? notificationJson(notice) : notice.message + footer,
      messageId: notice.messageId,
      topicArn: notice.topicArn,
    });
  };
}

export function smsTarget(outbox: Outbox, documents: Documents): Target {
  return async ({ message, subscription, notice }) => {
    const { account, region } = message;
    if (documents.get(keys.optedOut(message, subscription.endpoint)) !== undefined)
      throw new DeliveryFailure("the phone number is opted out", { permanent: true });
    await outbox.put({
      channel: "sms",
      account,
      region,
      to: subscription.endpoint,
      body: notice.message,
      messageId: notice.messageId,
      topicArn: notice.topicArn,
    });
  };
}

/** A device is reached by its endpoint, while that is enabled. */
export function applicationTarget(outbox: Outbox, documents: Documents): Target {
  return async ({ message, subscription, notice }) => {
    const { account, region } = message;
    const named = readEndpointArn(subscription.endpoint);
    const key = named && keys.endpoint(named, named.platform, named.name, named.id);
    const endpoint = key && documents.get<EndpointDocument>(key)?.value;
    if (endpoint === undefined || named === undefined)
      throw new DeliveryFailure("the endpoint does not exist", { permanent: true });
    if (endpoint.attributes["Enabled"] === "false")
      throw new DeliveryFailure("the endpoint is disabled", { permanent: true });
    await outbox.put({
      channel: "application",
      account,
      region,
      to: subscription.endpoint,
      body: textFor(message, "application", named.platform),
      messageId: notice.messageId,
      topicArn: notice.topicArn,
    });
  };
}

/** Asks the owner of a mailbox to confirm; the token stands with it. */
export function mailConfirmation(
  outbox: Outbox,
  { account, region, token }: Confirmation,
  subscription: SubscriptionDocument,
  notice: Notice,
): Promise<void> {
  const json = subscription.protocol === "email-json";
  return outbox.put({
    channel: json ? "email-json" : "email",
    account,
    region,
    to: subscription.endpoint,
    subject: "AWS Notification - Subscription Confirmation",
    body: json
      ? notificationJson(notice)
      : `You have chosen to subscribe to the topic:\n${notice.topicArn}\n\nTo confirm this subscription, visit the link below:\n${notice.subscribeUrl ?? ""}`,
    messageId: notice.messageId,
    topicArn: notice.topicArn,
    token,
    ...(notice.subscribeUrl === undefined ? {} : { subscribeUrl: notice.subscribeUrl }),
  });
}
