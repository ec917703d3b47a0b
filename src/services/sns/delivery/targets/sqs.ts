import type { SendMessageRequest } from "@aws-sdk/client-sqs";
import { parseArn } from "#core/arn";
import { servicePrincipal } from "#core/principal";
import type { AwsCaller } from "#wire/operation";
import { isFifo, topicArn } from "../../arns.ts";
import { LIMITS } from "../../limits.ts";
import { notificationJson } from "../../message/notification.ts";
import { DeliveryFailure } from "../failure.ts";
import { type Delivery, isRaw, type Target } from "./target.ts";

/** Sends to a queue, as a queue's own client would. */
export interface QueueSender {
  /** @param queueArn of the queue, which may be of another account and region */
  send(queueArn: string, delivery: Delivery): Promise<void>;
}

export function createQueueSender(caller: AwsCaller, url: () => string): QueueSender {
  return {
    async send(queueArn, delivery) {
      const { message } = delivery;
      const arn = parseArn(queueArn);
      if (arn === undefined) throw new DeliveryFailure("the queue's ARN is none", { permanent: true });
      const input: SendMessageRequest = {
        QueueUrl: `${url()}/${arn.account}/${arn.resource}`,
        MessageBody: isRaw(delivery.subscription)
          ? delivery.notice.message
          : notificationJson(delivery.notice),
        ...rawAttributes(delivery),
        ...ordering(delivery, arn.resource),
        ...(message.traceHeader === undefined
          ? {}
          : {
              MessageSystemAttributes: {
                AWSTraceHeader: { DataType: "String", StringValue: message.traceHeader },
              },
            }),
      };
      await caller.call("sqs", "SendMessage", input, {
        principal: servicePrincipal("sns.amazonaws.com", {
          account: arn.account,
          sourceArn: topicArn(message),
          sourceAccount: message.account,
        }),
        region: arn.region,
        traceHeader: message.traceHeader,
      });
    },
  };
}

export function sqsTarget(sender: QueueSender): Target {
  return (delivery) => sender.send(delivery.subscription.endpoint, delivery);
}

function rawAttributes({ message, subscription }: Delivery): Pick<SendMessageRequest, "MessageAttributes"> {
  const entries = Object.entries(message.attributes);
  if (!isRaw(subscription) || entries.length === 0) return {};
  if (entries.length > LIMITS.rawAttributes)
    throw new DeliveryFailure("a raw message has more than 10 attributes", { permanent: true });
  return {
    MessageAttributes: Object.fromEntries(
      entries.map(([name, { type, value }]) => [
        name,
        type.startsWith("Binary")
          ? { DataType: type, BinaryValue: Buffer.from(value, "base64") }
          : { DataType: type, StringValue: value },
      ]),
    ),
  };
}

/** A group goes to any queue (fair queues know it too); what tells duplicates goes to FIFO queues alone. */
function ordering({ message }: Delivery, queueName: string): Partial<SendMessageRequest> {
  const { groupId, deduplicationId } = message;
  return {
    ...(groupId === undefined ? {} : { MessageGroupId: groupId }),
    ...(deduplicationId === undefined || !isFifo(queueName)
      ? {}
      : { MessageDeduplicationId: deduplicationId }),
  };
}
