import { afterEach, beforeEach, describe, test } from "vitest";
import type { Message } from "@aws-sdk/client-sqs";
import { createSnsFixture, type SnsFixture } from "../../support/sns-service.ts";
import { Recording } from "./recording.ts";

let sns: SnsFixture;

beforeEach(async () => {
  sns = await createSnsFixture();
});
afterEach(() => sns.close());

const RAW = { RawMessageDelivery: "true" };
const replay = (scenario: string) => new Recording("sqs", scenario);
const attributes = (SubscriptionArn: string) => sns.call("GetSubscriptionAttributes", { SubscriptionArn });

/** Messages with the attributes that the recording client asked for. */
async function received(url: string, shown: readonly string[] = []): Promise<{ Messages?: Message[] }> {
  await sns.quiet();
  const messages = await sns.drain(url);
  if (messages.length === 0) return {};
  return {
    Messages: messages.map(({ Attributes = {}, MessageAttributes, MD5OfMessageAttributes, ...message }) => {
      const kept = Object.entries(Attributes).filter(([name]) => shown.includes(name));
      return {
        ...message,
        ...(kept.length === 0 ? {} : { Attributes: Object.fromEntries(kept) }),
        ...(MessageAttributes === undefined
          ? {}
          : {
              MD5OfMessageAttributes,
              MessageAttributes: Object.fromEntries(
                Object.entries(MessageAttributes).map(([name, { BinaryValue: bytes, ...value }]) => [
                  name,
                  // As Python prints them.
                  bytes === undefined ? value : { ...value, BinaryValue: pythonBytes(bytes) as never },
                ]),
              ),
            }),
      };
    }),
  };
}

const STANDARD = ["ApproximateFirstReceiveTimestamp", "ApproximateReceiveCount", "SenderId", "SentTimestamp"];
const FIFO = [...STANDARD, "MessageDeduplicationId", "MessageGroupId", "SequenceNumber"];

function pythonBytes(bytes: Uint8Array): string {
  const digits = [...bytes].map((byte) => String.raw`\x${byte.toString(16).padStart(2, "0")}`);
  return `b'${digits.join("")}'`;
}

describe("queues", () => {
  test("test_subscribe_sqs_queue", async () => {
    const recording = replay("test_subscribe_sqs_queue");
    const [topic, queue] = [await sns.topic("one"), await sns.queue("queue")];
    const FilterPolicy = JSON.stringify({ attr1: [{ numeric: [">", 0, "<=", 100] }] });
    const subscription = await sns.subscribe(topic, "sqs", queue.arn, { FilterPolicy });
    await recording.expect("subscription-attributes", attributes(subscription));
    const publish = (StringValue: string) =>
      sns.call("Publish", {
        TopicArn: topic,
        Message: "This is a test message",
        MessageAttributes: { attr1: { DataType: "Number", StringValue } },
      });
    await publish("99.12");
    await publish("101");
    await recording.expect("messages", received(queue.url));
  });

  test("test_attribute_raw_subscribe", async () => {
    const recording = replay("test_attribute_raw_subscribe");
    const [topic, queue] = [await sns.topic("one"), await sns.queue("queue")];
    const subscription = await sns.subscribe(topic, "sqs", queue.arn, RAW);
    await recording.expect("subscription-attributes", attributes(subscription));
    await sns.call("Publish", {
      TopicArn: topic,
      Message: "This is a test message",
      MessageAttributes: { store: { DataType: "Binary", BinaryValue: Buffer.from([2, 3, 4]) } },
    });
    await recording.expect("messages-response", received(queue.url));
  });

  test("test_publish_message_by_target_arn", async () => {
    const recording = new Recording("publishing", "test_publish_message_by_target_arn");
    const [topic, queue] = [await sns.topic("one"), await sns.queue("queue")];
    await sns.subscribe(topic, "sqs", queue.arn);
    await sns.call("Publish", { TopicArn: topic, Message: "test-msg-1" });
    await recording.expect("receive-topic-arn", received(queue.url));
    await sns.call("Publish", { TargetArn: topic, Message: "test-msg-2" });
    await recording.expect("receive-target-arn", received(queue.url));
  });

  test("test_subscribe_to_sqs_with_queue_url", async () => {
    const queue = await sns.queue("queue");
    await replay("test_subscribe_to_sqs_with_queue_url").expect(
      "sub-queue-url",
      sns.subscribe(await sns.topic("one"), "sqs", queue.url),
    );
  });

  test("test_publish_sqs_from_sns_with_xray_propagation", async () => {
    const [topic, queue] = [await sns.topic("one"), await sns.queue("queue")];
    await sns.subscribe(topic, "sqs", queue.arn);
    const trace = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1";
    await sns.call(
      "Publish",
      { TopicArn: topic, Message: "X-Ray propagation test msg" },
      { headers: { "x-amzn-trace-id": trace } },
    );
    const { Messages: [message] = [] } = await received(queue.url, ["AWSTraceHeader", "SentTimestamp"]);
    const recording = replay("test_publish_sqs_from_sns_with_xray_propagation");
    await recording.expect("xray-msg", Promise.resolve(message));
  });

  test("test_publish_sqs_verify_signature[2]", async () => {
    const [topic, queue] = [await sns.topic("one", { SignatureVersion: "2" }), await sns.queue("queue")];
    await sns.subscribe(topic, "sqs", queue.arn);
    await sns.call("Publish", {
      TopicArn: topic,
      Message: "test signature value with attributes",
      MessageAttributes: { attr1: { DataType: "Number", StringValue: "1" } },
    });
    await replay("test_publish_sqs_verify_signature[2]").expect("messages", received(queue.url, STANDARD));
  });

  test.each([true, false])("test_redrive_policy_sqs_queue_subscription[%s]", async (raw) => {
    const name = `test_redrive_policy_sqs_queue_subscription[${raw ? "True" : "False"}]`;
    const [topic, letters] = [await sns.topic("one"), await sns.queue("letters")];
    await sns.subscribe(topic, "sqs", "arn:aws:sqs:us-east-1:111111111111:gone", {
      RawMessageDelivery: String(raw),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: letters.arn }),
    });
    await sns.call("Publish", {
      TopicArn: topic,
      Message: "test_dlq_after_sqs_endpoint_deleted",
      MessageAttributes: {
        attr1: { DataType: "Number", StringValue: "111" },
        attr2: { DataType: "Binary", BinaryValue: Buffer.from([2, 3, 4]) },
      },
    });
    await replay(name).expect("messages", received(letters.url, STANDARD));
  });
});

