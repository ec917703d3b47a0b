import { describe, test } from "vitest";
import { Bucket, withBucket } from "./bucket.ts";
import { Recording } from "./recording.ts";

const on = withBucket();
const key = "test-precondition";

const create = () => on.s3.call("CreateMultipartUpload", { Bucket, Key: key });

/** Uploads one part and ends the upload under conditions. */
async function complete(
  UploadId: string | undefined,
  conditions: { readonly IfMatch?: string | undefined; readonly IfNoneMatch?: string },
  Body = "test",
) {
  const part = { Bucket, Key: key, UploadId, PartNumber: 1 };
  const { ETag } = await on.s3.call("UploadPart", { ...part, Body, ChecksumAlgorithm: "CRC32" });
  return on.s3.call("CompleteMultipartUpload", {
    Bucket,
    Key: key,
    UploadId,
    MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] },
    ...conditions,
  });
}

describe("conditional writes", () => {
  test("test_put_object_if_none_match", async () => {
    const recording = new Recording("preconditions", "test_put_object_if_none_match");
    const put = () => on.put(key, "", { IfNoneMatch: "*" });
    await recording.expect("put-obj", put());
    await recording.expect("put-obj-if-none-match", put());
    await recording.expect("del-obj", on.del(key));
    await recording.expect("put-obj-after-del", put());
  });

  test("test_put_object_if_none_match_validation", async () => {
    const recording = new Recording("preconditions", "test_put_object_if_none_match_validation");
    await recording.expect("put-obj", on.put(key, "", { IfNoneMatch: "*" }));
    await recording.expect("put-obj-if-none-match-bad-value", on.put(key, "", { IfNoneMatch: "GetETag" }));
  });

  test("test_put_object_if_match", async () => {
    const recording = new Recording("preconditions", "test_put_object_if_match");
    await recording.expect("put-obj-if-match-key-not-exists", on.put(key, "", { IfMatch: '"abc"' }));
    const { ETag } = await recording.expect("put-obj", on.put(key, "test"));
    await recording.expect("put-obj-if-match-wrong-etag", on.put(key, "", { IfMatch: '"abc"' }));
    const overwritten = on.put(key, "", { IfMatch: ETag });
    await recording.expect("put-obj-overwrite", overwritten);
    await recording.expect("del-obj", on.del(key));
    await recording.expect("put-obj-after-del", on.put(key));
  });

  test("test_put_object_if_match_and_if_none_match_validation", async () => {
    const recording = new Recording("preconditions", "test_put_object_if_match_and_if_none_match_validation");
    const both = on.put(key, "", { IfMatch: '"abc"', IfNoneMatch: "*" });
    await recording.expect("put-obj-both-precondition", both);
  });

  test("test_put_object_if_match_versioned_bucket", async () => {
    const recording = new Recording("preconditions", "test_put_object_if_match_versioned_bucket");
    await on.versioning();
    const { ETag } = await recording.expect("put-obj", on.put(key, "test"));
    await recording.expect("put-obj-if-none-match-bad-value", on.put(key, "", { IfMatch: '"abc"' }));
    await recording.expect("del-obj", on.del(key));
    await recording.expect("put-obj-after-del-exc", on.put(key, "test", { IfMatch: ETag }));
  });

  test("test_copy_object_if_none_match", async () => {
    const recording = new Recording("preconditions", "test_copy_object_if_none_match");
    await on.put("source", "source content");
    const copy = () => on.copy("dest", `${Bucket}/source`, { IfNoneMatch: "*" });
    const first = await copy();
    recording.compare(
      (recording.read("copy-obj") as { ServerSideEncryption: string }).ServerSideEncryption,
      first.ServerSideEncryption,
      "copy-obj",
    );
    await recording.expect("copy-obj-if-none-match-fail", copy());
  });

  test("test_copy_object_if_match", async () => {
    const recording = new Recording("preconditions", "test_copy_object_if_match");
    await on.put("source", "source content");
    await on.put("dest", "dest content");
    const copy = (Key: string, IfMatch: string) => on.copy(Key, `${Bucket}/source`, { IfMatch });
    await recording.expect("copy-obj-if-match-fail-no-object", copy("non-existent-key", '"abc"'));
    await recording.expect("copy-obj-if-match-fail-wrong-etag", copy("dest", '"abc"'));
  });

  test("test_copy_object_precondition_write_validation", async () => {
    const recording = new Recording("preconditions", "test_copy_object_precondition_write_validation");
    await on.put("source", "data");
    const copy = (input: Parameters<typeof on.copy>[2]) => on.copy("dest", `${Bucket}/source`, input);
    await recording.expect("copy-obj-both", copy({ IfMatch: '"abc"', IfNoneMatch: "*" }));
    await recording.expect("copy-obj-none-match-etag", copy({ IfNoneMatch: '"abc"' }));
    await recording.expect("copy-obj-if-match-star", copy({ IfMatch: "*" }));
  });

  test("test_multipart_if_none_match_with_delete", async () => {
    const recording = new Recording("preconditions", "test_multipart_if_none_match_with_delete");
    await recording.expect("put-obj", on.put(key));
    const { UploadId } = await recording.expect("create-multipart", create());
    const condition = { IfNoneMatch: "*" };
    await recording.expect("complete-multipart-if-none-match", complete(UploadId, condition));
    await recording.expect("del-obj", on.del(key));
    await recording.expect("complete-multipart-after-del", complete(UploadId, condition));
    const again = await create();
    // The content is not recorded.
    const { ETag: _, ChecksumCRC64NVME: __, ...restarted } = await complete(again.UploadId, condition);
    const {
      ResponseMetadata: ___,
      ETag: ____,
      ChecksumCRC64NVME: _____,
      ...recorded
    } = recording.read("complete-multipart-after-del-restart") as Record<string, never>;
    recording.compare(recorded, JSON.parse(JSON.stringify(restarted)) as never, "restart");
  });

  test("test_multipart_if_none_match_with_put", async () => {
    const recording = new Recording("preconditions", "test_multipart_if_none_match_with_put");
    const { UploadId } = await recording.expect("create-multipart", create());
    await recording.expect("put-obj", on.put(key));
    await recording.expect(
      "complete-multipart-if-none-match-put-during",
      complete(UploadId, { IfNoneMatch: "*" }),
    );
  });

  test("test_multipart_if_match_with_delete", async () => {
    const recording = new Recording("preconditions", "test_multipart_if_match_with_delete");
    const { ETag } = await recording.expect("put-obj", on.put(key, "test"));
    const { UploadId } = await recording.expect("create-multipart", create());
    await recording.expect("del-obj", on.del(key));
    await recording.expect("complete-multipart-after-del", complete(UploadId, { IfMatch: ETag }));
    await recording.expect("put-obj-2", on.put(key, "test"));
    await recording.expect("complete-multipart-if-match-after-put", complete(UploadId, { IfMatch: ETag }));
  });

  test("test_multipart_if_match_etag", async () => {
    const recording = new Recording("preconditions", "test_multipart_if_match_etag");
    const { ETag } = await recording.expect("put-obj", on.put(key, "test"));
    const { UploadId } = await recording.expect("create-multipart", create());
    await complete(UploadId, { IfMatch: ETag });
    const second = await recording.expect("create-multipart-overwrite", create());
    await recording.expect(
      "complete-multipart-if-match-true-etag",
      complete(second.UploadId, { IfMatch: ETag }),
    );
  });
});

