import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AwsError } from "#core/errors";
import { createS3Fixture, type S3Fixture } from "../../../../test/support/s3-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";

const storage = withStorage();
const [Bucket, QueueArn] = ["my-bucket", "arn:aws:sqs:us-east-1:111111111111:q"];
let s3: S3Fixture;

beforeEach(async () => {
  s3 = createS3Fixture(storage());
  await s3.call("CreateBucket", { Bucket });
  const QueueConfigurations = [{ QueueArn, Events: ["s3:ObjectCreated:*"] as never }];
  await s3.call("PutBucketNotificationConfiguration", {
    Bucket,
    NotificationConfiguration: { QueueConfigurations },
    SkipDestinationValidation: true,
  });
});
afterEach(() => s3.service.stop(0));

const put = (Key: string) => s3.call("PutObject", { Bucket, Key, Body: "x" });

/** Keys in the records that were sent, in order. */
const keysSent = (fixture: S3Fixture): string[] =>
  fixture.asked.map(({ input }) => {
    const { Records } = JSON.parse(input["MessageBody"] as string) as {
      Records: { s3: { object: { key: string } } }[];
    };
    return Records[0]?.s3.object.key ?? "";
  });

const waiting = () => storage().queue.queues([]).length;

describe("delivery", () => {
  test("is on disk with the object, and outlives the process that took it in", async () => {
    await put("before");
    // Nothing delivered yet: that process has ended without a start.
    expect([s3.asked.length, waiting()]).toEqual([0, 1]);
    const next = createS3Fixture(storage());
    await next.service.start();
    await expect.poll(() => keysSent(next)).toEqual(["before"]);
    await expect.poll(waiting).toBe(0);
    await next.service.stop(1000);
  });

  test("tries again, ever later, until the destination takes it", async () => {
    let down = true;
    s3.answer = () => {
      if (down) throw new AwsError("ServiceUnavailable", "down", { status: 503 });
      return {};
    };
    await s3.service.start();
    await put("k");
    await expect.poll(() => s3.asked.length).toBe(1);
    // The queue's own clock is the system's, so what is seen here is that it is given back and not lost.
    await expect
      .poll(() => storage().queue.depth(["111111111111", "us-east-1", "s3-notification", bucketId()]))
      .toMatchObject({ delayed: 1 });
    down = false;
    await put("l");
    await expect.poll(() => keysSent(s3)).toContain("l");
    expect(s3.problems).toEqual([]);
  });

  test("an object that is refused sends nothing", async () => {
    await s3.service.start();
    const wrong = s3.call("PutObject", { Bucket, Key: "k", Body: "x", ChecksumCRC32: "AAAAAA==" });
    await expect(wrong).rejects.toMatchObject({ code: "BadDigest" });
    await put("l");
    await expect.poll(() => keysSent(s3)).toEqual(["l"]);
  });

  test("a destination that never answers holds no other bucket up", async () => {
    const Other = "other-bucket";
    await s3.call("CreateBucket", { Bucket: Other });
    const QueueConfigurations = [{ QueueArn: `${QueueArn}-2`, Events: ["s3:ObjectCreated:*"] as never }];
    await s3.call("PutBucketNotificationConfiguration", {
      Bucket: Other,
      NotificationConfiguration: { QueueConfigurations },
      SkipDestinationValidation: true,
    });
    s3.answer = ({ input }) => ((input["QueueUrl"] as string).endsWith("/q") ? new Promise(() => {}) : {});
    await s3.service.start();
    for (let at = 0; at < 12; at++)
      // oxlint-disable-next-line no-await-in-loop
      await put(`stuck-${at}`);
    await s3.call("PutObject", { Bucket: Other, Key: "free", Body: "x" });
    await expect.poll(() => keysSent(s3)).toContain("free");
  });
});

function bucketId(): string {
  const [name] = storage().queue.queues(["111111111111", "us-east-1", "s3-notification"]);
  return name?.[3] ?? "";
}
