import { createHash } from "node:crypto";
import type * as client from "@aws-sdk/client-s3";
import type { CallContext, Handler } from "#wire/operation";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { destinationsOf, readConfiguration } from "../notifications/configuration.ts";
import { validate } from "../notifications/destinations.ts";
import { reviseSettings } from "../settings.ts";
import { type BucketDocument, bucketArn, requireBucket } from "../store.ts";

type S3 = typeof client;

export function notificationOperations({ documents, clock, ids, caller }: S3Deps) {
  const PutBucketNotificationConfiguration: Handler<S3, "PutBucketNotificationConfiguration"> = async (
    input,
    call,
  ) => {
    const bucket = requireBucket(documents, call, input).value;
    const notification = readConfiguration(input.NotificationConfiguration ?? {}, bucket.region, ids);
    if (notification !== undefined && input.SkipDestinationValidation !== true)
      await requireReachable(bucket, notification, call);
    await reviseSettings(documents, call, input, () => ({ notification }));
    return {};
  };

  const GetBucketNotificationConfiguration: Handler<S3, "GetBucketNotificationConfiguration"> = (
    input,
    call,
  ) => requireBucket(documents, call, input).value.settings.notification ?? {};

  /** All destinations are asked, and all that cannot be reached are told. @throws AwsError InvalidArgument */
  async function requireReachable(
    bucket: BucketDocument,
    configuration: client.NotificationConfiguration,
    { requestId }: CallContext,
  ): Promise<void> {
    const body = JSON.stringify({
      Service: "Amazon S3",
      Event: "s3:TestEvent",
      Time: new Date(clock.now()).toISOString(),
      Bucket: bucket.name,
      RequestId: requestId,
      HostId: createHash("sha384").update(requestId).digest("base64"),
    });
    const test = { bucketArn: bucketArn(bucket), body };
    const asked = destinationsOf(configuration).map((destination) => validate(caller, destination, test));
    const problems = (await Promise.all(asked)).filter((problem) => problem !== undefined);
    if (problems.length > 0) throw s3Errors.invalidDestinations(problems);
  }

  return { PutBucketNotificationConfiguration, GetBucketNotificationConfiguration };
}
