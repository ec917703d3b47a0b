import type { NotificationConfiguration } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AwsError } from "../../../src/core/errors.ts";
import { type AskedCall, createS3Fixture, type S3Fixture } from "../../support/s3-service.ts";
import { withStorage } from "../../support/storage.ts";
import { type Json, Recording } from "./recording.ts";

const storage = withStorage();
const Bucket = "notifying-bucket";
const REGION = "us-east-1";
const QueueArn = `arn:aws:sqs:${REGION}:111111111111:my-queue`;
const TopicArn = `arn:aws:sns:${REGION}:111111111111:my-topic`;
const LambdaFunctionArn = `arn:aws:lambda:${REGION}:111111111111:function:my-lambda`;

let s3: S3Fixture;
beforeEach(async () => {
  s3 = createS3Fixture(storage());
  await s3.call("CreateBucket", { Bucket });
  await s3.service.start();
});
afterEach(() => s3.service.stop(1000));

const configure = (
  NotificationConfiguration: NotificationConfiguration,
  SkipDestinationValidation?: boolean,
) =>
  s3.call("PutBucketNotificationConfiguration", {
    Bucket,
    NotificationConfiguration,
    ...(SkipDestinationValidation === undefined ? {} : { SkipDestinationValidation }),
  });
const configuration = () => s3.call("GetBucketNotificationConfiguration", { Bucket });
const toQueue = (Events: string[], prefix?: string, suffix?: string): NotificationConfiguration => ({
  QueueConfigurations: [
    {
      QueueArn,
      Events: Events as never,
      ...(prefix === undefined
        ? {}
        : {
            Filter: {
              Key: {
                FilterRules: [
                  { Name: "prefix", Value: prefix },
                  { Name: "suffix", Value: suffix },
                ],
              },
            },
          }),
    },
  ],
});
const put = (Key: string, Body: string) => s3.call("PutObject", { Bucket, Key, Body });

/** The records that have been sent to queues, the test events left out, once there are `count`. */
async function records(count: number): Promise<Json[]> {
  const sent = (): AskedCall[] =>
    s3.asked.filter(({ input }) => /"Records"/.test(String(input["MessageBody"] ?? input["Message"])));
  await expect.poll(() => sent().length).toBe(count);
  return sent().flatMap(({ input }) => {
    const body = JSON.parse(String(input["MessageBody"] ?? input["Message"])) as { Records: Json[] };
    return body.Records;
  });
}

const byKey = (some: Json[]): Json[] =>
  some.toSorted((a, b) => (JSON.stringify(keyOf(a)) < JSON.stringify(keyOf(b)) ? -1 : 1));
/** Queues keep no order; the recording has one of its own. */
const byEvent = (some: Json[]): Json[] => {
  const order = (record: Json): string => {
    const { eventName, s3: part } = record as { eventName: string; s3: { object: { eTag?: string } } };
    return `${eventName} ${part.object.eTag ?? ""}`;
  };
  return some.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
};
const keyOf = (record: Json) => (record as { s3: { object: { key: string } } }).s3.object.key;

/** The destinations that there are; all others are missing. */
function reach(...arns: string[]): void {
  s3.answer = ({ service, input }) => {
    const { QueueUrl: url = "", TopicArn, FunctionName } = input as Record<string, string | undefined>;
    const name = TopicArn ?? FunctionName ?? "";
    const known = arns.some(
      (arn) => arn === name || (url !== "" && url.endsWith(`/${arn.split(":").at(-1) ?? ""}`)),
    );
    if (known) return {};
    const codes: Readonly<Record<string, string>> = {
      sqs: "QueueDoesNotExist",
      sns: "NotFound",
      lambda: "ResourceNotFoundException",
    };
    throw new AwsError(codes[service] ?? "InternalFailure", "missing");
  };
}

