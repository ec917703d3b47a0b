import { afterEach, beforeEach, describe, test } from "vitest";
import type { Message } from "@aws-sdk/client-sqs";
import { createSnsFixture, type SnsFixture } from "../../support/sns-service.ts";
import { Recording } from "./recording.ts";

let sns: SnsFixture;
let topic: string;

beforeEach(async () => {
  sns = await createSnsFixture();
  topic = await sns.topic("one");
});
afterEach(() => sns.close());

const replay = (scenario: string) => new Recording("filter-policies", scenario);
const attributes = (SubscriptionArn: string) => sns.call("GetSubscriptionAttributes", { SubscriptionArn });
const set = (SubscriptionArn: string, AttributeName: string, value: unknown) =>
  sns.call("SetSubscriptionAttributes", {
    SubscriptionArn,
    AttributeName,
    AttributeValue: typeof value === "string" ? value : JSON.stringify(value),
  });
const bodyPolicy = (policy: object) => ({
  FilterPolicyScope: "MessageBody",
  FilterPolicy: JSON.stringify(policy),
  RawMessageDelivery: "true",
});
const publish = (Message: unknown, MessageAttributes = {}) =>
  sns.call("Publish", {
    TopicArn: topic,
    Message: typeof Message === "string" ? Message : JSON.stringify(Message),
    MessageAttributes,
  });

const STANDARD = new Set([
  "ApproximateFirstReceiveTimestamp",
  "ApproximateReceiveCount",
  "SenderId",
  "SentTimestamp",
]);

async function received(url: string, all = false): Promise<{ Messages?: object[] }> {
  await sns.quiet();
  const messages = await sns.drain(url);
  if (messages.length === 0) return {};
  return {
    Messages: messages.map(({ MessageId, ReceiptHandle, Body, MD5OfBody, Attributes = {} }) => {
      const kept = Object.entries(Attributes).filter(([name]) => STANDARD.has(name));
      return {
        MessageId,
        ReceiptHandle,
        Body,
        MD5OfBody,
        ...(all ? { Attributes: Object.fromEntries(kept) } : {}),
      };
    }),
  };
}

describe("what is refused", () => {
  const subscribe = (policy: object) =>
    sns.subscribe(topic, "sms", "+123123123", { FilterPolicy: JSON.stringify(policy) });
  const values = (count: number) => Array.from({ length: count }, (_, index) => `value${index}`);

  test("test_policy_complexity", async () => {
    const recording = replay("test_policy_complexity");
    await recording.expect("error-complexity-in-one-condition", subscribe({ key: values(151) }));
    await recording.expect(
      "error-complexity-in-two-conditions",
      subscribe({ key1: values(100), key2: values(51) }),
    );
    const six = Object.fromEntries(values(6).map((value) => [value, [value]]));
    await recording.expect("error-complexity-too-many-fields", subscribe(six));
  });

  test("test_validate_policy", async () => {
    const recording = replay("test_validate_policy");
    await recording.expect("error-condition-list", subscribe({ key: [["value"]] }));
    await recording.expect("error-condition-operator", subscribe({ key: [{ "wrong-operator": true }] }));
    await recording.expect(
      "error-condition-two-operators",
      subscribe({ key: [{ suffix: "value", prefix: "value2" }] }),
    );
  });

  test("test_validate_policy_string_operators: networks", async () => {
    const recording = replay("test_validate_policy_string_operators");
    const network = (cidr: unknown) => subscribe({ key: [{ cidr }] });
    await recording.expect("error-condition-bad-cidr-str", network("bad-filter"));
    await recording.expect("error-condition-bad-cidr-str-slash", network("bad-filter/64"));
    await recording.expect("error-condition-bad-cidr-str-slash-2", network("bad-filter/a"));
    await recording.expect("error-condition-bad-cidr-v4", network("xx.11.xx/8"));
    await recording.expect("error-condition-bad-cidr-v6", network("xxxx:db8:1234:1a00::/64"));
    await recording.expect("error-condition-bad-type", network(["bad-filter"]));
  });

  test("test_sub_filter_policy_nested_property", async () => {
    const recording = replay("test_sub_filter_policy_nested_property");
    const queue = await sns.queue("queue");
    const subscription = await sns.subscribe(topic, "sqs", queue.arn);
    const nested = { object: { key: [{ prefix: "auto-" }] } };
    await recording.expect("sub-filter-policy-nested-error", set(subscription, "FilterPolicy", nested));
    await set(subscription, "FilterPolicyScope", "MessageBody");
    await set(subscription, "FilterPolicy", nested);
    await recording.expect("sub-attrs-after-setting-nested-policy", attributes(subscription));
  });

  test("test_sub_filter_policy_nested_property_constraints", async () => {
    const recording = replay("test_sub_filter_policy_nested_property_constraints");
    const queue = await sns.queue("queue");
    const subscription = await sns.subscribe(topic, "sqs", queue.arn);
    await set(subscription, "FilterPolicyScope", "MessageBody");
    const nested = {
      key_a: { key_b: { key_c: values(4) } },
      key_d: { key_e: values(3) },
      key_f: values(3),
    };
    await recording.expect(
      "sub-filter-policy-nested-error-too-many-combinations",
      set(subscription, "FilterPolicy", nested),
    );
    const six = Object.fromEntries(values(6).map((value) => [value, [value]]));
    await recording.expect("sub-filter-policy-max-attr-keys", set(subscription, "FilterPolicy", six));
    await recording.expect(
      "sub-filter-policy-rule-no-list",
      set(subscription, "FilterPolicy", '{"key_a":"value_one"}'),
    );
  });
});