describe("conditions on what UploadPartCopy copies", () => {
  const steps = [
    [
      "test_upload_part_copy_with_copy_source_if_match_failed",
      "upload-part-copy-source-if-match",
      { CopySourceIfMatch: "wrong" },
    ],
    [
      "test_upload_part_copy_with_if_modified_since_failed",
      "upload-part-copy-source-modified-since-match",
      "modified-since-now",
    ],
    [
      "test_upload_part_copy_with_copy_source_if_none_match_failed",
      "upload-part-copy-source-if-none-match",
      "none-match",
    ],
    [
      "test_upload_part_copy_with_copy_source_if_none_match_and_if_unmodified_since_match_failed",
      "upload-part-copy-source-unmodified-since-and-if-none-match",
      "none-match-and-unmodified-since",
    ],
    [
      "test_upload_part_copy_with_copy_source_if_match_none_success",
      "upload-part-copy-if-none-match",
      { CopySourceIfNoneMatch: "other" },
    ],
    [
      "test_upload_part_copy_with_copy_source_if_modified_since_success",
      "upload-part-copy-if-modified-since",
      "modified-since-before",
    ],
    [
      "test_upload_part_copy_with_copy_source_if_modified_since_in_future_success",
      "upload-part-copy-if-modified-since-in-future",
      "modified-since-future",
    ],
    [
      "test_upload_part_copy_with_copy_source_if_unmodified_since_success",
      "upload-part-copy-if-unmodified-since",
      "unmodified-since-now",
    ],
    [
      "test_upload_part_copy_with_copy_source_if_match_and_if_unmodified_since_match",
      "upload-part-copy",
      "match-and-unmodified-since",
    ],
  ] as const;

  test.each(steps)("%s", async (scenario, step, condition) => {
    // scenarios of preconditions: test_upload_part_copy_with_copy_source_if_match_failed | test_upload_part_copy_with_if_modified_since_failed | test_upload_part_copy_with_copy_source_if_none_match_failed | test_upload_part_copy_with_copy_source_if_none_match_and_if_unmodified_since_match_failed | test_upload_part_copy_with_copy_source_if_match_none_success | test_upload_part_copy_with_copy_source_if_modified_since_success | test_upload_part_copy_with_copy_source_if_modified_since_in_future_success | test_upload_part_copy_with_copy_source_if_unmodified_since_success | test_upload_part_copy_with_copy_source_if_match_and_if_unmodified_since_match
    const recording = new Recording("preconditions", scenario);
    const { ETag } = await on.put("source", "0123456789");
    const { LastModified = new Date(0) } = await on.head("source");
    on.s3.clock.advance(60_000);
    const at = (offset: number) => new Date(LastModified.getTime() + offset);
    const named = {
      "modified-since-now": { CopySourceIfModifiedSince: at(0) },
      "none-match": { CopySourceIfNoneMatch: ETag },
      "none-match-and-unmodified-since": {
        CopySourceIfNoneMatch: "other",
        CopySourceIfUnmodifiedSince: at(-60_000),
      },
      "modified-since-before": { CopySourceIfModifiedSince: at(-60_000) },
      "modified-since-future": { CopySourceIfModifiedSince: new Date(on.s3.clock.now() + 60_000) },
      "unmodified-since-now": { CopySourceIfUnmodifiedSince: at(0) },
      "match-and-unmodified-since": {
        CopySourceIfMatch: ETag,
        CopySourceIfUnmodifiedSince: at(-60_000),
      },
    };
    const Key = "destination_file.txt";
    const { UploadId } = await on.s3.call("CreateMultipartUpload", { Bucket, Key });
    const input = { Bucket, Key, UploadId, PartNumber: 1, CopySource: `${Bucket}/source` };
    const conditions = typeof condition === "string" ? named[condition] : condition;
    await recording
      .expect(step, on.s3.call("UploadPartCopy", { ...input, ...conditions }))
      .then(async (done) => {
        if (done !== undefined)
          await recording.expect("list-parts", on.s3.call("ListParts", { Bucket, Key, UploadId }));
      });
  });
});
