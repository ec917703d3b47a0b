import type { MessageAttributeValue } from "@aws-sdk/client-sns";
import { afterEach, beforeEach, describe, test } from "vitest";
import { createSnsFixture, type SnsFixture } from "../../support/sns-service.ts";
import { Recording } from "./recording.ts";

let sns: SnsFixture;

beforeEach(async () => {
  sns = await createSnsFixture();
});
afterEach(() => sns.close());

const publish = (
  TopicArn: string,
  Message: string,
  MessageAttributes: Record<string, MessageAttributeValue> = {},
) => sns.call("Publish", { TopicArn, Message, MessageAttributes });
const batch = (TopicArn: string, ...entries: object[]) =>
  sns.call("PublishBatch", {
    TopicArn,
    PublishBatchRequestEntries: entries.map((entry, index) => ({
      Id: String(index),
      Message: "hello",
      ...entry,
    })),
  });

describe("publishing", () => {
  test("test_publish_wrong_arn_format", async () => {
    const recording = new Recording("publishing", "test_publish_wrong_arn_format");
    await recording.expect("invalid-topic-arn", publish("randomstring", "hello"));
    await recording.expect("invalid-topic-arn-1", publish("randomstring:1", "hello"));
    await recording.expect("empty-topic", publish("", "hello"));
  });

  test("test_unknown_topic_publish, test_topic_publish_another_region", async () => {
    const unknown = new Recording("publishing", "test_unknown_topic_publish");
    const arn = await sns.topic("one");
    await unknown.expect("success", publish(arn, "hello"));
    await unknown.expect("error", publish(`${arn}-nobody`, "hello"));
    const away = new Recording("publishing", "test_topic_publish_another_region");
    const region = { region: "eu-west-1" };
    await away.expect("success", publish(arn, "hello"));
    await away.expect("error", sns.call("Publish", { TopicArn: arn, Message: "hello" }, region));
    const entries = [{ Id: "1", Message: "hello" }];
    await away.expect(
      "error-batch",
      sns.call("PublishBatch", { TopicArn: arn, PublishBatchRequestEntries: entries }, region),
    );
  });

  test("test_publish_too_long_message, test_publish_batch_too_long_message", async () => {
    const arn = await sns.topic("one");
    const one = new Recording("publishing", "test_publish_too_long_message");
    await one.expect("error", publish(arn, "a".repeat(262_145)));
    const attribute = { attr1: { DataType: "String", StringValue: "value" } };
    await one.expect("error-with-attrs", publish(arn, "a".repeat(262_144), attribute));
    const all = new Recording("publishing", "test_publish_batch_too_long_message");
    const half = { Message: "a".repeat(131_073) };
    await all.expect("error-no-attrs", batch(arn, half, half));
    const exactly = { Message: "a".repeat(131_072) };
    await all.expect("error-with-attrs", batch(arn, { ...exactly, MessageAttributes: attribute }, exactly));
  });

  test("test_publish_batch_exceptions, test_publish_batch_messages_without_topic", async () => {
    const recording = new Recording("sqs", "test_publish_batch_exceptions");
    const fifo = await sns.topic("one.fifo", { ContentBasedDeduplication: "false" });
    await recording.expect("no-group-id", batch(fifo, {}));
    await recording.expect("no-dedup-id", batch(fifo, { MessageGroupId: "group" }));
    const arn = await sns.topic("one");
    await recording.expect("too-many-msg", batch(arn, ...Array.from({ length: 11 }, () => ({}))));
    await recording.expect("same-msg-id", batch(arn, { Id: "1" }, { Id: "1" }));
    await recording.expect("no-default-key-json", batch(arn, { Message: "{}", MessageStructure: "json" }));
    await new Recording("sqs", "test_publish_batch_messages_without_topic").expect(
      "publish-batch-no-topic",
      batch(`${arn}-nobody`, {}),
    );
  });
});

