import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ACCOUNT, createSqsFixture, type SqsFixture, type SqsProtocol } from "../../support/sqs-service.ts";
import { Recording } from "./recording.ts";

let sqs: SqsFixture;
beforeEach(async () => {
  sqs = await createSqsFixture();
});
afterEach(async () => {
  expect(sqs.problems).toEqual([]);
  await sqs.close();
});

/** How the recordings name the protocol that a scenario was recorded over. */
const protocols: Readonly<Record<string, SqsProtocol>> = { sqs: "aws-json-1.0", sqs_query: "query" };
const both = Object.entries(protocols);
const query = { protocol: "query" } as const;

const all = (QueueUrl: string, protocol: SqsProtocol) =>
  sqs.call("GetQueueAttributes", { QueueUrl, AttributeNames: ["All"] }, { protocol });

describe("attributes", () => {
  test("test_create_and_update_queue_attributes", async () => {
    const recording = new Recording("queues", "test_create_and_update_queue_attributes[sqs_query]");
    const { url } = await sqs.create("q", {
      MessageRetentionPeriod: "604800",
      ReceiveMessageWaitTimeSeconds: "10",
      VisibilityTimeout: "20",
    });
    await recording.expect("get_queue_attributes", all(url, "query"));
    const Attributes = { MaximumMessageSize: "2048", VisibilityTimeout: "69", DelaySeconds: "420" };
    await sqs.call("SetQueueAttributes", { QueueUrl: url, Attributes }, query);
    await recording.expect("get_updated_queue_attributes", all(url, "query"));
  });

  test.each(both)("test_fifo_set_content_based_deduplication_strategy[%s]", async (name, protocol) => {
    const recording = new Recording("queues", `test_fifo_set_content_based_deduplication_strategy[${name}]`);
    const { url } = await sqs.create("q.fifo", {
      FifoQueue: "true",
      SqsManagedSseEnabled: "true",
      ContentBasedDeduplication: "true",
    });
    await recording.expect("before-update", all(url, protocol));
    const Attributes = { ContentBasedDeduplication: "false" };
    await sqs.call("SetQueueAttributes", { QueueUrl: url, Attributes }, { protocol });
    await recording.expect("after-update", all(url, protocol));
  });

  test.each(both)("test_set_queue_attributes_default_values[%s]", async (name, protocol) => {
    const recording = new Recording("queues", `test_set_queue_attributes_default_values[${name}]`);
    const { url } = await sqs.create("q");
    const set = (Attributes: Record<string, string>) =>
      sqs.call("SetQueueAttributes", { QueueUrl: url, Attributes }, { protocol });
    await recording.expect("get-queue-attributes-initial-values", all(url, protocol));
    await set({
      KmsMasterKeyId: "testKeyId",
      KmsDataKeyReusePeriodSeconds: "6000",
      SqsManagedSseEnabled: "false",
    });
    await recording.expect("get-queue-attributes-after-update", all(url, protocol));
    await set({ KmsMasterKeyId: "", KmsDataKeyReusePeriodSeconds: "" });
    await recording.expect("get-queue-attributes-after-set-to-defaults", all(url, protocol));
  });

  test.each(both)("test_sse_queue_attributes[%s]", async (name, protocol) => {
    const recording = new Recording("queues", `test_sse_queue_attributes[${name}]`);
    const step = async (queue: string, recorded: string, Attributes: Record<string, string>) => {
      const { url } = await sqs.create(queue);
      await sqs.call("SetQueueAttributes", { QueueUrl: url, Attributes }, { protocol });
      const AttributeNames = [
        "KmsMasterKeyId" as const,
        "KmsDataKeyReusePeriodSeconds" as const,
        "SqsManagedSseEnabled" as const,
      ];
      await recording.expect(
        recorded,
        sqs.call("GetQueueAttributes", { QueueUrl: url, AttributeNames }, { protocol }),
      );
    };
    await step("one", "sse_kms_attributes", {
      KmsMasterKeyId: "testKeyId",
      KmsDataKeyReusePeriodSeconds: "6000",
      SqsManagedSseEnabled: "false",
    });
    await step("two", "sse_sqs_attributes", { SqsManagedSseEnabled: "true" });
  });

  test("test_sse_kms_and_sqs_are_mutually_exclusive", async () => {
    const { url } = await sqs.create("q");
    const Attributes = { KmsMasterKeyId: "testKeyId", SqsManagedSseEnabled: "true" };
    const recording = new Recording("queues", "test_sse_kms_and_sqs_are_mutually_exclusive[sqs_query]");
    const told = sqs
      .call("SetQueueAttributes", { QueueUrl: url, Attributes }, query)
      .catch(
        ({ error }: { error: Record<string, string> }) =>
          `An error occurred (${error["Code"]}) when calling the SetQueueAttributes operation: ${error["Message"]}`,
      );
    await recording.expect("error", told);
  });

  test("test_set_empty_redrive_policy", async () => {
    const { arn } = await sqs.create("dead");
    const { url } = await sqs.create("q");
    const set = (RedrivePolicy: string) =>
      sqs.call("SetQueueAttributes", { QueueUrl: url, Attributes: { RedrivePolicy } }, query);
    await set(JSON.stringify({ deadLetterTargetArn: arn, maxReceiveCount: "42" }));
    const told = async () => (await all(url, "query")).Attributes?.RedrivePolicy;
    expect(JSON.parse((await told()) ?? "")).toEqual({ deadLetterTargetArn: arn, maxReceiveCount: 42 });
    await set("");
    expect(await told()).toBeUndefined();
  });
});

