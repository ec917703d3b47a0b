import type * as client from "@aws-sdk/client-s3";
import type { CallContext, Handler } from "#wire/operation";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import type { EventName } from "../notifications/events.ts";
import { requireVersion } from "../reading.ts";
import { reviseSettings } from "../settings.ts";
import { requireBucket, type Tags } from "../store.ts";
import { readTagSet, writeTagSet } from "../tags.ts";
import { shownId } from "./objects.ts";

type S3 = typeof client;

export function taggingOperations({ documents, versions, events }: S3Deps) {
  const GetBucketTagging: Handler<S3, "GetBucketTagging"> = (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const { tags } = bucket.settings;
    if (tags === undefined)
      throw s3Errors.noConfiguration("NoSuchTagSet", "The TagSet does not exist", bucket.name);
    return { TagSet: writeTagSet(tags) };
  };

  const PutBucketTagging: Handler<S3, "PutBucketTagging"> = async (input, call) => {
    requireBucket(documents, call, input);
    if (input.Tagging === undefined) throw s3Errors.malformedXml();
    const tags = readTagSet(input.Tagging.TagSet, "bucket");
    await reviseSettings(documents, call, input, () => ({
      tags: Object.keys(tags).length === 0 ? undefined : tags,
    }));
    return {};
  };

  const DeleteBucketTagging: Handler<S3, "DeleteBucketTagging"> = async (input, call) => {
    await reviseSettings(documents, call, input, () => ({ tags: undefined }));
    return {};
  };

  const GetObjectTagging: Handler<S3, "GetObjectTagging"> = (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const object = requireVersion(versions, bucket, input.Key ?? "", input.VersionId, "GET").value;
    return {
      TagSet: writeTagSet(object.tags),
      ...(bucket.settings.versioning === undefined ? {} : { VersionId: object.versionId }),
    };
  };

  const PutObjectTagging: Handler<S3, "PutObjectTagging"> = async (input, call) => {
    requireBucket(documents, call, input);
    if (input.Tagging === undefined) throw s3Errors.malformedXml();
    return setTags(input, call, readTagSet(input.Tagging.TagSet, "object"), "ObjectTagging:Put");
  };

  const DeleteObjectTagging: Handler<S3, "DeleteObjectTagging"> = (input, call) =>
    setTags(input, call, undefined, "ObjectTagging:Delete");

  async function setTags(
    input: client.DeleteObjectTaggingRequest,
    call: CallContext,
    tags: Tags | undefined,
    name: EventName,
  ): Promise<{ VersionId?: string }> {
    const { Key: key = "", VersionId: versionId } = input;
    const bucket = requireBucket(documents, call, input).value;
    const method = tags === undefined ? "DELETE" : "PUT";
    const written = await versions.revise(
      bucket.name,
      (of) => requireVersion(versions, of, key, versionId, method),
      (object) => {
        const { tags: _, ...rest } = object;
        return tags === undefined ? rest : { ...rest, tags };
      },
      (object, of) =>
        events.messages(of, { name, key, etag: object.etag, versionId: shownId(object.versionId) }, call),
    );
    return bucket.settings.versioning === undefined ? {} : { VersionId: written.versionId };
  }

  return {
    GetBucketTagging,
    PutBucketTagging,
    DeleteBucketTagging,
    GetObjectTagging,
    PutObjectTagging,
    DeleteObjectTagging,
  };
}
