import type * as client from "@aws-sdk/client-s3";
import type { Handler } from "#wire/operation";
import { readObjectAcl } from "../acls.ts";
import { CheckedBody } from "../body.ts";
import { checksumMembers } from "../checksum-members.ts";
import { isAlgorithm } from "../checksums/algorithms.ts";
import { checkWrite, requireWriteConditions } from "../conditions.ts";
import { type CopySource, findCopySource } from "../copy-source.ts";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { expirationHeader } from "../lifecycle/rules.ts";
import { LIMITS } from "../limits.ts";
import { readMetadata, readStorageClass, refuseUnbuilt, storedHeaders } from "../metadata.ts";
import { requireKey } from "../names.ts";
import { type BucketDocument, requireBucket, type Tags, wholeSeconds } from "../store.ts";
import { readTagHeader } from "../tags.ts";
import { refuseHalfOfPart } from "../uploads.ts";
import { shownId } from "./objects.ts";

type S3 = typeof client;

export function copyOperations(deps: S3Deps) {
  const { documents, clock, bytes, versions, events } = deps;

  const CopyObject: Handler<S3, "CopyObject"> = async (input, call) => {
    const { Key: key = "", ChecksumAlgorithm: named } = input;
    refuseHalfOfPart(call);
    requireKey(key);
    const bucket = requireBucket(documents, call, input).value;
    refuseUnbuilt(input);
    requireWriteConditions(input);
    const source = findCopySource(deps, input, call);
    const { object } = source;
    if (object.size > LIMITS.copyBytes) throw s3Errors.copySourceTooLarge();
    requireChange(input, source, bucket, key);
    if (named !== undefined && !isAlgorithm(named))
      throw s3Errors.notBuilt(`The checksum algorithm ${named}`);
    const acl = readObjectAcl(input, bucket);
    const tags = tagsOf(input, source);
    const replace = input.MetadataDirective === "REPLACE";
    const { WebsiteRedirectLocation: redirect } = input;
    const { WebsiteRedirectLocation: _, ...kept } = object.headers;
    const about = {
      storageClass: readStorageClass(input.StorageClass),
      headers: replace
        ? storedHeaders(input)
        : { ...kept, ...(redirect === undefined ? {} : { WebsiteRedirectLocation: redirect }) },
      metadata: replace ? readMetadata(input.Metadata) : object.metadata,
      ...(tags === undefined ? {} : { tags }),
      ...(acl === undefined ? {} : { acl }),
    };
    checkWrite(input, versions.current(bucket, key)?.value, key);
    const from = await bytes.open(source.bucket, object.data, { start: 0, end: object.size });
    const body = new CheckedBody(from, {
      claims: {},
      call: { headers: {} },
      limit: LIMITS.copyBytes,
      algorithm: named ?? object.checksum.algorithm,
    });
    const id = await bytes.write(bucket, body);
    const { size, md5, checksum } = body.digests;
    const data = { kind: "whole", id } as const;
    try {
      const written = await versions.put(bucket.name, key, {
        object: {
          ...about,
          modified: wholeSeconds(clock.now()),
          size,
          etag: md5,
          data,
          checksum: { algorithm: body.algorithm, value: checksum, type: "FULL_OBJECT" },
        },
        check: (current) => checkWrite(input, current, key),
        changes: [bytes.kept(bucket, id)],
        append: ({ versionId }, of) =>
          events.messages(
            of,
            { name: "ObjectCreated:Copy", key, size, etag: md5, versionId: shownId(versionId) },
            call,
          ),
      });
      const sourceId = shownId(object.versionId);
      const expiration = expirationHeader(bucket, key, written);
      return {
        CopyObjectResult: {
          ETag: `"${md5}"`,
          LastModified: new Date(written.modified),
          ...checksumMembers(written.checksum, written, false),
        },
        ServerSideEncryption: "AES256",
        ...(sourceId === undefined ? {} : { CopySourceVersionId: sourceId }),
        ...(bucket.settings.versioning === undefined ? {} : { VersionId: written.versionId }),
        ...(expiration === undefined ? {} : { Expiration: expiration }),
      };
    } catch (error) {
      bytes.remove(bucket, [data]);
      throw error;
    }
  };

  return { CopyObject };
}

/** Copying an object onto itself has to change something. @throws AwsError InvalidRequest */
function requireChange(
  input: client.CopyObjectRequest,
  { bucket: from, key: sourceKey, versioned }: CopySource,
  bucket: BucketDocument,
  key: string,
): void {
  if (from.id !== bucket.id || sourceKey !== key || versioned) return;
  const changes =
    input.MetadataDirective === "REPLACE" ||
    input.StorageClass !== undefined ||
    input.WebsiteRedirectLocation !== undefined ||
    input.ServerSideEncryption !== undefined ||
    // A bucket's own rule encrypts the copy anew (recorded).
    bucket.settings.encryption !== undefined;
  if (!changes) throw s3Errors.copyOntoItself();
}

function tagsOf(input: client.CopyObjectRequest, { object }: CopySource): Tags | undefined {
  const given = readTagHeader(input.Tagging);
  return input.TaggingDirective === "REPLACE" ? given : object.tags;
}
