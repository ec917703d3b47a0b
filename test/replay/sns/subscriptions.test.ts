import { afterEach, beforeEach, describe, test } from "vitest";
import { createSnsFixture, type SnsFixture } from "../../support/sns-service.ts";
import { Recording } from "./recording.ts";

let sns: SnsFixture;

beforeEach(async () => {
  sns = await createSnsFixture();
});
afterEach(() => sns.close());

const replay = (scenario: string) => new Recording("subscriptions", scenario);
const attributes = (SubscriptionArn: string) => sns.call("GetSubscriptionAttributes", { SubscriptionArn });
const QUEUE = "arn:aws:sqs:us-east-1:111111111111:queue";
const RAW = { RawMessageDelivery: "true" };

describe("subscribing", () => {
  test("test_create_subscriptions_with_attributes", async () => {
    const recording = replay("test_create_subscriptions_with_attributes");
    const TopicArn = await sns.topic("one");
    const subscribe = (Attributes: Record<string, string>) =>
      sns.call("Subscribe", {
        TopicArn,
        Protocol: "sqs",
        Endpoint: QUEUE,
        Attributes,
        ReturnSubscriptionArn: true,
      });
    const subscribed = subscribe({ ...RAW, FilterPolicyScope: "MessageBody" });
    await recording.expect("subscribe", subscribed);
    const { SubscriptionArn = "" } = await subscribed;
    await recording.expect("get-attrs", attributes(SubscriptionArn));
    await recording.expect("subscribe-wrong-attr", subscribe({ RawMessageDelivery: "wrongvalue" }));
    const nobody = `${TopicArn}:11111111-2222-3333-4444-555555555555`;
    await recording.expect("get-attrs-nonexistent-sub", attributes(nobody));
  });

  test("test_subscribe_idempotency", async () => {
    const recording = replay("test_subscribe_idempotency");
    const TopicArn = await sns.topic("one");
    const subscribe = (Attributes?: Record<string, string>) =>
      sns.call("Subscribe", {
        TopicArn,
        Protocol: "sqs",
        Endpoint: QUEUE,
        ...(Attributes === undefined ? {} : { Attributes }),
        ReturnSubscriptionArn: true,
      });
    const scoped = { FilterPolicyScope: "MessageAttributes" };
    const first = subscribe(RAW);
    await recording.expect("subscribe", first);
    await recording.expect("get-sub-attrs", attributes((await first).SubscriptionArn ?? ""));
    await recording.expect("subscribe-exact-same-raw", subscribe(RAW));
    await recording.expect("subscribe-idempotent", subscribe({ ...RAW, ...scoped }));
    await recording.expect("subscribe-idempotent-no-attributes", subscribe());
    await recording.expect("subscribe-idempotent-empty-attributes", subscribe({}));
    await recording.expect("subscribe-missing-attributes", subscribe(scoped));
    await recording.expect(
      "subscribe-diff-attributes",
      subscribe({ RawMessageDelivery: "false", FilterPolicyScope: "MessageBody" }),
    );
  });

  test("test_double_subscription", async () => {
    const recording = replay("test_double_subscription");
    const TopicArn = await sns.topic("double-sub-befdfdff");
    const subscribe = () => sns.call("Subscribe", { TopicArn, Protocol: "sqs", Endpoint: QUEUE });
    await recording.expect("double-subscription-first", subscribe());
    await recording.expect("double-subscription-second", subscribe());
  });

  test("test_subscribe_with_invalid_protocol", async () => {
    const TopicArn = await sns.topic("one");
    await replay("test_subscribe_with_invalid_protocol").expect(
      "exception",
      sns.call("Subscribe", { TopicArn, Protocol: "test-protocol", Endpoint: "test@example.com" }),
    );
  });

  test("test_subscribe_sqs_queue_url, test_subscribe_unknown_sqs_queue", async () => {
    const TopicArn = await sns.topic("one");
    const subscribe = (Endpoint: string) => sns.call("Subscribe", { TopicArn, Protocol: "sqs", Endpoint });
    await replay("test_subscribe_sqs_queue_url").expect(
      "subscribe-sqs-via-url-error",
      subscribe("https://sqs.us-east-1.amazonaws.com/111111111111/queue"),
    );
    const unknown = replay("test_subscribe_unknown_sqs_queue");
    await unknown.expect("subscribe-unknown-sqs", subscribe(QUEUE));
    await unknown.expect("subscribe-unknown-sqs-invalid_arn", subscribe("not-an-arn"));
  });

  test("test_subscribe_sms, test_subscribe_sms_obscure_phone_number", async () => {
    const TopicArn = await sns.topic("one");
    const subscribe = (Endpoint: string) => sns.call("Subscribe", { TopicArn, Protocol: "sms", Endpoint });
    await replay("test_subscribe_sms").expect("subscribe-sms-1", subscribe("+15551234567"));
    await replay("test_subscribe_sms_obscure_phone_number").expect(
      "subscribe-sms-2",
      subscribe("+15/55-123.456"),
    );
  });

  test("test_subscribe_invalid_filter_policy", async () => {
    const TopicArn = await sns.topic("one");
    await replay("test_subscribe_invalid_filter_policy").expect(
      "subscribe-invalid-filter-policy",
      sns.subscribe(TopicArn, "sms", "+15551234567", { FilterPolicy: "invalid" }),
    );
  });

  test("test_list_subscriptions_by_topic_pagination", async () => {
    const TopicArn = await sns.topic("one");
    for (let number = 100; number <= 200; number++) await sns.subscribe(TopicArn, "sms", `+123123${number}`);
    const first = await sns.call("ListSubscriptionsByTopic", { TopicArn });
    const { NextToken } = first;
    await replay("test_list_subscriptions_by_topic_pagination").expect(
      "list-sub-per-topic-page-2",
      sns.call("ListSubscriptionsByTopic", { TopicArn, NextToken }),
    );
  });
});