describe("message attributes", () => {
  const text = { DataType: "String", StringValue: "value" };
  const bytes = Buffer.from("x");

  test.each([
    ["fully_missing_data_type", { attr1: {} }],
    ["fully_missing_string_attr", { attr1: { DataType: "String" } }],
    ["missing_string_attr", { attr1: { DataType: "String", StringValue: "" } }],
    ["missing_binary_attr", { attr1: { DataType: "Binary", BinaryValue: Buffer.alloc(0) } }],
    ["str_attr_binary_value", { attr1: { DataType: "String", BinaryValue: bytes } }],
    ["int_attr_binary_value", { attr1: { DataType: "Number", BinaryValue: bytes } }],
    ["binary_attr_string_value", { attr1: { DataType: "Binary", StringValue: "x" } }],
    ["invalid_attr_string_value", { attr1: { DataType: "InvalidType", StringValue: "x" } }],
    ["too_long_name", { ["a".repeat(257)]: text }],
    ["invalid_name", { "a^*?": text }],
    ["invalid_name_2", { ".abc": text }],
    ["invalid_name_3", { "abc.": text }],
    ["invalid_name_4", { "a..b": text }],
  ])("test_empty_or_wrong_message_attributes: %s", async (step, attributes) => {
    const recording = new Recording("sqs", "test_empty_or_wrong_message_attributes");
    const arn = await sns.topic("one");
    const wrong = attributes as unknown as Record<string, MessageAttributeValue>;
    await recording.expect(step, publish(arn, "hello", wrong));
    await recording.expect(`batch-${step}`, batch(arn, { MessageAttributes: wrong }));
  });

  test("test_message_attributes_prefixes", async () => {
    const recording = new Recording("sqs", "test_message_attributes_prefixes");
    const arn = await sns.topic("one");
    const typed = (DataType: string) =>
      publish(arn, "hello", { attr1: { DataType, StringValue: "prefixed-1" } });
    await recording.expect("publish-error", typed("Stringprefixed"));
    await recording.expect("publish-error-2", typed("Stringprefixed.prefixed"));
    await recording.expect("publish-ok-1", typed("String.prefixed"));
    await recording.expect("publish-ok-2", typed("String.prefixed.prefixed"));
  });
});

describe("text messages", () => {
  const replay = (scenario: string) => new Recording("sms", scenario);

  test("test_publish_wrong_phone_format", async () => {
    const recording = replay("test_publish_wrong_phone_format");
    const send = (PhoneNumber: string) => sns.call("Publish", { PhoneNumber, Message: "hello" });
    await recording.expect("invalid-number", send("+1a234"));
    await recording.expect("wrong-format", send("NAA+15551234567"));
    const arn = await sns.topic("one");
    await recording.expect("wrong-endpoint", sns.subscribe(arn, "sms", "NAA+15551234567"));
  });

  test("test_set_get_sms_attributes, test_get_sms_attributes_from_unmodified_region", async () => {
    await replay("test_get_sms_attributes_from_unmodified_region").expect(
      "get-sms-attributes_unmodified_region",
      sns.call("GetSMSAttributes", {}),
    );
    const recording = replay("test_set_get_sms_attributes");
    const attributes = {
      DefaultSMSType: "Promotional",
      DefaultSenderID: "LSTest",
      DeliveryStatusSuccessSamplingRate: "100",
    };
    await sns.call("SetSMSAttributes", { attributes });
    await recording.expect(
      "get-sms-some-attributes",
      sns.call("GetSMSAttributes", { attributes: ["DefaultSMSType", "DefaultSenderID"] }),
    );
    await recording.expect("get-sms-all-attributes", sns.call("GetSMSAttributes", {}));
  });

  test("test_set_invalid_sms_attributes", async () => {
    const set = (attributes: Record<string, string>) => sns.call("SetSMSAttributes", { attributes });
    await replay("test_set_invalid_sms_attributes[InvalidSMSType]").expect(
      "invalid-attribute",
      set({ DefaultSMSType: "invalid" }),
    );
    await replay("test_set_invalid_sms_attributes[NoLetterID]").expect(
      "invalid-attribute",
      set({ DefaultSendID: "1234" }),
    );
  });

  test("test_opt_in_*", async () => {
    await replay("test_opt_in_non_existing_phone_number").expect(
      "opt-in-non-existing-number",
      sns.call("OptInPhoneNumber", { phoneNumber: "+44123456789" }),
    );
    await replay("test_opt_in_invalid_number").expect(
      "opt-in-non-existing-number",
      sns.call("OptInPhoneNumber", { phoneNumber: "asd" }),
    );
  });

  test("test_subscribe_sms_endpoint", async () => {
    const recording = replay("test_subscribe_sms_endpoint");
    const TopicArn = await sns.topic("one");
    const subscribed = sns.call("Subscribe", { TopicArn, Protocol: "sms", Endpoint: "+123123123" });
    await recording.expect("subscribe-sms-endpoint", subscribed);
    const { SubscriptionArn } = await subscribed;
    await recording.expect("subscribe-sms-attrs", sns.call("GetSubscriptionAttributes", { SubscriptionArn }));
  });
});
