import type * as client from "@aws-sdk/client-s3";
import type { Change, Document } from "#storage/documents";
import type { CallContext, Handler } from "#wire/operation";
import { readObjectAcl } from "../acls.ts";
import type { PartDocument } from "../bytes.ts";
import { checksumMembers } from "../checksum-members.ts";
import { type Algorithm, DEFAULT_ALGORITHM, isAlgorithm } from "../checksums/algorithms.ts";
import { CRC_KINDS } from "../checksums/combine.ts";
import { checkWrite, requireWriteConditions } from "../conditions.ts";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { expirationHeader } from "../lifecycle/rules.ts";
import { readMetadata, readStorageClass, refuseUnbuilt, storedHeaders } from "../metadata.ts";
import { requireKey } from "../names.ts";
import { Sequencer } from "../sequencer.ts";
import {
  type BucketDocument,
  type Checksum,
  keys,
  type ObjectDocument,
  ownerId,
  requireBucket,
  wholeSeconds,
} from "../store.ts";
import { readTagHeader } from "../tags.ts";
import {
  checksumOf,
  chooseParts,
  etagOf,
  requireUpload,
  unchangedParts,
  type UploadDocument,
} from "../uploads.ts";
import { shownId } from "./objects.ts";

type S3 = typeof client;

export function multipartOperations({ documents, clock, ids, bytes, versions, events }: S3Deps) {
  const sequencer = new Sequencer(clock);

  const CreateMultipartUpload: Handler<S3, "CreateMultipartUpload"> = async (input, call) => {
    const { Key: key = "" } = input;
    requireKey(key);
    const bucket = requireBucket(documents, call, input).value;
    refuseUnbuilt(input);
    const { algorithm, type } = readChecksum(input);
    const acl = readObjectAcl(input, bucket);
    const tags = readTagHeader(input.Tagging);
    // Begins with the time, so that lists show the uploads of a key in the order of their beginning.
    const uploadId = `${sequencer.next()}${ids.hex(50)}`;
    const value: UploadDocument = {
      initiated: wholeSeconds(clock.now()),
      storageClass: readStorageClass(input.StorageClass),
      headers: storedHeaders(input),
      metadata: readMetadata(input.Metadata),
      ...(tags === undefined ? {} : { tags }),
      ...(acl === undefined ? {} : { acl }),
      ...(algorithm === undefined ? {} : { algorithm }),
      checksumType: type,
      keyRevision: versions.current(bucket, key)?.revision ?? 0,
      initiator: initiatorOf(call),
    };
    await documents.commit([
      { key: keys.upload(bucket, key, uploadId), value, expected: 0 },
      bucketUnchanged(bucket),
    ]);
    return {
      Bucket: bucket.name,
      Key: key,
      UploadId: uploadId,
      ServerSideEncryption: "AES256",
      ...(algorithm === undefined ? {} : { ChecksumAlgorithm: algorithm, ChecksumType: type }),
    };
  };

  function bucketUnchanged(bucket: BucketDocument): Change {
    const key = keys.bucket(bucket, bucket.name);
    return { key, check: true, expected: documents.get(key)?.revision ?? 0 };
  }

  const CompleteMultipartUpload: Handler<S3, "CompleteMultipartUpload"> = async (input, call) => {
    const { Key: key = "", UploadId: uploadId = "" } = input;
    const bucket = requireBucket(documents, call, input).value;
    requireWriteConditions(input);
    const found = requireUpload(documents, bucket, key, uploadId);
    const upload = found.value;
    const listed = input.MultipartUpload?.Parts ?? [];
    if (listed.length === 0) throw s3Errors.invalidRequest("You must specify at least one part");
    if (input.ChecksumType !== undefined && input.ChecksumType !== upload.checksumType)
      throw s3Errors.invalidRequest(
        `The upload was created using the ${upload.checksumType} checksum mode. The complete request must use the same checksum mode.`,
      );
    const stored = new Map<number, Document<PartDocument>>();
    for (const part of documents.list<PartDocument>(keys.parts(bucket, uploadId)))
      stored.set(Number(part.key.at(-1)), part);
    const parts = chooseParts(
      listed,
      new Map(Array.from(stored, ([number, { value }]) => [number, value])),
      upload,
      uploadId,
    );
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    requireSize(input.MpuObjectSize, size);
    const algorithm = upload.algorithm ?? DEFAULT_ALGORITHM;
    const value = await checksumOf(parts, algorithm, upload.checksumType);
    requireChecksum(input, algorithm, value, upload.checksumType);
    const used = new Set(parts.map(({ number }) => number));
    const unused = Array.from(stored.values()).filter(({ key: at }) => !used.has(Number(at.at(-1))));
    const data = { kind: "parts", upload: uploadId, count: parts.length } as const;
    const checksum: Checksum = { algorithm, value, type: upload.checksumType };
    const { storageClass, headers, metadata, tags, acl } = upload;
    const unusedData = unused.map((part) => ({ kind: "whole", id: part.value.id }) as const);
    const written = await versions.put(bucket.name, key, {
      object: {
        modified: wholeSeconds(clock.now()),
        size,
        etag: etagOf(parts),
        data,
        checksum,
        storageClass,
        headers,
        metadata,
        ...(tags === undefined ? {} : { tags }),
        ...(acl === undefined ? {} : { acl }),
      },
      check: (current) => {
        const now = requireUpload(documents, bucket, key, uploadId);
        for (const { key: at, revision } of stored.values())
          if (documents.get(at)?.revision !== revision) throw changedPart(uploadId, Number(at.at(-1)));
        checkWrite(input, current, key);
        checkUnmoved(input, now.value, versions.current(bucket, key)?.revision ?? 0, key);
      },
      changes: [
        { key: found.key, delete: true, expected: found.revision },
        ...unchangedParts(Array.from(stored.values()).filter((part) => !unused.includes(part))),
        ...unused.map((part) => ({ key: part.key, delete: true, expected: part.revision }) as const),
        ...unusedData.map((each) => bytes.dropped(bucket, each)),
      ],
      append: (object, of) =>
        events.messages(
          of,
          {
            name: "ObjectCreated:CompleteMultipartUpload",
            key,
            size,
            etag: object.etag,
            versionId: shownId(object.versionId),
          },
          call,
        ),
    });
    bytes.remove(bucket, unusedData);
    return completed(bucket, key, written, call);
  };

  const AbortMultipartUpload: Handler<S3, "AbortMultipartUpload"> = async (input, call) => {
    const { Key: key = "", UploadId: uploadId = "" } = input;
    const bucket = requireBucket(documents, call, input).value;
    const found = requireUpload(documents, bucket, key, uploadId);
    const data = { kind: "parts", upload: uploadId, count: 0 } as const;
    await documents.commit([{ key: found.key, delete: true }, bytes.dropped(bucket, data)]);
    bytes.remove(bucket, [data]);
    return {};
  };

  return { CreateMultipartUpload, CompleteMultipartUpload, AbortMultipartUpload };
}