describe("FIFO topics", () => {
  const publish = (TopicArn: string, Message: string, more: object = {}) =>
    sns.call("Publish", {
      TopicArn,
      Message,
      MessageGroupId: "message-group-id-1",
      MessageDeduplicationId: "message-deduplication-id-1",
      ...more,
    });

  test("test_message_to_fifo_sqs[False]", async () => {
    const recording = replay("test_message_to_fifo_sqs[False]");
    const [topic, queue] = [await sns.topic("one.fifo"), await sns.queue("queue.fifo")];
    await sns.subscribe(topic, "sqs", queue.arn);
    await publish(topic, "Test");
    await recording.expect("messages", received(queue.url, FIFO));
    await publish(topic, "Test");
    await recording.expect("dedup-messages", received(queue.url, FIFO));
  });

  test("test_fifo_topic_to_regular_sqs[True]", async () => {
    const recording = replay("test_fifo_topic_to_regular_sqs[True]");
    const [topic, queue] = [await sns.topic("one.fifo"), await sns.queue("queue")];
    await sns.subscribe(topic, "sqs", queue.arn);
    await publish(topic, "Test");
    await recording.expect("messages", received(queue.url, STANDARD));
    await publish(topic, "Test");
    await recording.expect("dedup-messages", received(queue.url, STANDARD));
  });

  const entries = [
    {
      Id: "1",
      MessageGroupId: "complexMessageGroupId",
      Message: "Test Message with two attributes",
      Subject: "Subject",
      MessageAttributes: {
        attr1: { DataType: "Number", StringValue: "99.12" },
        attr2: { DataType: "Number", StringValue: "109.12" },
      },
    },
    {
      Id: "2",
      MessageGroupId: "complexMessageGroupId",
      Message: "Test Message with one attribute",
      Subject: "Subject",
      MessageAttributes: { attr1: { DataType: "Number", StringValue: "19.12" } },
    },
    {
      Id: "3",
      MessageGroupId: "complexMessageGroupId",
      Message: "Test Message without attribute",
      Subject: "Subject",
    },
  ];
  const numbered = entries.map((entry, index) => ({
    ...entry,
    MessageDeduplicationId: `MessageDeduplicationId-${index + 1}`,
  }));

  test("test_publish_batch_messages_from_fifo_topic_to_fifo_queue[True]", async () => {
    const recording = replay("test_publish_batch_messages_from_fifo_topic_to_fifo_queue[True]");
    const topic = await sns.topic("one.fifo", { ContentBasedDeduplication: "true" });
    await recording.expect("topic-attrs", sns.call("GetTopicAttributes", { TopicArn: topic }));
    const queue = await sns.queue("queue.fifo", { ContentBasedDeduplication: "true" });
    const subscription = await sns.subscribe(topic, "sqs", queue.arn, RAW);
    await recording.expect("sub-attrs-raw-true", attributes(subscription));
    const publishAll = () =>
      sns.call("PublishBatch", { TopicArn: topic, PublishBatchRequestEntries: entries });
    await recording.expect("publish-batch-response-fifo", publishAll());
    await recording.expect("messages", received(queue.url, FIFO));
    await recording.expect("republish-batch-response-fifo", publishAll());
    await recording.expect("duplicate-messages", received(queue.url, FIFO));
  });

  test("test_publish_fifo_messages_to_dlq[True]", async () => {
    const recording = replay("test_publish_fifo_messages_to_dlq[True]");
    const topic = await sns.topic("one.fifo", { ContentBasedDeduplication: "false" });
    await recording.expect("topic-attrs", sns.call("GetTopicAttributes", { TopicArn: topic }));
    const letters = await sns.queue("letters.fifo");
    await sns.subscribe(topic, "sqs", "arn:aws:sqs:us-east-1:111111111111:gone.fifo", {
      ...RAW,
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: letters.arn }),
    });
    await recording.expect(
      "publish-batch-response-fifo",
      sns.call("PublishBatch", { TopicArn: topic, PublishBatchRequestEntries: numbered }),
    );
    await recording.expect("batch-messages-in-dlq", received(letters.url, FIFO));
    await recording.expect("publish-response-fifo", publish(topic, "test-message"));
    await recording.expect("messages-in-dlq", received(letters.url, FIFO));
  });
});
