import type * as client from "@aws-sdk/client-s3";
import { beforeEach } from "vitest";
import type { InputOf } from "../../../src/wire/operation.ts";
import { createS3Fixture, s3Call, type S3Fixture, textOf } from "../../support/s3-service.ts";
import { withStorage } from "../../support/storage.ts";

type S3 = typeof client;
type In<Name extends string> = Partial<InputOf<S3, Name>>;

export const Bucket = "recorded-bucket";

/** A service with one bucket, and the calls as the recordings' client made them. */
export function withBucket() {
  const storage = withStorage();
  let s3: S3Fixture;
  beforeEach(async () => {
    s3 = createS3Fixture(storage());
    await s3.call("CreateBucket", { Bucket });
  });
  return {
    get s3() {
      return s3;
    },
    /** boto3 sends a CRC32 with everything that it puts. */
    put: (Key: string, Body: string | Buffer = "", input: In<"PutObject"> = {}) =>
      s3.call("PutObject", { Bucket, Key, Body, ChecksumAlgorithm: "CRC32", ...input }),
    /** boto3 asks for checksums with everything that it gets. */
    get: async (Key: string, input: In<"GetObject"> = {}) => {
      const output = await s3.call("GetObject", { Bucket, Key, ChecksumMode: "ENABLED", ...input });
      return { ...output, Body: await textOf(output) };
    },
    head: (Key: string, input: In<"HeadObject"> = {}) => s3.call("HeadObject", { Bucket, Key, ...input }),
    del: (Key: string, input: In<"DeleteObject"> = {}) => s3.call("DeleteObject", { Bucket, Key, ...input }),
    copy: (Key: string, CopySource: string, input: In<"CopyObject"> = {}) =>
      s3.call("CopyObject", { Bucket, Key, CopySource, ...input }),
    attributes: (
      Key: string,
      ...ObjectAttributes: NonNullable<In<"GetObjectAttributes">["ObjectAttributes"]>
    ) => s3.call("GetObjectAttributes", { Bucket, Key, ObjectAttributes }),
    versions: (input: In<"ListObjectVersions"> = {}) =>
      s3.call("ListObjectVersions", { Bucket, EncodingType: "url", ...input }),
    list: (input: In<"ListObjectsV2"> = {}) =>
      s3.call("ListObjectsV2", { Bucket, EncodingType: "url", ...input }),
    versioning: (Status: "Enabled" | "Suspended" = "Enabled") =>
      s3.call("PutBucketVersioning", { Bucket, VersioningConfiguration: { Status } }),
    /** The status that an answer to a range has. */
    statusOf: async (Key: string, Range: string) => {
      const context = s3Call();
      const output = await s3.service.operations.GetObject({ Bucket, Key, Range }, context);
      await textOf(output);
      return context.responseStatus ?? 200;
    },
  };
}
