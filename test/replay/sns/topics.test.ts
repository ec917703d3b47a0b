import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSnsFixture, type SnsFixture } from "../../support/sns-service.ts";
import { Recording } from "./recording.ts";

let sns: SnsFixture;

beforeEach(async () => {
  sns = await createSnsFixture();
});
afterEach(() => sns.close());

const replay = (scenario: string) => new Recording("topics", scenario);
const attributes = (TopicArn: string) => sns.call("GetTopicAttributes", { TopicArn });

describe("topics", () => {
  test("test_create_topic_test_arn", async () => {
    const recording = replay("test_create_topic_test_arn");
    const created = sns.call("CreateTopic", { Name: "one" });
    await recording.expect("create-topic", created);
    const { TopicArn = "" } = await created;
    await recording.expect("get-topic-attrs", attributes(TopicArn));
    await recording.expect("delete-topic", sns.call("DeleteTopic", { TopicArn }));
    await recording.expect("topic-not-exists", attributes(TopicArn));
  });

  test("test_delete_topic_idempotency", async () => {
    const recording = replay("test_delete_topic_idempotency");
    const TopicArn = await sns.topic("one");
    await recording.expect("delete-topic", sns.call("DeleteTopic", { TopicArn }));
    await recording.expect("delete-topic-again", sns.call("DeleteTopic", { TopicArn }));
  });

  test("test_delete_non_existent_topic", async () => {
    const TopicArn = "arn:aws:sns:us-east-1:111111111111:nobody";
    await replay("test_delete_non_existent_topic").expect(
      "delete-non-existent-topic",
      sns.call("DeleteTopic", { TopicArn }),
    );
  });

  test("test_create_topic_different_attrs", async () => {
    const recording = replay("test_create_topic_different_attrs");
    const create = (Attributes?: Record<string, string>) =>
      sns.call("CreateTopic", { Name: "one", ...(Attributes === undefined ? {} : { Attributes }) });
    await recording.expect("create-topic", create({ DisplayName: "Value1" }));
    await recording.expect("topic-attrs", attributes("arn:aws:sns:us-east-1:111111111111:one"));
    await recording.expect("create-topic-no-attrs", create());
    await recording.expect("create-topic-diff-attrs", create({ DisplayName: "Value2" }));
    await recording.expect("create-topic-new-attrs", create({ DeliveryPolicy: '{"http":{}}' }));
    await recording.expect(
      "create-topic-new-and-same-attrs",
      create({ DisplayName: "Value1", DeliveryPolicy: '{"http":{}}' }),
    );
    await recording.expect("create-topic-new-attrs-fifo", create({ FifoTopic: "true" }));
  });

  test("test_create_topic_name_constraints", async () => {
    const recording = replay("test_create_topic_name_constraints");
    const create = (Name: string, Attributes = {}) => sns.call("CreateTopic", { Name, Attributes });
    await recording.expect("valid-name-max-length", create("a".repeat(256)));
    await recording.expect("name-too-long", create("a".repeat(257)));
    await recording.expect("name-too-short", create(""));
    await recording.expect("name-contains-fifo", create("one.fifo"));
    await recording.expect("fifo-name-not-contains-fifo", create("one", { FifoTopic: "true" }));
    for (const [index, character] of ["*", "@", "&", "!", "#", "$", "%", "^"].entries())
      await recording.expect(`name-invalid-char-${index}`, create(`one${character}`));
  });

  test("test_create_duplicate_topic_with_more_tags", async () => {
    await sns.call("CreateTopic", { Name: "one" });
    await replay("test_create_duplicate_topic_with_more_tags").expect(
      "exception-duplicate",
      sns.call("CreateTopic", { Name: "one", Tags: [{ Key: "k", Value: "v" }] }),
    );
  });

  test("test_tags", async () => {
    const recording = replay("test_tags");
    const ResourceArn = await sns.topic("one");
    const tag = (...Tags: { Key: string; Value: string }[]) => sns.call("TagResource", { ResourceArn, Tags });
    const list = () => sns.call("ListTagsForResource", { ResourceArn });
    const twice = { Key: "k1", Value: "v1" };
    await recording.expect("duplicate-key-error", tag(twice, twice));
    await tag(twice, { Key: "k2", Value: "v2" });
    await recording.expect("list-created-tags", list());
    await sns.call("UntagResource", { ResourceArn, TagKeys: ["k1"] });
    await recording.expect("list-after-delete-tags", list());
    await tag({ Key: "k2", Value: "v2b" });
    await recording.expect("list-after-update-tags", list());
  });

  test("tags whose keys begin with aws: are AWS's own", async () => {
    const ResourceArn = await sns.topic("one");
    const refused = {
      code: "InvalidParameter",
      message:
        "Invalid parameter: Tags Reason: aws: prefixed tag key names are not allowed for external use.",
    };
    for (const Key of ["aws:cloudformation:stack-name", "AWS:x"]) {
      const Tags = [
        { Key: "mine", Value: "v" },
        { Key, Value: "v" },
      ];
      await expect(sns.call("TagResource", { ResourceArn, Tags })).rejects.toMatchObject(refused);
      await expect(sns.call("CreateTopic", { Name: "two", Tags })).rejects.toMatchObject(refused);
    }
    expect((await sns.call("ListTagsForResource", { ResourceArn })).Tags).toEqual([]);
    expect((await sns.call("ListTopics", {})).Topics).toEqual([{ TopicArn: ResourceArn }]);
  });

  test("test_data_protection_policy_crud", async () => {
    const recording = replay("test_data_protection_policy_crud");
    const ResourceArn = await sns.topic("one");
    await recording.expect("get-topic-attributes-before-policy", attributes(ResourceArn));
    const DataProtectionPolicy = JSON.stringify({
      Name: "data_protection_policy",
      Description: "Test Policy",
      Version: "2021-06-01",
      Statement: [
        {
          Sid: "test-statement",
          DataDirection: "Inbound",
          Principal: ["*"],
          DataIdentifier: ["arn:aws:dataprotection:us-east-1::data-identifier/EmailAddress"],
          Operation: { Deny: {} },
        },
      ],
    });
    await recording.expect(
      "put-data-protection-policy",
      sns.call("PutDataProtectionPolicy", { ResourceArn, DataProtectionPolicy }),
    );
    await recording.expect(
      "get-data-protection-policy",
      sns.call("GetDataProtectionPolicy", { ResourceArn }),
    );
    await recording.expect("get-topic-attributes-after-policy", attributes(ResourceArn));
  });

  test("test_topic_get_attributes_with_fifo_false", async () => {
    const recording = replay("test_topic_get_attributes_with_fifo_false");
    const TopicArn = await sns.topic("one", { FifoTopic: "false" });
    await recording.expect("get-attrs-standard-topic", attributes(TopicArn));
    await recording.expect(
      "set-fifo-false-after-creation",
      sns.call("SetTopicAttributes", { TopicArn, AttributeName: "FifoTopic", AttributeValue: "false" }),
    );
  });

  test("test_cross_region_access", async () => {
    const recording = replay("test_cross_region_access");
    const TopicArn = await sns.topic("one");
    const away = { region: "eu-west-1" };
    await recording.expect("get-topic-attrs", sns.call("GetTopicAttributes", { TopicArn }, away));
    await recording.expect(
      "set-topic-attrs",
      sns.call(
        "SetTopicAttributes",
        { TopicArn, AttributeName: "DisplayName", AttributeValue: "MyTopic" },
        away,
      ),
    );
    await recording.expect(
      "cross-region-publish-forbidden",
      sns.call("Publish", { TopicArn, Message: "hello" }, away),
    );
    const Endpoint = "arn:aws:sqs:us-east-1:111111111111:queue";
    await recording.expect(
      "cross-region-subscribe",
      sns.call("Subscribe", { TopicArn, Protocol: "sqs", Endpoint }, away),
    );
    await recording.expect("list-subs", sns.call("ListSubscriptionsByTopic", { TopicArn }, away));
    await recording.expect("delete-topic", sns.call("DeleteTopic", { TopicArn }, away));
  });
});

