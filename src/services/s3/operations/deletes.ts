import type * as client from "@aws-sdk/client-s3";
import { AwsError } from "#core/errors";
import type { CallContext, Handler } from "#wire/operation";
import { checkWrite } from "../conditions.ts";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type BucketDocument, requireBucket } from "../store.ts";
import type { Deletion } from "../versions.ts";
import { shownId } from "./objects.ts";

type S3 = typeof client;

/** How many keys of one request are deleted at the same time. */
const PARALLEL = 50;

const EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e";

export function deleteOperations({ documents, versions, events }: S3Deps) {
  /** One deletion with its event, which goes with the same commit. */
  function remove(
    bucket: BucketDocument,
    request: {
      readonly key: string;
      readonly versionId?: string | undefined;
      readonly IfMatch?: string | undefined;
    },
    call: CallContext,
  ): Promise<Deletion> {
    const { key, versionId } = request;
    return versions.delete(bucket.name, {
      key,
      versionId,
      check: (current) => {
        if (request.IfMatch !== undefined && request.IfMatch !== "*") checkWrite(request, current, key);
      },
      append: (deletion, of) => {
        const made = deletion.deleteMarker && versionId === undefined;
        // A key that was not there is told as deleted where that makes a marker (recorded), else nothing happened.
        if (!deletion.found && !made) return [];
        const shown = { key, versionId: shownId(deletion.versionId) };
        // A marker is told as an object of no bytes (recorded).
        const happening = made
          ? ({ ...shown, name: "ObjectRemoved:DeleteMarkerCreated", etag: EMPTY_MD5 } as const)
          : ({ ...shown, name: "ObjectRemoved:Delete" } as const);
        return events.messages(of, happening, call);
      },
    });
  }

  const DeleteObject: Handler<S3, "DeleteObject"> = async (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    refuseDirectoryConditions(input);
    const { Key: key = "", VersionId: versionId, IfMatch } = input;
    const deletion = await remove(bucket, { key, versionId, IfMatch }, call);
    return {
      ...(deletion.deleteMarker ? { DeleteMarker: true } : {}),
      ...(deletion.versionId === undefined ? {} : { VersionId: deletion.versionId }),
    };
  };

  const DeleteObjects: Handler<S3, "DeleteObjects"> = async (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const wanted = input.Delete?.Objects ?? [];
    if (wanted.length === 0 || wanted.length > LIMITS.deletions) throw s3Errors.malformedXml();
    const deleted: client.DeletedObject[] = [];
    const failed: client._Error[] = [];
    for (let start = 0; start < wanted.length; start += PARALLEL) {
      const some = wanted.slice(start, start + PARALLEL);
      // oxlint-disable-next-line no-await-in-loop -- some at a time, so that one request does not fill a commit
      const outcomes = await Promise.all(some.map((object) => removeListed(bucket, object, call)));
      for (const outcome of outcomes)
        if ("Code" in outcome) failed.push(outcome);
        else deleted.push(outcome);
    }
    return {
      ...(deleted.length === 0 || input.Delete?.Quiet === true ? {} : { Deleted: deleted }),
      ...(failed.length === 0 ? {} : { Errors: failed }),
    };
  };

  async function removeListed(
    bucket: BucketDocument,
    { Key: key = "", VersionId: versionId, ETag }: client.ObjectIdentifier,
    call: CallContext,
  ): Promise<client.DeletedObject | (client._Error & { readonly Code: string })> {
    const version = versionId === undefined ? {} : { VersionId: versionId };
    try {
      const deletion = await remove(bucket, { key, versionId, IfMatch: ETag }, call);
      const marker = deletion.deleteMarker
        ? { DeleteMarker: true, DeleteMarkerVersionId: deletion.versionId }
        : {};
      return { Key: key, ...version, ...marker };
    } catch (problem) {
      if (!(problem instanceof AwsError)) throw problem;
      // An id that cannot be one is told as missing here (recorded).
      const error =
        problem.code === "InvalidArgument" && versionId !== undefined
          ? s3Errors.noSuchVersion(key, versionId)
          : problem;
      return { Key: key, ...version, Code: error.code, Message: error.message };
    }
  }

  return { DeleteObject, DeleteObjects };
}

/** Conditions that directory buckets alone know. @throws AwsError NotImplemented */
function refuseDirectoryConditions(input: client.DeleteObjectRequest): void {
  if (input.IfMatchLastModifiedTime !== undefined)
    throw s3Errors.notImplementedHeader("x-amz-if-match-last-modified-time");
  if (input.IfMatchSize !== undefined) throw s3Errors.notImplementedHeader("x-amz-if-match-size");
}
