import type { CallContext } from "#wire/operation";
import { checkCopySource, type CopyConditions } from "./conditions.ts";
import type { S3Deps } from "./deps.ts";
import { s3Errors } from "./errors.ts";
import { findReadable } from "./reading.ts";
import { type BucketDocument, type ObjectDocument, requireBucket } from "./store.ts";

export interface CopySource {
  readonly bucket: BucketDocument;
  readonly key: string;
  readonly object: ObjectDocument;
  /** Whether the request names a version. */
  readonly versioned: boolean;
}

interface CopyInput extends CopyConditions {
  readonly CopySource?: string | undefined;
  readonly ExpectedSourceBucketOwner?: string | undefined;
}

/**
 * What x-amz-copy-source names: `bucket/key`, percent-encoded, with `?versionId=…`.
 * @throws AwsError where there is no such object, or a condition on it does not hold
 */
export function findCopySource(
  { documents, versions, clock }: Pick<S3Deps, "documents" | "versions" | "clock">,
  input: CopyInput,
  call: CallContext,
): CopySource {
  const { Bucket, key, versionId } = parseCopySource(input.CopySource ?? "");
  const { value: bucket } = requireBucket(documents, call, {
    Bucket,
    ExpectedBucketOwner: input.ExpectedSourceBucketOwner,
  });
  const object = readSource(versions, bucket, key, versionId);
  checkCopySource(input, object, clock.now());
  if (object.storageClass === "GLACIER" || object.storageClass === "DEEP_ARCHIVE")
    throw s3Errors.archived(object.storageClass);
  return { bucket, key, object, versioned: versionId !== undefined };
}

function readSource(
  versions: S3Deps["versions"],
  bucket: BucketDocument,
  key: string,
  versionId: string | undefined,
): ObjectDocument {
  try {
    return findReadable(versions, bucket, key, versionId, "PUT");
  } catch (problem) {
    if (problem instanceof Error && "code" in problem && problem.code === "MethodNotAllowed")
      throw s3Errors.copyOfDeleteMarker();
    throw problem;
  }
}

/** @throws AwsError InvalidArgument */
export function parseCopySource(header: string): {
  readonly Bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
} {
  const [path = "", version] = header.split("?versionId=", 2);
  const text = decode(path);
  const [, Bucket, key] = /^\/?([^/]+)\/(.+)$/s.exec(text ?? "") ?? [];
  if (Bucket === undefined || key === undefined)
    throw s3Errors.invalidArgument(
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
      "x-amz-copy-source",
      header,
    );
  return { Bucket, key, versionId: version === undefined ? undefined : decode(version) };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
