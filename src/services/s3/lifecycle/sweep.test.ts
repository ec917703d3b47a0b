import type { LifecycleRule } from "@aws-sdk/client-s3";
import { beforeEach, describe, expect, test } from "vitest";
import { createS3Fixture, type S3Fixture } from "../../../../test/support/s3-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";

const storage = withStorage();
const Bucket = "my-bucket";
const DAY = 86_400_000;
let s3: S3Fixture;

beforeEach(async () => {
  s3 = createS3Fixture(storage());
  await s3.call("CreateBucket", { Bucket });
});

const rules = (...Rules: Omit<LifecycleRule, "Status">[]) =>
  s3.call("PutBucketLifecycleConfiguration", {
    Bucket,
    LifecycleConfiguration: {
      Rules: Rules.map((rule) => ({ Filter: {}, ...rule, Status: "Enabled" as const })),
    },
  });
const put = (Key: string, input: { Body?: string; Tagging?: string } = {}) =>
  s3.call("PutObject", { Bucket, Key, ...input });
const keys = async () => ((await s3.call("ListObjectsV2", { Bucket })).Contents ?? []).map(({ Key }) => Key);
const versioning = (Status: "Enabled" | "Suspended") =>
  s3.call("PutBucketVersioning", { Bucket, VersioningConfiguration: { Status } });

async function pass(ms: number): Promise<void> {
  s3.clock.advance(ms);
  await s3.service.lifecycle.run();
  expect(s3.problems).toEqual([]);
}

async function stored(): Promise<number> {
  await s3.service.stop(0);
  let found = 0;
  for await (const _ of storage().objects.list()) found += 1;
  return found;
}

describe("lifecycle rules", () => {
  test("expire objects at the midnight after their days, and give the disk back", async () => {
    await rules({ Filter: { Prefix: "tmp/" }, Expiration: { Days: 2 } });
    s3.clock.advance(3_600_000);
    await put("tmp/a");
    await put("kept");
    await pass(2 * DAY);
    expect(await keys()).toEqual(["kept", "tmp/a"]);
    await pass(DAY - 3_600_000);
    expect(await keys()).toEqual(["kept"]);
    expect(await stored()).toBe(1);
  });

  test("look at tags and sizes, and at dates", async () => {
    await rules(
      { Filter: { And: { Prefix: "a", Tags: [{ Key: "t", Value: "1" }] } }, Expiration: { Days: 1 } },
      { Filter: { ObjectSizeGreaterThan: 3 }, Expiration: { Date: new Date("2026-02-01T00:00:00Z") } },
    );
    await put("a-tagged", { Tagging: "t=1" });
    await put("a-other", { Tagging: "t=2" });
    await put("large", { Body: "large" });
    await pass(2 * DAY);
    expect(await keys()).toEqual(["a-other", "large"]);
    await pass(30 * DAY);
    expect(await keys()).toEqual(["a-other"]);
  });

  test("hide what is versioned, then drop what is hidden, then the marker", async () => {
    await versioning("Enabled");
    await rules({
      Expiration: { Days: 1 },
      NoncurrentVersionExpiration: { NoncurrentDays: 3 },
    });
    await put("k", { Body: "1" });
    await put("k", { Body: "2" });
    const versions = async () => {
      const { Versions = [], DeleteMarkers = [] } = await s3.call("ListObjectVersions", { Bucket });
      return [Versions.length, DeleteMarkers.length];
    };
    await pass(DAY);
    expect(await versions()).toEqual([2, 1]);
    await pass(2 * DAY);
    // The older one has been noncurrent for three days, the newer one for two.
    expect(await versions()).toEqual([1, 1]);
    await pass(2 * DAY);
    await pass(0);
    expect(await versions()).toEqual([0, 0]);
    expect(await stored()).toBe(0);
  });

  test("keep so many noncurrent versions as they say", async () => {
    await versioning("Enabled");
    await rules({ NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 2 } });
    for (let at = 0; at < 6; at++)
      // oxlint-disable-next-line no-await-in-loop
      await put("k", { Body: String(at) });
    await pass(5 * DAY);
    expect((await s3.call("ListObjectVersions", { Bucket })).Versions).toHaveLength(3);
  });

  test("abort uploads that nobody completes", async () => {
    await rules({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } });
    const { UploadId } = await s3.call("CreateMultipartUpload", { Bucket, Key: "k" });
    await s3.call("UploadPart", { Bucket, Key: "k", UploadId, PartNumber: 1, Body: "part" });
    await pass(2 * DAY);
    expect((await s3.call("ListMultipartUploads", { Bucket })).Uploads).toBeUndefined();
    expect(await stored()).toBe(0);
  });

  test("move large objects to another storage class", async () => {
    await rules({ Transitions: [{ Days: 30, StorageClass: "STANDARD_IA" }] });
    await put("large", { Body: "x".repeat(128 * 1024) });
    await put("small", { Body: "x" });
    await pass(31 * DAY);
    const classOf = async (Key: string) => (await s3.call("HeadObject", { Bucket, Key })).StorageClass;
    expect([await classOf("large"), await classOf("small")]).toEqual(["STANDARD_IA", undefined]);
  });

  test("tell who wants to know", async () => {
    const QueueArn = "arn:aws:sqs:us-east-1:111111111111:q";
    const Events = ["s3:LifecycleExpiration:*"] as never;
    await s3.call("PutBucketNotificationConfiguration", {
      Bucket,
      NotificationConfiguration: { QueueConfigurations: [{ QueueArn, Events }] },
      SkipDestinationValidation: true,
    });
    await rules({ Expiration: { Days: 1 } });
    await put("k");
    await pass(2 * DAY);
    const [queue] = storage().queue.queues([]);
    const [message] = await storage().queue.receive(queue ?? ["", "", ""], 1, 1000);
    const { body } = JSON.parse(Buffer.from(message?.body ?? []).toString()) as { body: string };
    expect(JSON.parse(body)).toMatchObject({
      Records: [
        {
          eventName: "LifecycleExpiration:Delete",
          userIdentity: { principalId: "s3.amazonaws.com" },
          s3: { object: { key: "k" } },
        },
      ],
    });
  });
});
