import type * as SqsClient from "@aws-sdk/client-sqs";
import type { QueueSource } from "#engine/pollers/contract";
import type { AwsCaller, CallerIdentity, InputOf, OutputOf } from "#wire/operation";
import { queueUrl } from "../delivery.ts";
import { readSqsMessage, type SqsMessage } from "./sqs-record.ts";

/** Entries in one DeleteMessageBatch (SQS API reference). */
const REMOVED_AT_ONCE = 10;

export interface SqsSourceOptions {
  readonly caller: AwsCaller;
  readonly arn: string;
  /** The function's role, as it is now. */
  readonly by: () => CallerIdentity;
  readonly ready: QueueSource["ready"];
  /** Whether the mapping has a batch window: AWS then writes `md5OfMessageAttributes` even where there is none. */
  readonly windowed: boolean;
}

/** A queue that is read and emptied through SQS's own operations, as the function's role. */
export function createSqsSource(options: SqsSourceOptions): QueueSource<SqsMessage> {
  const { caller, arn, by, ready, windowed } = options;
  const QueueUrl = queueUrl(arn);
  const shown = { arn, windowed };

  async function removeBatch(messages: readonly SqsMessage[]): Promise<void> {
    const input: InputOf<typeof SqsClient, "DeleteMessageBatch"> = {
      QueueUrl,
      Entries: messages.map(({ receiptHandle }, index) => ({
        Id: String(index),
        ReceiptHandle: receiptHandle,
      })),
    };
    await caller.call("sqs", "DeleteMessageBatch", input, by());
  }

  return {
    ready,

    async receive(max) {
      const input: InputOf<typeof SqsClient, "ReceiveMessage"> = {
        QueueUrl,
        MaxNumberOfMessages: max,
        MessageSystemAttributeNames: ["All"],
        MessageAttributeNames: ["All"],
        // Nothing is waited for here: `ready` has told of messages.
        WaitTimeSeconds: 0,
      };
      const { Messages = [] } = (await caller.call("sqs", "ReceiveMessage", input, by())) as OutputOf<
        typeof SqsClient,
        "ReceiveMessage"
      >;
      return Messages.map((message) => readSqsMessage(message, shown));
    },

    async remove(messages) {
      const batches: Promise<void>[] = [];
      for (let at = 0; at < messages.length; at += REMOVED_AT_ONCE)
        batches.push(removeBatch(messages.slice(at, at + REMOVED_AT_ONCE)));
      await Promise.all(batches);
    },

    async hiddenMs() {
      const seconds = await visibilityTimeout(caller, arn, by());
      return (seconds ?? 0) * 1000;
    },
  };
}

/** A queue's visibility timeout in seconds. Rejects with SQS's AwsError. */
export async function visibilityTimeout(
  caller: AwsCaller,
  arn: string,
  by: CallerIdentity,
): Promise<number | undefined> {
  const input: InputOf<typeof SqsClient, "GetQueueAttributes"> = {
    QueueUrl: queueUrl(arn),
    AttributeNames: ["VisibilityTimeout"],
  };
  const { Attributes } = (await caller.call("sqs", "GetQueueAttributes", input, by)) as OutputOf<
    typeof SqsClient,
    "GetQueueAttributes"
  >;
  const seconds = Attributes?.VisibilityTimeout;
  return seconds === undefined ? undefined : Number(seconds);
}
