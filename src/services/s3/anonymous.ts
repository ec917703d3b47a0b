import { AwsError } from "#core/errors";
import type { Documents } from "#storage/documents";
import type { AnonymousAccess } from "#wire/operation";
import { s3Errors } from "./errors.ts";
import { resourceOf } from "./path.ts";
import { findBucket } from "./store.ts";

/** What a bucket's policy can open to everybody. */
const OPEN: ReadonlySet<string> = new Set([
  "DeleteObject",
  "GetBucketLocation",
  "GetObject",
  "GetObjectAcl",
  "GetObjectAttributes",
  "GetObjectTagging",
  "HeadBucket",
  "HeadObject",
  "ListObjectVersions",
  "ListObjects",
  "ListObjectsV2",
  "PutObject",
  "PutObjectTagging",
]);

/** Requests without a signature act in the bucket's account and region. */
export function createAnonymousAccess(documents: Documents): AnonymousAccess {
  return {
    locate(operation, path) {
      const { bucket } = resourceOf(path);
      if (bucket === "") return undefined;
      const found = findBucket(documents, bucket)?.value;
      // Whether there is a bucket is no secret in AWS.
      if (found === undefined) throw s3Errors.noSuchBucket(bucket);
      if (OPEN.has(operation)) return { account: found.account, region: found.region };
      throw new AwsError("AccessDenied", "Anonymous users cannot invoke this API. Please authenticate.", {
        status: 403,
      });
    },
  };
}