describe("attributes that a queue's type does not have", () => {
  test("test_create_standard_queue_with_fifo_attribute_raises_error", async () => {
    const recording = new Recording(
      "fifo",
      "test_create_standard_queue_with_fifo_attribute_raises_error[sqs_query]",
    );
    const create = (Attributes: Record<string, string>) =>
      sqs.call("CreateQueue", { QueueName: "q", Attributes });
    await recording.expect("invalid-attribute-fifo-queue", create({ FifoQueue: "false" }));
    await recording.expect(
      "invalid-attribute-content-based-deduplication",
      create({ ContentBasedDeduplication: "false" }),
    );
    await recording.expect("invalid-attribute-deduplication-scope", create({ DeduplicationScope: "queue" }));
    await recording.expect("invalid-attribute-throughput-limit", create({ FifoThroughputLimit: "perQueue" }));
  });

  test.each(both)("test_set_unsupported_attribute_standard[%s]", async (name, protocol) => {
    const recording = new Recording("queues", `test_set_unsupported_attribute_standard[${name}]`);
    const { url } = await sqs.create("q");
    const set = (FifoQueue: string) =>
      sqs.call("SetQueueAttributes", { QueueUrl: url, Attributes: { FifoQueue } }, { protocol });
    await recording.expect("invalid-attr-name-1", set("true"));
    await recording.expect("invalid-attr-name-2", set("false"));
  });

  test("test_set_unsupported_attribute_fifo", async () => {
    const recording = new Recording("queues", "test_set_unsupported_attribute_fifo[sqs_query]");
    const standard = await sqs.create("q");
    const fifo = await sqs.create("q.fifo", { FifoQueue: "true" });
    const set = (QueueUrl: string, FifoQueue: string) =>
      sqs.call("SetQueueAttributes", { QueueUrl, Attributes: { FifoQueue } }, query);
    await recording.expect("invalid-attr-name-1", set(standard.url, "true"));
    await set(fifo.url, "true");
    await recording.expect("invalid-attr-name-2", set(fifo.url, "false"));
  });
});

