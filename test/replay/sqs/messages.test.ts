import type { Message } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSqsFixture, type SqsFixture, type SqsProtocol } from "../../support/sqs-service.ts";
import { Recording } from "./recording.ts";

let sqs: SqsFixture;
beforeEach(async () => {
  sqs = await createSqsFixture();
});
afterEach(async () => {
  expect(sqs.problems).toEqual([]);
  await sqs.close();
});

const both: readonly (readonly [string, SqsProtocol])[] = [
  ["sqs", "aws-json-1.0"],
  ["sqs_query", "query"],
];
const query = { protocol: "query" } as const;
const entries = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ Id: `m-${index}`, MessageBody: `body-${index}` }));

async function receiveTwenty(QueueUrl: string): Promise<readonly Message[]> {
  for (let batch = 0; batch < 2; batch++)
    await sqs.call("SendMessageBatch", { QueueUrl, Entries: entries(10) });
  const receive = () => sqs.call("ReceiveMessage", { QueueUrl, MaxNumberOfMessages: 10 });
  const received = [await receive(), await receive()].flatMap(({ Messages = [] }) => Messages);
  expect(received).toHaveLength(20);
  return received;
}

describe("batches", () => {
  test.each(both)("test_delete_message_batch_with_too_large_batch[%s]", async (name, protocol) => {
    const recording = new Recording("messages", `test_delete_message_batch_with_too_large_batch[${name}]`);
    const { url } = await sqs.create("q");
    const Entries = (await receiveTwenty(url)).map(({ ReceiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle,
    }));
    await recording.expect(
      "error_response",
      sqs.call("DeleteMessageBatch", { QueueUrl: url, Entries }, { protocol }),
    );
  });

  test("test_change_message_visibility_batch_with_too_large_batch", async () => {
    const scenario = "test_change_message_visibility_batch_with_too_large_batch[sqs_query]";
    const recording = new Recording("messages", scenario);
    const { url } = await sqs.create("q");
    const Entries = (await receiveTwenty(url)).map(({ ReceiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout: 123,
    }));
    await recording.expect(
      "error_response",
      sqs.call("ChangeMessageVisibilityBatch", { QueueUrl: url, Entries }, query),
    );
  });

  test.each(["invalid:id", "testLongId".repeat(10)])(
    "test_delete_message_batch_invalid_msg_id[sqs_query-%s]",
    async (Id) => {
      const scenario = `test_delete_message_batch_invalid_msg_id[sqs_query-${Id}]`;
      const recording = new Recording("messages", scenario);
      const { url } = await sqs.create("q");
      const Entries = [{ Id, ReceiptHandle: "testHandle1" }];
      await recording.expect(
        "error_response",
        sqs.call("DeleteMessageBatch", { QueueUrl: url, Entries }, query),
      );
    },
  );

  test.each(both)("test_invalid_batch_id[%s]", async (name, protocol) => {
    const recording = new Recording("messages", `test_invalid_batch_id[${name}]`);
    const { url } = await sqs.create("q");
    const Entries = [{ Id: "message:1", MessageBody: "body" }];
    await recording.expect(
      "test_invalid_batch_id",
      sqs.call("SendMessageBatch", { QueueUrl: url, Entries }, { protocol }),
    );
  });

  const MessageAttributes = { k: { DataType: "String", StringValue: "x" } };
  const attributeBytes = "k".length + "String".length + "x".length;

  test("test_send_message_batch_with_oversized_contents", async () => {
    const recording = new Recording("messages", "test_send_message_batch_with_oversized_contents[sqs]");
    const { url } = await sqs.create("q");
    const MessageBody = "a".repeat(1_048_576 - attributeBytes);
    const Entries = [
      { Id: "1", MessageBody, MessageAttributes },
      { Id: "2", MessageBody: "a" },
    ];
    await recording.expect(
      "send_oversized_message_batch",
      sqs.call("SendMessageBatch", { QueueUrl: url, Entries }),
    );
  });

  test("test_send_message_batch_with_oversized_contents_with_updated_maximum_message_size", async () => {
    const recording = new Recording(
      "messages",
      "test_send_message_batch_with_oversized_contents_with_updated_maximum_message_size[sqs_query]",
    );
    const { url } = await sqs.create("q", { MaximumMessageSize: "2048" });
    const Entries = [
      { Id: "1", MessageBody: "a".repeat(2048 - attributeBytes), MessageAttributes },
      { Id: "2", MessageBody: "a" },
    ];
    await recording.expect(
      "send_oversized_message_batch",
      sqs.call("SendMessageBatch", { QueueUrl: url, Entries }, query),
    );
  });

  test("test_send_oversized_message and its like with a lower limit", async () => {
    const { url } = await sqs.create("q");
    const send = (bytes: number, protocol: SqsProtocol) =>
      sqs.call(
        "SendMessage",
        { QueueUrl: url, MessageBody: "a".repeat(bytes - attributeBytes), MessageAttributes },
        { protocol },
      );
    const recording = new Recording("messages", "test_send_oversized_message[sqs_query]");
    await recording.expect("send_oversized_message", send(1_048_577, "query"));
    const Attributes = { MaximumMessageSize: "1024" };
    await sqs.call("SetQueueAttributes", { QueueUrl: url, Attributes });
    await send(1024, "aws-json-1.0");
    const other = new Recording("messages", "test_send_message_with_updated_maximum_message_size[sqs]");
    await other.expect("send_oversized_message", send(1025, "aws-json-1.0"));
  });
});