describe("notifications to queues", () => {
  test("test_object_created_put", async () => {
    const recording = new Recording("notifications", "test_object_created_put");
    await configure(toQueue(["s3:ObjectCreated:*"]));
    await put("my_key_0", "something");
    await put("my_key_1", "something else");
    const { messages } = recording.read("receive_messages") as { messages: Json[] };
    recording.compare(messages, byKey(await records(2)), "receive_messages");
    const [test_] = s3.asked;
    expect(JSON.parse(String(test_?.input["MessageBody"]))).toEqual({
      Service: "Amazon S3",
      Event: "s3:TestEvent",
      Time: "2026-01-01T00:00:00.000Z",
      Bucket,
      RequestId: expect.any(String),
      HostId: expect.any(String),
    });
    expect(test_).toMatchObject({
      principal: {
        kind: "service",
        service: "s3.amazonaws.com",
        account: "111111111111",
        sourceArn: `arn:aws:s3:::${Bucket}`,
      },
      region: REGION,
    });
  });

  test("test_object_created_copy", async () => {
    const recording = new Recording("notifications", "test_object_created_copy");
    await configure(toQueue(["s3:ObjectCreated:Copy"]));
    await put("src-dest", "something");
    await s3.call("CopyObject", { Bucket, Key: "key-dest", CopySource: `${Bucket}/src-dest` });
    const { messages } = recording.read("receive_messages") as { messages: Json[] };
    recording.compare(messages, await records(1), "receive_messages");
  });

  test("test_object_created_complete_multipart_upload", async () => {
    const recording = new Recording("notifications", "test_object_created_complete_multipart_upload");
    await configure(toQueue(["s3:ObjectCreated:*"]));
    const Key = "test-key";
    const { UploadId } = await s3.call("CreateMultipartUpload", { Bucket, Key });
    const part = { Bucket, Key, UploadId, PartNumber: 1, Body: "a".repeat(6144) };
    const { ETag } = await s3.call("UploadPart", part);
    const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] };
    await s3.call("CompleteMultipartUpload", { Bucket, Key, UploadId, MultipartUpload });
    const [record] = await records(1);
    // The recording's bytes are not told: its size is.
    const { messages } = structuredClone(recording.read("receive_messages")) as {
      messages: { s3: { object: { eTag: string } } }[];
    };
    for (const { s3: part_ } of messages) part_.object.eTag = "<etag>";
    recording.compare(messages, [record ?? null], "receive_messages");
  });

  test("test_key_encoding", async () => {
    const recording = new Recording("notifications", "test_key_encoding");
    await configure(toQueue(["s3:ObjectCreated:*"]));
    await put("a@b", "something");
    const { messages } = recording.read("receive_messages") as { messages: Json[] };
    recording.compare(messages, await records(1), "receive_messages");
  });

  test("test_object_tagging_delete_event", async () => {
    const recording = new Recording("notifications", "test_object_tagging_delete_event");
    await configure(toQueue(["s3:ObjectTagging:Delete"]));
    await put("key", "FooBarBlitz");
    const Tagging = { TagSet: [{ Key: "k", Value: "v" }] };
    await s3.call("PutObjectTagging", { Bucket, Key: "key", Tagging });
    await s3.call("DeleteObjectTagging", { Bucket, Key: "key" });
    const { messages } = recording.read("receive_messages") as { messages: Json[] };
    recording.compare(messages, await records(1), "receive_messages");
  });

  test("test_delete_objects", async () => {
    const recording = new Recording("notifications", "test_delete_objects");
    await configure(toQueue(["s3:ObjectRemoved:*"]));
    const Objects = ["a", "b", "c"].map((Key) => ({ Key }));
    for (const { Key } of Objects)
      // oxlint-disable-next-line no-await-in-loop
      await put(Key, "something");
    await s3.call("DeleteObjects", { Bucket, Delete: { Objects } });
    const { messages } = recording.read("receive_messages") as { messages: Json[] };
    recording.compare(messages, byKey(await records(3)), "receive_messages");
  });

  test("test_object_created_put_versioned", async () => {
    const recording = new Recording("notifications", "test_object_created_put_versioned");
    const versioning = (Status: "Enabled" | "Suspended") =>
      s3.call("PutBucketVersioning", { Bucket, VersioningConfiguration: { Status } });
    await versioning("Enabled");
    await configure(toQueue(["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]));
    const Key = "test-key";
    const checked = { Bucket, Key, ChecksumAlgorithm: "CRC32" } as const;
    const first = await recording.expect("obj-ver1", s3.call("PutObject", { ...checked, Body: "data" }));
    await recording.expect("obj-ver2", s3.call("PutObject", { ...checked, Body: "data-version2" }));
    const { VersionId } = first;
    await recording.expect("delete-version", s3.call("DeleteObject", { Bucket, Key, VersionId }));
    const marker = await recording.expect("delete-marker", s3.call("DeleteObject", { Bucket, Key }));
    const active = recording.read("message-versioning-active") as Json[];
    recording.compare(byEvent(active), byEvent(await records(4)), "message-versioning-active");
    s3.asked.length = 0;
    await versioning("Suspended");
    await recording.expect("add-null-version", s3.call("PutObject", { ...checked, Body: "data-version3" }));
    const again = s3.call("DeleteObject", { Bucket, Key, VersionId: marker.VersionId });
    await recording.expect("del-delete-marker", again);
    const suspended = recording.read("message-versioning-suspended") as Json[];
    recording.compare(byEvent(suspended), byEvent(await records(2)), "message-versioning-suspended");
  });

  test("test_object_put_acl", async () => {
    const recording = new Recording("notifications", "test_object_put_acl");
    await s3.call("DeletePublicAccessBlock", { Bucket });
    const OwnershipControls = { Rules: [{ ObjectOwnership: "ObjectWriter" as const }] };
    await s3.call("PutBucketOwnershipControls", { Bucket, OwnershipControls });
    await configure(toQueue(["s3:ObjectAcl:Put"]));
    await put("my_key_acl", "something");
    for (let round = 0; round < 3; round++)
      // oxlint-disable-next-line no-await-in-loop
      await s3.call("PutObjectAcl", { Bucket, Key: "my_key_acl", ACL: "public-read" });
    const { messages } = recording.read("receive_messages") as { messages: Json[] };
    recording.compare(messages, await records(messages.length), "receive_messages");
  });

  test("test_filter_rules_case_insensitive", async () => {
    const recording = new Recording("notifications", "test_filter_rules_case_insensitive");
    const asked = toQueue(["s3:ObjectCreated:*"], "notif-", ".txt");
    await configure(
      JSON.parse(JSON.stringify(asked).replace("my-queue", "my-queue-1")) as NotificationConfiguration,
    );
    const shown = recording.read("bucket_notification_configuration") as Record<string, Json>;
    const { ResponseMetadata: _, ...recorded } = shown;
    recording.compare(recorded, (await configuration()) as never, "bucket_notification_configuration");
    await put("notif-a.txt", "yes");
    await put("notif-a.png", "no");
    await put("a.txt", "no");
    expect((await records(1)).map(keyOf)).toEqual(["notif-a.txt"]);
  });

  test("test_invalid_sqs_arn", async () => {
    const recording = new Recording("notifications", "test_invalid_sqs_arn");
    const Events = ["s3:ObjectCreated:*"] as never;
    const to = (arn: string) => ({ QueueConfigurations: [{ Id: "id123", QueueArn: arn, Events }] });
    await recording.expect("invalid_not_skip", configure(to("invalid-queue"), false));
    await recording.expect("invalid_skip", configure(to("invalid-queue"), true));
    reach();
    await recording.expect("queue-does-not-exist", configure(to(QueueArn), false));
    await configure(to(QueueArn), true);
    await recording.expect("skip_destination_validation", configuration());
  });

  test("test_multiple_invalid_sqs_arns", async () => {
    const recording = new Recording("notifications", "test_multiple_invalid_sqs_arns");
    const to = (...arns: string[]) => ({
      QueueConfigurations: arns.map((arn, index) => ({
        Id: `id${index}`,
        QueueArn: arn,
        Events: [index === 0 ? "s3:ObjectCreated:*" : "s3:ObjectRemoved:*"] as never,
      })),
    });
    reach();
    await recording.expect("two-queue-arns-invalid", configure(to("invalid_arn", "invalid_arn_2")));
    await recording.expect("one-queue-invalid-one-not-existent", configure(to(QueueArn, "invalid_arn_2")));
    await recording.expect("multiple-queues-do-not-exist", configure(to(QueueArn, `${QueueArn}-2`)));
  });

  test("test_bucket_notification_with_invalid_filter_rules", async () => {
    const recording = new Recording("notifications", "test_bucket_notification_with_invalid_filter_rules");
    const FilterRules = [{ Name: "INVALID" as "prefix", Value: "does not matter" }];
    const rule = { QueueArn, Events: ["s3:ObjectCreated:*"] as never, Filter: { Key: { FilterRules } } };
    await recording.expect("invalid_filter_name", configure({ QueueConfigurations: [rule] }));
  });

  test("test_xray_header", async () => {
    const recording = new Recording("notifications", "test_xray_header");
    await configure(toQueue(["s3:ObjectCreated:*"]));
    const { messages } = recording.read("receive_messages") as {
      messages: { Attributes: { AWSTraceHeader: string }; Body: { Records: Json[] } }[];
    };
    const [message] = messages;
    const trace = message?.Attributes.AWSTraceHeader ?? "";
    const headers = { "x-amzn-trace-id": trace };
    await s3.call("PutObject", { Bucket, Key: "test-data", Body: "something" }, { headers });
    const [record] = await records(1);
    recording.compare(message?.Body.Records[0] ?? null, record, "Body");
    const sent = s3.asked.at(-1)?.input["MessageSystemAttributes"];
    expect(sent).toEqual({ AWSTraceHeader: { DataType: "String", StringValue: trace } });
  });

  test("test_get_bucket_notification_configuration_no_such_bucket", async () => {
    const name = "test_get_bucket_notification_configuration_no_such_bucket";
    // scenarios of notifications: test_get_bucket_notification_configuration_no_such_bucket
    const recording = new Recording("notifications", name);
    const call = s3.call("GetBucketNotificationConfiguration", { Bucket: "nobodys-bucket" });
    await recording.expect("expected_error", call);
  });
});

describe("notifications to topics, functions and the bus", () => {
  test("test_invalid_topic_arn", async () => {
    const recording = new Recording("notifications", "test_invalid_topic_arn");
    const Events = ["s3:ObjectCreated:*"] as never;
    const to = (arn: string) => ({ TopicConfigurations: [{ Id: "id123", TopicArn: arn, Events }] });
    await recording.expect("invalid_not_skip", configure(to("invalid-topic"), false));
    await recording.expect("invalid_skip", configure(to("invalid-topic"), true));
    reach();
    await configure(to(TopicArn), true);
    await recording.expect("skip_destination_validation", configuration());
  });

  test("test_bucket_notifications_with_filter", async () => {
    const recording = new Recording("notifications", "test_bucket_notifications_with_filter");
    const FilterRules = [
      { Name: "prefix", Value: "testupload/" },
      { Name: "suffix", Value: "testfile.txt" },
    ] as const;
    const rule = {
      TopicArn,
      Events: ["s3:ObjectCreated:*"] as never,
      Filter: { Key: { FilterRules: [...FilterRules] } },
    };
    await configure({ TopicConfigurations: [rule] });
    await put("testupload/dir1/testfile.txt", "something");
    const { Message } = recording.read("message") as { Message: { Records: { s3: { object: object } }[] } };
    const expected = structuredClone(Message.Records);
    // The bytes are not told.
    for (const { s3: part } of expected) Object.assign(part.object, { eTag: "<etag>", size: 9 });
    recording.compare(expected as never, await records(1), "message");
    expect(s3.asked.at(-1)).toMatchObject({
      service: "sns",
      operation: "Publish",
      input: { TopicArn, Subject: "Amazon S3 Notification" },
    });
  });

  test("test_invalid_lambda_arn", async () => {
    const recording = new Recording("notifications", "test_invalid_lambda_arn");
    const Events = ["s3:ObjectCreated:*"] as never;
    const to = (arn: string) => ({
      LambdaFunctionConfigurations: [{ Id: "id123", LambdaFunctionArn: arn, Events }],
    });
    await recording.expect("invalid_not_skip", configure(to("invalid-queue"), false));
    await recording.expect("invalid_skip", configure(to("invalid-queue"), true));
    reach();
    await recording.expect("lambda-does-not-exist", configure(to(LambdaFunctionArn), false));
    await configure(to(LambdaFunctionArn), true);
    await recording.expect("skip_destination_validation", configuration());
  });

  test("a function is called as an event, by S3 for the bucket", async () => {
    const Events = ["s3:ObjectCreated:Put"] as never;
    await configure({ LambdaFunctionConfigurations: [{ LambdaFunctionArn, Events }] });
    await put("k", "v");
    await expect.poll(() => s3.asked.length).toBe(2);
    const [dry, event] = s3.asked;
    expect(dry).toMatchObject({ operation: "Invoke", input: { InvocationType: "DryRun" } });
    expect(event).toMatchObject({
      service: "lambda",
      operation: "Invoke",
      input: { FunctionName: LambdaFunctionArn, InvocationType: "Event" },
      principal: { service: "s3.amazonaws.com", sourceArn: `arn:aws:s3:::${Bucket}` },
    });
    const payload = JSON.parse(String(event?.input["Payload"])) as { Records: Json[] };
    expect(payload.Records).toHaveLength(1);
  });

  test("test_object_created_put_in_different_region", async () => {
    const recording = new Recording("notifications", "test_object_created_put_in_different_region");
    await configure({ EventBridgeConfiguration: {} });
    await put("key", "data");
    await expect.poll(() => s3.asked.length).toBe(1);
    const [sent] = s3.asked;
    const [entry] = (sent?.input["Entries"] ?? []) as Record<string, Json>[];
    expect(sent?.operation).toBe("PutEvents");
    const { messages } = recording.read("object-created-different-regions") as {
      messages: Record<string, Json>[];
    };
    const recorded = messages[0] ?? {};
    recording.compare(recorded["detail-type"] ?? null, entry?.["DetailType"], "detail-type");
    recording.compare(recorded["source"] ?? null, entry?.["Source"], "source");
    recording.compare(recorded["resources"] ?? null, entry?.["Resources"], "resources");
    const detail = structuredClone(recorded["detail"]) as Record<string, Json>;
    detail["request-id"] = "<request-id>";
    (detail["object"] as Record<string, Json>)["sequencer"] = "<sequencer>";
    recording.compare(detail, JSON.parse(entry?.["Detail"] as string) as Json, "detail");
  });
});
