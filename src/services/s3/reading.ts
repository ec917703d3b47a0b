import type { ObjectBytes } from "./bytes.ts";
import { s3Errors } from "./errors.ts";
import type { ByteRange } from "./ranges.ts";
import { type BucketDocument, type Checksum, isDeleteMarker, type ObjectDocument } from "./store.ts";
import type { Versions } from "./versions.ts";

/**
 * The version of a key that a request asks for, else the current one.
 * @throws AwsError NoSuchKey, NoSuchVersion; MethodNotAllowed where it is a delete marker
 */
export function findReadable(
  versions: Versions,
  bucket: BucketDocument,
  key: string,
  versionId: string | undefined,
  method: string,
): ObjectDocument {
  if (versionId === undefined) {
    const current = versions.current(bucket, key)?.value;
    if (current !== undefined) return current;
    const hidden = versions.newestBelow(bucket, key)?.value;
    if (hidden === undefined || !isDeleteMarker(hidden)) throw s3Errors.noSuchKey(key);
    throw s3Errors.deletedKey(key, {
      "x-amz-delete-marker": "true",
      "x-amz-version-id": hidden.versionId,
    });
  }
  const found = versions.find(bucket, key, versionId)?.value;
  if (found === undefined) throw s3Errors.noSuchVersion(key, versionId);
  if (!isDeleteMarker(found)) return found;
  throw s3Errors.isDeleteMarker(method, {
    "x-amz-delete-marker": "true",
    "x-amz-version-id": found.versionId,
    "last-modified": new Date(found.modified).toUTCString(),
    allow: "DELETE",
  });
}

/** @throws AwsError InvalidObjectState for what would have to be restored first */
export function readable({ storageClass }: ObjectDocument): void {
  if (storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE") throw s3Errors.archived(storageClass);
}

export interface FoundPart {
  readonly range: ByteRange;
  readonly checksum: Checksum | undefined;
  readonly count: number | undefined;
}

/** A part of an object by its number; what was put in one piece is one part. @throws AwsError InvalidPartNumber */
export async function findPart(
  bytes: ObjectBytes,
  bucket: BucketDocument,
  object: ObjectDocument,
  wanted: number,
): Promise<FoundPart> {
  const { data, size, checksum } = object;
  if (data.kind === "whole") {
    if (wanted !== 1) throw s3Errors.invalidPartNumber(wanted, 1);
    return { range: { start: 0, end: size }, checksum, count: undefined };
  }
  let start = 0;
  let position = 0;
  for await (const part of bytes.parts(bucket, data.upload)) {
    position += 1;
    if (position === wanted) {
      // Of a checksum of the whole, the parts keep none (recorded), unless one part is the whole.
      const own = checksum.type === "COMPOSITE" ? { ...checksum, value: part.checksum } : undefined;
      const whole = data.count === 1 && checksum.type === "FULL_OBJECT" ? checksum : undefined;
      return { range: { start, end: start + part.size }, checksum: own ?? whole, count: data.count };
    }
    start += part.size;
  }
  throw s3Errors.invalidPartNumber(wanted, data.count);
}