describe("what passes", () => {
  const number = (StringValue: string) => ({ DataType: "Number", StringValue });

  test("test_exists_filter_policy", async () => {
    const recording = replay("test_exists_filter_policy");
    const queue = await sns.queue("queue");
    const subscription = await sns.subscribe(topic, "sqs", queue.arn, {
      FilterPolicy: JSON.stringify({ store: [{ exists: true }] }),
    });
    await recording.expect("subscription-attributes-policy-1", attributes(subscription));
    await recording.expect("messages-0", received(queue.url));
    await publish("message-1", { store: number("99"), def: number("99") });
    await publish("message-2", { attr1: number("111") });
    await recording.expect("messages-1", received(queue.url));
    await set(subscription, "FilterPolicy", { store: [{ exists: false }] });
    await recording.expect("subscription-attributes-policy-2", attributes(subscription));
    await publish("message-3", { def: number("99") });
    await publish("message-4", { store: number("99"), def: number("99") });
    await recording.expect("messages-3", received(queue.url));
  });

  test("test_exists_filter_policy_attributes_array", async () => {
    const recording = replay("test_exists_filter_policy_attributes_array");
    const queue = await sns.queue("queue");
    const subscription = await sns.subscribe(topic, "sqs", queue.arn, {
      RawMessageDelivery: "true",
      FilterPolicy: JSON.stringify({ store: ["value1"] }),
    });
    await recording.expect("subscription-attributes-policy", attributes(subscription));
    await recording.expect("messages-init", received(queue.url));
    const store = (DataType: string, StringValue: string) => ({ store: { DataType, StringValue } });
    await publish("message-1", store("String", "value1"));
    await recording.expect("messages-1", received(queue.url));
    await publish("message-2", store("String.Array", '["value1"]'));
    await recording.expect("messages-2", received(queue.url));
    await publish("message-3", store("String.Array", '["value2"]'));
    await recording.expect("messages-3", received(queue.url));
  });

  test("test_filter_policy_on_message_body_dot_attribute", async () => {
    const recording = replay("test_filter_policy_on_message_body_dot_attribute");
    const queue = await sns.queue("queue");
    const subscription = await sns.subscribe(topic, "sqs", queue.arn, {
      FilterPolicyScope: "MessageBody",
      FilterPolicy: JSON.stringify({ "object.nested": ["string.value"] }),
    });
    await recording.expect("recv-init", received(queue.url));
    const steps = async (name: string, ...messages: string[]) => {
      for (const [index, message] of messages.entries()) {
        await publish(message);
        await recording.expect(`${name}-${index}`, received(queue.url));
      }
    };
    await steps(
      "recv-nested-msg",
      '{"object": {"nested": "string.value"}}',
      '{"object.nested": "string.value"}',
    );
    await set(subscription, "FilterPolicy", { object: { nested: { test: ["string.value"] } } });
    await steps(
      "recv-deep-nested-msg",
      '{"object": {"nested": {"test": "string.value"}}}',
      '{"object.nested.test": "string.value"}',
      '{"object.nested": {"test": "string.value"}}',
      '{"object": {"nested.test": "string.value"}}',
    );
  });

  test("test_filter_policy_on_message_body_array_attributes", async () => {
    const recording = replay("test_filter_policy_on_message_body_array_attributes");
    const queues = [await sns.queue("queue1"), await sns.queue("queue2")];
    for (const [index, { arn }] of queues.entries())
      await sns.subscribe(topic, "sqs", arn, bodyPolicy({ headers: { "route-to": [`queue${index + 1}`] } }));
    for (const route of [["queue3"], ["queue1"], ["queue2"], ["queue1", "queue2"]])
      await publish({ headers: { "route-to": route } });
    for (const [index, { url }] of queues.entries()) {
      const { Messages = [] } = await received(url, true);
      const length = (message: Message) => message.Body?.length ?? 0;
      const ordered = Messages.toSorted((a, b) => length(b) - length(a));
      await recording.expect(`messages-queue-${index}`, Promise.resolve({ Messages: ordered }));
    }
  });

  test("test_filter_policy_empty_array_payload", async () => {
    const recording = replay("test_filter_policy_empty_array_payload");
    const queue = await sns.queue("queue");
    const policy = { detail: { eventVersion: [{ prefix: "" }], missing: [{ exists: false }] } };
    await sns.subscribe(topic, "sqs", queue.arn, bodyPolicy({ ...policy, resources: [{ exists: false }] }));
    await publish({
      version: "0",
      id: "3e3c153a-8339-4e30-8c35-687ebef853fe",
      "detail-type": "EC2 Instance Launch Successful",
      source: "aws.autoscaling",
      account: "123456789012",
      time: "2015-11-11T21:31:47Z",
      region: "my-region",
      resources: [],
      detail: { eventVersion: "", responseElements: null },
    });
    await recording.expect("messages-queue", received(queue.url, true));
  });
});