describe("sending", () => {
  test("test_send_empty_message", async () => {
    const { url } = await sqs.create("q");
    const recording = new Recording("messages", "test_send_empty_message[sqs_query]");
    await recording.expect(
      "send_empty_message",
      sqs.call("SendMessage", { QueueUrl: url, MessageBody: "" }, query),
    );
  });

  test.each([
    ["spaces", "group 123"],
    ["too_long", "a".repeat(129)],
  ])("test_message_deduplication_id_invalid[%s]", async (name, MessageDeduplicationId) => {
    const { url } = await sqs.create("q.fifo", { FifoQueue: "true" });
    const recording = new Recording("messages", `test_message_deduplication_id_invalid[${name}]`);
    const message = { MessageBody: "b", MessageGroupId: "test", MessageDeduplicationId };
    await recording.expect("error-response", sqs.call("SendMessage", { QueueUrl: url, ...message }));
  });

  test("test_send_message_to_standard_queue_with_invalid_message_group_id[spaces]", async () => {
    const { url } = await sqs.create("q");
    const scenario = "test_send_message_to_standard_queue_with_invalid_message_group_id[spaces]";
    await new Recording("messages", scenario).expect(
      "error-response",
      sqs.call("SendMessage", { QueueUrl: url, MessageBody: "b", MessageGroupId: "group 123" }),
    );
  });

  test("test_fair_queue_with_message_group_id", async () => {
    const { url } = await sqs.create("q");
    const recording = new Recording("messages", "test_fair_queue_with_message_group_id[sqs_query]");
    const message = { QueueUrl: url, MessageBody: "message", MessageGroupId: "test" };
    await recording.expect("send_message", sqs.call("SendMessage", message, query));
    await recording.expect(
      "get-message-with-deduplication-id",
      sqs.call("ReceiveMessage", { QueueUrl: url, AttributeNames: ["All"] }, query),
    );
  });

  test("test_send_message_with_binary_attributes", async () => {
    const { url } = await sqs.create("q");
    const BinaryValue = Buffer.from(
      "traceparent\u001E00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01",
    );
    const MessageAttributes = { attr1: { DataType: "Binary", BinaryValue } };
    await sqs.call("SendMessage", { QueueUrl: url, MessageBody: "test", MessageAttributes });
    const received = sqs.call("ReceiveMessage", { QueueUrl: url, MessageAttributeNames: ["All"] });
    const recording = new Recording("messages", "test_send_message_with_binary_attributes[sqs]");
    await recording.expect("binary-attrs-msg", received);
    const value = (await received).Messages?.[0]?.MessageAttributes?.["attr1"]?.BinaryValue;
    expect(Buffer.from(value ?? []).equals(BinaryValue)).toBe(true);
  });

  test("test_aws_trace_header_propagation", async () => {
    const { url } = await sqs.create("q");
    const trace = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1";
    const MessageAttributes = { timestamp: { DataType: "Number", StringValue: "1493147359900" } };
    await sqs.call(
      "SendMessage",
      { QueueUrl: url, MessageBody: "test", MessageAttributes },
      { headers: { "x-amzn-trace-id": trace } },
    );
    const recording = new Recording("messages", "test_aws_trace_header_propagation[sqs]");
    const { Messages = [] } = await sqs.call("ReceiveMessage", {
      QueueUrl: url,
      AttributeNames: ["SentTimestamp", "AWSTraceHeader"] as never,
      MessageAttributeNames: ["All"],
    });
    await recording.expect("xray-msg", Promise.resolve(Messages[0]));
  });
});

