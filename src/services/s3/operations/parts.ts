import type * as client from "@aws-sdk/client-s3";
import { RevisionConflict } from "#storage/documents";
import type { CallContext, Handler } from "#wire/operation";
import { CheckedBody, type CheckedBodyOptions } from "../body.ts";
import type { PartDocument } from "../bytes.ts";
import { DEFAULT_ALGORITHM, memberOf } from "../checksums/algorithms.ts";
import { findCopySource } from "../copy-source.ts";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { refuseUnbuilt } from "../metadata.ts";
import { readCopyRange } from "../ranges.ts";
import { type BucketDocument, keys, requireBucket, wholeSeconds } from "../store.ts";
import { requirePartNumber, requireUpload, type UploadDocument } from "../uploads.ts";
import { shownId } from "./objects.ts";

type S3 = typeof client;

export function partOperations(deps: S3Deps) {
  const { documents, clock, bytes } = deps;

  const UploadPart: Handler<S3, "UploadPart"> = async (input, call) => {
    const number = requirePartNumber(input.PartNumber);
    const { bucket, upload, key, uploadId } = find(input, call);
    refuseUnbuilt(input);
    const body = checkedBody(input.Body, { claims: input, call, limit: LIMITS.partBytes }, upload);
    const part = await store(bucket, key, uploadId, number, body);
    // Without an algorithm of the upload's own, what the request claimed is repeated (recorded).
    const shown = upload.algorithm !== undefined || body.chosen;
    return {
      ETag: `"${part.etag}"`,
      ServerSideEncryption: "AES256",
      ...(shown ? { [memberOf(body.algorithm)]: body.digests.checksum } : {}),
    };
  };

  const UploadPartCopy: Handler<S3, "UploadPartCopy"> = async (input, call) => {
    const number = requirePartNumber(input.PartNumber);
    const { bucket, upload, key, uploadId } = find(input, call);
    refuseUnbuilt(input);
    const source = findCopySource(deps, input, call);
    const range = readCopyRange(input.CopySourceRange, source.object.size);
    if (range.end - range.start > LIMITS.partBytes)
      throw s3Errors.tooLarge(range.end - range.start, LIMITS.partBytes);
    const copied = await bytes.open(source.bucket, source.object.data, range);
    const options = { claims: {}, call: { headers: {} }, limit: LIMITS.partBytes };
    const body = checkedBody(copied, options, upload);
    const part = await store(bucket, key, uploadId, number, body);
    const sourceId = shownId(source.object.versionId);
    return {
      CopyPartResult: {
        ETag: `"${part.etag}"`,
        LastModified: new Date(part.modified),
        ...(upload.algorithm === undefined ? {} : { [memberOf(upload.algorithm)]: part.checksum }),
      },
      ServerSideEncryption: "AES256",
      ...(sourceId === undefined ? {} : { CopySourceVersionId: sourceId }),
    };
  };

  function find(
    input: Pick<client.UploadPartCopyRequest, "Bucket" | "Key" | "UploadId" | "ExpectedBucketOwner">,
    call: CallContext,
  ) {
    const { Key: key = "", UploadId: uploadId = "" } = input;
    const bucket = requireBucket(documents, call, input).value;
    const upload = requireUpload(documents, bucket, key, uploadId).value;
    return { bucket, upload, key, uploadId };
  }

  /** Writes a part, in the place of one of the same number. The upload must still be there when it is on disk. */
  async function store(
    bucket: BucketDocument,
    key: string,
    uploadId: string,
    number: number,
    body: CheckedBody,
  ): Promise<PartDocument> {
    const id = await bytes.write(bucket, body);
    const { size, md5, kept } = body.digests;
    const part: PartDocument = { id, size, etag: md5, modified: wholeSeconds(clock.now()), checksum: kept };
    const at = keys.part(bucket, uploadId, number);
    try {
      for (;;) {
        const upload = requireUpload(documents, bucket, key, uploadId);
        const before = documents.get<PartDocument>(at);
        const replaced = before === undefined ? [] : [{ kind: "whole", id: before.value.id } as const];
        try {
          // oxlint-disable-next-line no-await-in-loop -- each turn answers the conflict of the one before
          await documents.commit([
            { key: upload.key, check: true, expected: upload.revision },
            { key: at, value: part, expected: before?.revision ?? 0 },
            bytes.kept(bucket, id),
            ...replaced.map((data) => bytes.dropped(bucket, data)),
          ]);
        } catch (error) {
          if (error instanceof RevisionConflict) continue;
          throw error;
        }
        bytes.remove(bucket, replaced);
        return part;
      }
    } catch (error) {
      bytes.remove(bucket, [{ kind: "whole", id }]);
      throw error;
    }
  }

  return { UploadPart, UploadPartCopy };
}

/** @throws AwsError InvalidRequest where the request's checksum is not of the upload's algorithm */
function checkedBody(
  body: unknown,
  options: Omit<CheckedBodyOptions, "algorithm" | "keep">,
  { algorithm }: UploadDocument,
): CheckedBody {
  const keep = algorithm ?? DEFAULT_ALGORITHM;
  const checked = new CheckedBody(body, { ...options, algorithm: keep, keep });
  if (algorithm !== undefined && checked.algorithm !== algorithm)
    throw s3Errors.invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: ${algorithm.toLowerCase()}, actual checksum Type: ${checked.algorithm.toLowerCase()}`,
    );
  return checked;
}
