import { s3Errors } from "./errors.ts";
import type { ObjectDocument } from "./store.ts";

/** Conditions of a read (RFC 9110, section 13; dates in whole seconds). */
export interface ReadConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
  readonly IfModifiedSince?: Date | undefined;
  readonly IfUnmodifiedSince?: Date | undefined;
}

type Version = Pick<ObjectDocument, "etag" | "modified">;

/**
 * Whether a version may be read. `now` because a time that has not come yet is no condition (recorded).
 * @throws AwsError PreconditionFailed; NotModified with `headers`
 */
export function checkRead(
  conditions: ReadConditions,
  version: Version,
  now: number,
  headers: Readonly<Record<string, string>>,
): void {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions;
  if (IfMatch !== undefined) {
    if (!matches(IfMatch, version)) throw s3Errors.preconditionFailed("If-Match");
  } else if (IfUnmodifiedSince !== undefined && version.modified > IfUnmodifiedSince.getTime())
    throw s3Errors.preconditionFailed("If-Unmodified-Since");
  if (IfNoneMatch !== undefined) {
    if (matches(IfNoneMatch, version)) throw s3Errors.notModified(headers);
  } else if (unmodified(IfModifiedSince, version, now)) throw s3Errors.notModified(headers);
}

/** Conditions on what is copied; none of them ends in `304`. */
export interface CopyConditions {
  readonly CopySourceIfMatch?: string | undefined;
  readonly CopySourceIfNoneMatch?: string | undefined;
  readonly CopySourceIfModifiedSince?: Date | undefined;
  readonly CopySourceIfUnmodifiedSince?: Date | undefined;
}

/** @throws AwsError PreconditionFailed that names the header */
export function checkCopySource(conditions: CopyConditions, version: Version, now: number): void {
  const failed = (name: string): Error => s3Errors.preconditionFailed(`x-amz-copy-source-${name}`);
  const match = conditions.CopySourceIfMatch;
  const noneMatch = conditions.CopySourceIfNoneMatch;
  const unmodifiedSince = conditions.CopySourceIfUnmodifiedSince;
  if (match !== undefined && !matches(match, version)) throw failed("If-Match");
  // With If-Match that holds, the date does not count ("CopyObject", request headers).
  if (match === undefined && unmodifiedSince !== undefined && version.modified > unmodifiedSince.getTime())
    throw failed("If-Unmodified-Since");
  if (noneMatch !== undefined && matches(noneMatch, version)) throw failed("If-None-Match");
  if (unmodified(conditions.CopySourceIfModifiedSince, version, now)) throw failed("If-Modified-Since");
}

/** Conditions of a write. */
export interface WriteConditions {
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
}

/** @throws AwsError NotImplemented for what S3 does not take ("Conditional writes") */
export function requireWriteConditions({ IfMatch, IfNoneMatch }: WriteConditions): void {
  if (IfMatch !== undefined && IfNoneMatch !== undefined)
    throw s3Errors.notImplementedHeader(
      "If-Match,If-None-Match",
      "Multiple conditional request headers present in the request",
    );
  if (IfNoneMatch !== undefined && IfNoneMatch !== "*") throw refusedValue("If-None-Match");
  if (IfMatch === "*") throw refusedValue("If-Match");
}

function refusedValue(header: string): Error {
  const detail = `We don't accept the provided value of ${header} header for this API`;
  return s3Errors.notImplementedHeader(header, detail);
}

/** @throws AwsError NoSuchKey, PreconditionFailed */
export function checkWrite(
  { IfMatch, IfNoneMatch }: WriteConditions,
  current: ObjectDocument | undefined,
  key: string,
): void {
  if (IfNoneMatch !== undefined && current !== undefined) throw s3Errors.preconditionFailed("If-None-Match");
  if (IfMatch === undefined) return;
  if (current === undefined) throw s3Errors.noSuchKey(key);
  if (!matches(IfMatch, current)) throw s3Errors.preconditionFailed("If-Match");
}

function unmodified(since: Date | undefined, version: Version, now: number): boolean {
  return since !== undefined && since.getTime() <= now && version.modified <= since.getTime();
}

/** Whether a list of entity tags has this version's; quotes may be missing (recorded). */
function matches(list: string, { etag }: Version): boolean {
  return list.split(",").some((entry) => {
    const tag = entry.trim();
    return tag === "*" || tag === etag || tag === `"${etag}"`;
  });
}