describe("permissions", () => {
  const policy = async (TopicArn: string): Promise<unknown> =>
    JSON.parse((await attributes(TopicArn)).Attributes?.["Policy"] ?? "");
  const add = (TopicArn: string, ...ActionName: string[]) =>
    sns.call("AddPermission", { TopicArn, Label: "test", AWSAccountId: ["111111111111"], ActionName });

  test("test_topic_add_permission", async () => {
    const recording = replay("test_topic_add_permission");
    const TopicArn = await sns.topic("one");
    await recording.expect("add-permission-response", add(TopicArn, "Publish"));
    await recording.expect("topic-policy-after-permission", policy(TopicArn));
  });

  test("test_topic_add_multiple_permissions", async () => {
    const recording = replay("test_topic_add_multiple_permissions");
    const TopicArn = await sns.topic("one");
    await recording.expect("add-permission-response", add(TopicArn, "Publish", "Subscribe"));
    await recording.expect("topic-policy-after-permission", policy(TopicArn));
  });

  test("test_topic_remove_permission", async () => {
    const TopicArn = await sns.topic("one");
    await add(TopicArn, "Publish");
    await sns.call("RemovePermission", { TopicArn, Label: "test" });
    await replay("test_topic_remove_permission").expect("topic-policy", policy(TopicArn));
  });

  test("test_add_permission_errors, test_remove_permission_errors", async () => {
    const recording = replay("test_add_permission_errors");
    const TopicArn = await sns.topic("one");
    await add(TopicArn, "Publish");
    await recording.expect("duplicate-label", add(TopicArn, "Publish"));
    await recording.expect("invalid-action", add(TopicArn, "InvalidAction"));
    const nobody = `${TopicArn}-nobody`;
    await recording.expect("topic-not-found", add(nobody, "Publish"));
    await replay("test_remove_permission_errors").expect(
      "topic-not-found",
      sns.call("RemovePermission", { TopicArn: nobody, Label: "test" }),
    );
  });
});