describe("attributes of a subscription", () => {
  test("test_creating_subscription_with_attributes, test_set_subscription_attributes", async () => {
    const TopicArn = await sns.topic("one");
    const made = await sns.subscribe(TopicArn, "sqs", QUEUE, RAW);
    await replay("test_creating_subscription_with_attributes").expect(
      "subscription-with-attributes",
      attributes(made),
    );
    const SubscriptionArn = await sns.subscribe(TopicArn, "sqs", `${QUEUE}-2`);
    await sns.call("SetSubscriptionAttributes", {
      SubscriptionArn,
      AttributeName: "RawMessageDelivery",
      AttributeValue: "true",
    });
    await replay("test_set_subscription_attributes").expect(
      "set-subscription-attributes",
      attributes(SubscriptionArn),
    );
  });

  test("test_validate_set_sub_attributes", async () => {
    const recording = replay("test_validate_set_sub_attributes");
    const SubscriptionArn = await sns.subscribe(await sns.topic("one"), "sqs", QUEUE);
    const set = (AttributeName: string, AttributeValue: string) =>
      sns.call("SetSubscriptionAttributes", { SubscriptionArn, AttributeName, AttributeValue });
    await recording.expect("fake-attribute", set("FakeAttribute", "test-value"));
    await recording.expect("raw-message-wrong-value", set("RawMessageDelivery", "test-ValUe"));
    await recording.expect("raw-message-empty-value", set("RawMessageDelivery", ""));
    await recording.expect(
      "fake-arn-redrive-policy",
      set("RedrivePolicy", '{"deadLetterTargetArn": "fake-arn"}'),
    );
    await recording.expect("invalid-json-redrive-policy", set("RedrivePolicy", "{invalidjson}"));
    await recording.expect("invalid-json-filter-policy", set("FilterPolicy", "{invalidjson}"));
  });

  test("test_get_subscription_attributes_error_not_exists", async () => {
    const TopicArn = await sns.topic("one");
    await replay("test_get_subscription_attributes_error_not_exists").expect(
      "get-sub-attrs-nonexistent",
      attributes(`${TopicArn}:11111111-2222-3333-4444-555555555555`),
    );
  });

  test("test_delete_subscriptions_on_delete_topic", async () => {
    const TopicArn = await sns.topic("one");
    const subscription = await sns.subscribe(TopicArn, "sqs", QUEUE, RAW);
    await sns.call("DeleteTopic", { TopicArn });
    await replay("test_delete_subscriptions_on_delete_topic").expect(
      "get-sub-after-topic-delete",
      attributes(subscription),
    );
  });
});

describe("ending and confirming", () => {
  const end = (SubscriptionArn: string) => sns.call("Unsubscribe", { SubscriptionArn });

  test("test_unsubscribe_idempotency, test_unsubscribe_from_non_existing_subscription", async () => {
    const recording = replay("test_unsubscribe_idempotency");
    const TopicArn = await sns.topic("one");
    const subscription = await sns.subscribe(TopicArn, "sqs", QUEUE);
    await recording.expect("unsubscribe-1", end(subscription));
    await recording.expect("unsubscribe-2", end(subscription));
    await replay("test_unsubscribe_from_non_existing_subscription").expect(
      "empty-unsubscribe",
      end(`${TopicArn}:11111111-2222-3333-4444-555555555555`),
    );
  });

  test("test_unsubscribe_wrong_arn_format, test_unsubscribe_from_deleted_topic", async () => {
    const recording = replay("test_unsubscribe_wrong_arn_format");
    await recording.expect("invalid-unsubscribe-arn-1", end("randomstring"));
    await recording.expect("invalid-unsubscribe-arn-2", end("arn:aws:sns:us-east-1:random"));
    await recording.expect("invalid-unsubscribe-arn-3", end("arn:aws:sns:us-east-1:111111111111:random"));
    await recording.expect("invalid-unsubscribe-arn-4", end(""));
    await replay("test_unsubscribe_from_deleted_topic").expect(
      "unsubscribe-deleted-topic",
      end("randomstring"),
    );
  });

  test("test_sns_confirm_subscription_wrong_token", async () => {
    const recording = replay("test_sns_confirm_subscription_wrong_token");
    const TopicArn = await sns.topic("one");
    const confirm = (arn: string, Token: string) => sns.call("ConfirmSubscription", { TopicArn: arn, Token });
    await recording.expect(
      "topic-not-exists",
      confirm(`${TopicArn}-nobody`, "51b2ff3edb4487553c7dd2f29566c2aa".repeat(9)),
    );
    await recording.expect("invalid-token", confirm(TopicArn, "randomtoken"));
    await recording.expect(
      "token-not-exists",
      confirm(TopicArn, "51b2ff3edb4487553c7dd2f29566c2aa".repeat(9)),
    );
  });
});