describe("creating a queue that exists", () => {
  test.each(["sqs", "sqs_query"])(
    "test_create_queue_with_different_attributes_raises_exception[%s]",
    async (name) => {
      const recording = new Recording(
        "queues",
        `test_create_queue_with_different_attributes_raises_exception[${name}]`,
      );
      const create = (Attributes: Record<string, string> = {}) =>
        sqs.call("CreateQueue", { QueueName: "q", Attributes });
      const first = { ReceiveMessageWaitTimeSeconds: "1", DelaySeconds: "1" };
      const { QueueUrl } = await create(first);
      expect((await create()).QueueUrl).toBe(QueueUrl);
      expect((await create({ DelaySeconds: "1" })).QueueUrl).toBe(QueueUrl);
      await recording.expect("create_queue_01", create({ ...first, DelaySeconds: "2" }));
      await sqs.call("SetQueueAttributes", { QueueUrl, Attributes: { DelaySeconds: "2" } });
      expect((await create({ ...first, DelaySeconds: "2" })).QueueUrl).toBe(QueueUrl);
      await recording.expect("create_queue_02", create(first));
    },
  );

  test("test_create_fifo_queue_with_different_attributes_raises_error", async () => {
    const recording = new Recording(
      "queues",
      "test_create_fifo_queue_with_different_attributes_raises_error[sqs_query]",
    );
    const attributes = { FifoQueue: "true", ContentBasedDeduplication: "true" };
    await sqs.create("q.fifo", attributes);
    const Attributes = { ...attributes, ContentBasedDeduplication: "false" };
    await recording.expect(
      "queue-already-exists",
      sqs.call("CreateQueue", { QueueName: "q.fifo", Attributes }),
    );
  });
});

test.each(both)("test_successive_purge_calls_fail[%s]", async (name, protocol) => {
  const recording = new Recording("queues", `test_successive_purge_calls_fail[${name}]`);
  const { url } = await sqs.create("q");
  const purge = () => sqs.call("PurgeQueue", { QueueUrl: url }, { protocol });
  await purge();
  await recording.expect("purge_queue_error", purge());
  sqs.clock.advance(60_000);
  await purge();
});

test("test_tag_untag_queue", async () => {
  const recording = new Recording("queues", "test_tag_untag_queue[sqs_query]");
  const { url } = await sqs.create("q");
  const list = () => sqs.call("ListQueueTags", { QueueUrl: url }, query);
  const untag = (...TagKeys: string[]) => sqs.call("UntagQueue", { QueueUrl: url, TagKeys }, query);
  await sqs.call("TagQueue", { QueueUrl: url, Tags: { tag1: "value1", tag2: "value2", tag3: "" } }, query);
  await recording.expect("get-tag-1", list());
  await untag("tag1", "tag3");
  await recording.expect("get-tag-2", list());
  await untag("tag2");
  await recording.expect("get-tag-after-untag", list());
});

test.each(both)("test_sqs_permission_lifecycle[%s]", async (name, protocol) => {
  const recording = new Recording("queues", `test_sqs_permission_lifecycle[${name}]`);
  const { url } = await sqs.create("q");
  const add = (Label: string, ...AWSAccountIds: string[]) =>
    sqs.call(
      "AddPermission",
      { QueueUrl: url, Label, AWSAccountIds, Actions: ["ReceiveMessage"] },
      { protocol },
    );
  const remove = (Label: string) => sqs.call("RemovePermission", { QueueUrl: url, Label }, { protocol });
  const policy = (step: string) =>
    recording.expect(
      `get-queue-policy-attribute${step}`,
      sqs.call("GetQueueAttributes", { QueueUrl: url, AttributeNames: ["Policy"] }, { protocol }),
    );
  const [one, two] = ["crossaccountpermission", "crossaccountpermission2"];
  await recording.expect("add-permission-response", add(one, "668614515564", ACCOUNT));
  await policy("");
  await recording.expect("remove-permission-response", remove(one));
  await policy("-after-removal");
  await add(one, ACCOUNT);
  await policy("-first-account-same-label");
  await recording.expect("get-queue-policy-attribute-second-account-same-label", add(one, "668614515564"));
  await add(two, ACCOUNT);
  await policy("-second-account-different-label");
  await remove(one);
  await policy("-delete-first-permission");
  await remove(two);
  await policy("-delete-second-permission");
  await recording.expect("get-queue-policy-attribute-delete-non-existent-label", remove(two));
});