/** @throws AwsError InvalidRequest */
function readChecksum(input: client.CreateMultipartUploadRequest): {
  readonly algorithm: Algorithm | undefined;
  readonly type: Checksum["type"];
} {
  const { ChecksumAlgorithm: name, ChecksumType: type } = input;
  if (name === undefined) {
    if (type !== undefined)
      throw s3Errors.invalidRequest(
        "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
      );
    return { algorithm: undefined, type: "FULL_OBJECT" };
  }
  if (!isAlgorithm(name)) throw s3Errors.notBuilt(`The checksum algorithm ${name}`);
  const refused =
    (type === "FULL_OBJECT" && !(name in CRC_KINDS)) || (type === "COMPOSITE" && name === "CRC64NVME");
  if (refused)
    throw s3Errors.invalidRequest(
      `The ${type} checksum type cannot be used with the ${name.toLowerCase()} checksum algorithm.`,
    );
  return { algorithm: name, type: type ?? (name === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE") };
}

function requireSize(claimed: number | undefined, size: number): void {
  if (claimed !== undefined && claimed !== size)
    throw s3Errors.invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${claimed} does not match what was computed: ${size}`,
    );
}

/** @throws AwsError BadDigest where the request's checksum of the whole is another */
function requireChecksum(
  input: client.CompleteMultipartUploadRequest,
  algorithm: Algorithm,
  value: string,
  type: Checksum["type"],
): void {
  const claimed = input[`Checksum${algorithm}`];
  if (claimed === undefined) return;
  const bare = type === "COMPOSITE" ? claimed.replace(/-\d+$/, "") : claimed;
  if (bare !== value) throw s3Errors.wrongChecksum(algorithm.toLowerCase());
}

/** @throws AwsError ConditionalRequestConflict where the key has changed since the upload began (recorded) */
function checkUnmoved(
  { IfMatch, IfNoneMatch }: client.CompleteMultipartUploadRequest,
  { keyRevision }: UploadDocument,
  revision: number,
  key: string,
): void {
  if (revision === keyRevision) return;
  if (IfMatch !== undefined) throw s3Errors.conditionalConflict("If-Match", key);
  if (IfNoneMatch !== undefined) throw s3Errors.conditionalConflict("If-None-Match", key);
}

function changedPart(uploadId: string, number: number): Error {
  return s3Errors.invalidPart(uploadId, number, "");
}

function initiatorOf({ principal, account }: CallContext): UploadDocument["initiator"] {
  const name = principal.arn.slice(
    Math.max(principal.arn.lastIndexOf("/"), principal.arn.lastIndexOf(":")) + 1,
  );
  return { ID: principal.kind === "root" ? ownerId(account) : principal.arn, DisplayName: name };
}

function completed(bucket: BucketDocument, key: string, object: ObjectDocument, call: CallContext) {
  const versionId = shownId(object.versionId);
  const expiration = expirationHeader(bucket, key, object);
  return {
    Location: `${call.baseUrl}/${bucket.name}/${encodeURIComponent(key).replaceAll("%2F", "/")}`,
    Bucket: bucket.name,
    Key: key,
    ETag: `"${object.etag}"`,
    ServerSideEncryption: "AES256" as const,
    ...checksumMembers(object.checksum, object, false),
    ...(versionId === undefined ? {} : { VersionId: versionId }),
    ...(expiration === undefined ? {} : { Expiration: expiration }),
  };
}