describe("receiving", () => {
  test("test_send_receive_max_number_of_messages", async () => {
    const { url } = await sqs.create("q");
    const recording = new Recording("messages", "test_send_receive_max_number_of_messages[sqs]");
    await recording.expect(
      "send_max_number_of_messages",
      sqs.call("ReceiveMessage", { QueueUrl: url, MaxNumberOfMessages: 11 }),
    );
  });

  test.each(both)("test_send_receive_wait_time_seconds[%s]", async (name, protocol) => {
    const { url } = await sqs.create("q");
    const recording = new Recording("messages", `test_send_receive_wait_time_seconds[${name}]`);
    const receive = (wait: { WaitTimeSeconds?: number }) =>
      sqs.call("ReceiveMessage", { QueueUrl: url, ...wait }, { protocol });
    const send = () => sqs.call("SendMessage", { QueueUrl: url, MessageBody: "message" }, { protocol });
    await send();
    await send();
    await recording.expect("recieve_message_error_too_large", receive({ WaitTimeSeconds: 21 }));
    await recording.expect("recieve_message_error_too_small", receive({ WaitTimeSeconds: -1 }));
    await recording.expect("empty_short_poll_by_default_resp", receive({}));
    await recording.expect("empty_short_poll_explicit_resp", receive({ WaitTimeSeconds: 0 }));
  });

  test.each(both)("test_message_system_attribute_names_with_attribute_names[%s]", async (name, protocol) => {
    const { url } = await sqs.create("q", { VisibilityTimeout: "0" });
    const scenario = `test_message_system_attribute_names_with_attribute_names[${name}]`;
    const recording = new Recording("messages", scenario);
    await sqs.call("SendMessage", { QueueUrl: url, MessageBody: "msg" }, { protocol });
    const receive = (AttributeNames: string[]) =>
      sqs.call(
        "ReceiveMessage",
        {
          QueueUrl: url,
          AttributeNames: AttributeNames as never,
          // Query clients know no other list; what they would send under its name is what stands there.
          ...(protocol === "query" ? {} : { MessageSystemAttributeNames: ["All"] }),
        },
        { protocol },
      );
    await recording.expect("same_values", receive(["All"]));
    await recording.expect("different_values", receive(["SenderId"]));
  });

  test.each(both)("test_delete_after_visibility_timeout[%s]", async (name, protocol) => {
    const { url } = await sqs.create("q", { VisibilityTimeout: "1" });
    const recording = new Recording("messages", `test_delete_after_visibility_timeout[${name}]`);
    await sqs.call("SendMessage", { QueueUrl: url, MessageBody: "foobar" }, { protocol });
    const { Messages = [] } = await sqs.call("ReceiveMessage", { QueueUrl: url }, { protocol });
    sqs.clock.advance(2000);
    const ReceiptHandle = Messages[0]?.ReceiptHandle;
    await sqs.call("DeleteMessage", { QueueUrl: url, ReceiptHandle }, { protocol });
    await recording.expect(
      "delete_after_timeout_queue_empty",
      sqs.patiently("ReceiveMessage", { QueueUrl: url, WaitTimeSeconds: 5 }, { protocol }),
    );
  });

  test("test_send_message_via_queue_url_with_json_protocol", async () => {
    const { url } = await sqs.create("q");
    const recording = new Recording("messages", "test_send_message_via_queue_url_with_json_protocol");
    await recording.expect("receive-json-on-queue-url", sqs.call("ReceiveMessage", { QueueUrl: url }));
  });
});

/** Scenarios of which no response was recorded: what they assert of AWS. */
describe("without recorded responses", () => {
  test("test_approximate_number_of_messages_not_visible", async () => {
    const { url } = await sqs.create("q");
    await sqs.call("SendMessageBatch", { QueueUrl: url, Entries: entries(3) });
    const count = async () => {
      const AttributeNames = ["ApproximateNumberOfMessagesNotVisible" as const];
      const { Attributes } = await sqs.call("GetQueueAttributes", { QueueUrl: url, AttributeNames });
      return Attributes?.ApproximateNumberOfMessagesNotVisible;
    };
    expect(await count()).toBe("0");
    const receive = () => sqs.call("ReceiveMessage", { QueueUrl: url, MaxNumberOfMessages: 2 });
    const { Messages = [] } = await receive();
    expect(await count()).toBe("2");
    await sqs.call("DeleteMessage", { QueueUrl: url, ReceiptHandle: Messages[0]?.ReceiptHandle });
    expect(await count()).toBe("1");
    await sqs.pass(30_000);
    expect(await count()).toBe("0");
  });

  test("test_message_deduplication_id_success", async () => {
    const { url } = await sqs.create("q.fifo", { FifoQueue: "true" });
    const MessageDeduplicationId = "aZ09!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".padEnd(128, "x");
    const message = { MessageBody: "b", MessageGroupId: "g", MessageDeduplicationId };
    expect(await sqs.call("SendMessage", { QueueUrl: url, ...message })).toHaveProperty("SequenceNumber");
  });
});
