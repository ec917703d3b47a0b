import type { Readable } from "node:stream";
import type * as client from "@aws-sdk/client-s3";
import type { CallContext, Handler } from "#wire/operation";
import { readObjectAcl } from "../acls.ts";
import { CheckedBody } from "../body.ts";
import { checksumMembers } from "../checksum-members.ts";
import { checkRead, checkWrite, requireWriteConditions } from "../conditions.ts";
import type { S3Deps } from "../deps.ts";
import { expirationHeader } from "../lifecycle/rules.ts";
import { LIMITS } from "../limits.ts";
import {
  answeredHeaders,
  readMetadata,
  readStorageClass,
  refuseUnbuilt,
  storedHeaders,
  writeMetadata,
} from "../metadata.ts";
import { requireKey } from "../names.ts";
import { type ByteRange, contentRange } from "../ranges.ts";
import { type BucketDocument, type ObjectDocument, requireBucket, wholeSeconds } from "../store.ts";
import { readTagHeader } from "../tags.ts";
import { findPart, findReadable, readable } from "../reading.ts";
import { readRange } from "../ranges.ts";
import { refuseHalfOfPart } from "../uploads.ts";

type S3 = typeof client;
type ReadInput = client.GetObjectRequest | client.HeadObjectRequest;

export function objectOperations(deps: S3Deps) {
  const { documents, clock, bytes, versions, events } = deps;

  const PutObject: Handler<S3, "PutObject"> = async (input, call) => {
    const { Key: key = "" } = input;
    refuseHalfOfPart(call);
    requireKey(key);
    const bucket = requireBucket(documents, call, input).value;
    refuseUnbuilt(input);
    requireWriteConditions(input);
    const acl = readObjectAcl(input, bucket);
    const tags = readTagHeader(input.Tagging);
    const about = {
      storageClass: readStorageClass(input.StorageClass),
      headers: storedHeaders(input),
      metadata: readMetadata(input.Metadata),
      ...(tags === undefined ? {} : { tags }),
      ...(acl === undefined ? {} : { acl }),
    };
    // What is refused now need not be uploaded first.
    checkWrite(input, versions.current(bucket, key)?.value, key);
    const body = new CheckedBody(input.Body, { claims: input, call, limit: LIMITS.putBytes });
    const id = await bytes.write(bucket, body);
    const { size, md5, checksum } = body.digests;
    const data = { kind: "whole", id } as const;
    const object = {
      ...about,
      modified: wholeSeconds(clock.now()),
      size,
      etag: md5,
      data,
      checksum: { algorithm: body.algorithm, value: checksum, type: "FULL_OBJECT" },
    } as const;
    try {
      const written = await versions.put(bucket.name, key, {
        object,
        check: (current) => checkWrite(input, current, key),
        changes: [bytes.kept(bucket, id)],
        append: ({ versionId }, of) =>
          events.messages(
            of,
            { name: "ObjectCreated:Put", key, size, etag: md5, versionId: shownId(versionId) },
            call,
          ),
      });
      return putOutput(bucket, key, written);
    } catch (error) {
      bytes.remove(bucket, [data]);
      throw error;
    }
  };

  const GetObject: Handler<S3, "GetObject"> = async (input, call) => {
    const { bucket, object, range, output } = await describe(input, call, "GET");
    readable(object);
    const body = await bytes.open(bucket, object.data, range);
    return {
      ...output,
      ...answeredHeaders(object.headers, input),
      // The client's type is that of what arrives at its end.
      Body: body satisfies Readable as never,
    };
  };

  const HeadObject: Handler<S3, "HeadObject"> = async (input, call) => {
    const { object, output } = await describe(input, call, "HEAD");
    return { ...output, ...answeredHeaders(object.headers, input) };
  };

  /** What GetObject and HeadObject have in common. */
  async function describe(input: ReadInput, call: CallContext, method: string) {
    const bucket = requireBucket(documents, call, input).value;
    const { Key: key = "", PartNumber: partNumber } = input;
    const object = findReadable(versions, bucket, key, input.VersionId, method);
    const about = { etag: `"${object.etag}"`, "last-modified": new Date(object.modified).toUTCString() };
    checkRead(input, object, clock.now(), about);
    const { size } = object;
    const part = partNumber === undefined ? undefined : await findPart(bytes, bucket, object, partNumber);
    const asked = part?.range ?? readRange(input.Range, size);
    const range: ByteRange = asked ?? { start: 0, end: size };
    if (asked !== undefined && size > 0) call.responseStatus = 206;
    const whole = range.end - range.start === size;
    const checksum = part?.checksum ?? (whole ? object.checksum : undefined);
    const tags = Object.keys(object.tags ?? {}).length;
    const expiration = expirationHeader(bucket, key, object);
    const output = {
      AcceptRanges: "bytes",
      LastModified: new Date(object.modified),
      ContentLength: range.end - range.start,
      ...(asked === undefined || size === 0 ? {} : { ContentRange: contentRange(range, size) }),
      ETag: about.etag,
      Metadata: writeMetadata(object.metadata),
      ServerSideEncryption: "AES256" as const,
      ...(object.storageClass === "STANDARD" ? {} : { StorageClass: object.storageClass }),
      ...(bucket.settings.versioning === undefined ? {} : { VersionId: object.versionId }),
      ...(tags === 0 ? {} : { TagCount: tags }),
      ...(part === undefined ? {} : { PartsCount: part.count }),
      ...(input.ChecksumMode === "ENABLED" && checksum !== undefined
        ? checksumMembers(checksum, object, part !== undefined)
        : {}),
      ...(expiration === undefined ? {} : { Expiration: expiration }),
    };
    return { bucket, object, range, output };
  }

  return { PutObject, GetObject, HeadObject };
}

/** The id of a version as events and answers to writes show it: not where it is `null`. */
export function shownId(versionId: string | undefined): string | undefined {
  return versionId === "null" ? undefined : versionId;
}

function putOutput(bucket: BucketDocument, key: string, written: ObjectDocument) {
  const versionId = shownId(written.versionId);
  const expiration = expirationHeader(bucket, key, written);
  return {
    ETag: `"${written.etag}"`,
    ServerSideEncryption: "AES256" as const,
    ...checksumMembers(written.checksum, written, false),
    ...(versionId === undefined ? {} : { VersionId: versionId }),
    ...(expiration === undefined ? {} : { Expiration: expiration }),
  };
}
