import { describe, expect, test } from "vitest";
import { withBucket, Bucket } from "./bucket.ts";
import { Recording } from "./recording.ts";

const on = withBucket();
const missing = "nobodys-bucket";
/** What no version of this platform's has for an id; of the right form. */
const STRANGE = "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD";

describe("objects", () => {
  test("test_get_object_no_such_bucket", async () => {
    const recording = new Recording("objects", "test_get_object_no_such_bucket");
    await recording.expect("expected_error", on.get("key", { Bucket: missing }));
  });

  test("test_range_key_not_exists", async () => {
    const recording = new Recording("objects", "test_range_key_not_exists");
    await recording.expect("exc", on.get("my-key", { Range: "bytes=1024-4096" }));
  });

  test("test_get_object_range", async () => {
    const recording = new Recording("objects", "test_get_object_range");
    await on.put("test-range", "0123456789");
    const ranges: Record<string, string> = {
      "get-0-8": "bytes=0-8",
      "get-0-8-checksum": "bytes=0-8",
      "get-1-1": "bytes=1-1",
      "get-1-0": "bytes=1-0",
      "get-1-": "bytes=1-",
      "get--1-": "bytes=-1-",
      "get--2": "bytes=-2",
      "get--9": "bytes=-9",
      "get--15": "bytes=-15",
      "get-0-100": "bytes=0-100",
      "get-0-0": "bytes=0-0",
      "get-0--1": "bytes=0--1",
      "get-multiple-ranges": "bytes=0-1,3-4,7-9",
      "get-wrong-format": "0-9",
      "get--": "bytes=-",
      "get--0": "bytes=-0",
      "get-100-200": "bytes=100-200",
    };
    for (const [step, Range] of Object.entries(ranges)) {
      // oxlint-disable-next-line no-await-in-loop -- in the order that was recorded
      await recording.expect(step, on.get("test-range", { Range }));
      const recorded = recording.read(step) as { ResponseMetadata: { HTTPStatusCode: number } };
      const { HTTPStatusCode: status } = recorded.ResponseMetadata;
      if (status >= 400) continue;
      // oxlint-disable-next-line no-await-in-loop
      expect(await on.statusOf("test-range", Range), step).toBe(status);
    }
  });

  test("test_range_header_body_length", async () => {
    const recording = new Recording("objects", "test_range_header_body_length");
    await on.put("test-key", Buffer.alloc(2048, "a"));
    for (const [step, Range] of [
      ["get-object", "bytes=0-1023"],
      ["get-object-2", "bytes=1024-2047"],
    ] as const)
      // oxlint-disable-next-line no-await-in-loop
      await recording.expect(
        step,
        on.get("test-key", { Range }).then((output) => ({ ...output, Body: "" })),
      );
  });

  test("test_delete_object", async () => {
    const recording = new Recording("objects", "test_delete_object");
    await recording.expect("put-object", on.put("test-delete", "test-delete"));
    await recording.expect("delete-object", on.del("test-delete"));
    await recording.expect("delete-nonexistent-object", on.del("test-delete"));
    await recording.expect(
      "delete-nonexistent-object-versionid",
      on.del("test-delete", { VersionId: STRANGE }),
    );
  });

  test("test_delete_objects", async () => {
    const recording = new Recording("objects", "test_delete_objects");
    await recording.expect("put-object", on.put("test-delete", "test-delete"));
    const remove = (...Objects: { Key: string; VersionId?: string }[]) =>
      on.s3.call("DeleteObjects", { Bucket, Delete: { Objects } });
    await recording.expect(
      "delete-object-wrong-version-id",
      remove({ Key: "test-delete", VersionId: STRANGE }),
    );
    // The recording has them sorted; S3 answers in no order.
    await recording.expect(
      "delete-objects",
      remove({ Key: "a-wrong-key" }, { Key: "c-wrong-key" }, { Key: "test-delete" }),
    );
  });

  test("test_delete_non_existing_keys_quiet", async () => {
    const recording = new Recording("objects", "test_delete_non_existing_keys_quiet");
    const Delete = { Objects: [{ Key: "dummy1" }, { Key: "dummy2" }], Quiet: true };
    await recording.expect("deleted-resp", on.s3.call("DeleteObjects", { Bucket, Delete }));
  });

  test("test_delete_non_existing_keys_in_non_existing_bucket", async () => {
    const recording = new Recording("objects", "test_delete_non_existing_keys_in_non_existing_bucket");
    const input = { Bucket: missing, Delete: { Objects: [{ Key: "dummy1" }] } };
    await recording.expect("error-non-existent-bucket", on.s3.call("DeleteObjects", input));
  });

  test("test_delete_objects_encoding", async () => {
    const recording = new Recording("objects", "test_delete_objects_encoding");
    const keys = ["a%2Fb", "a/%F0%9F%98%80"];
    for (const key of keys)
      // oxlint-disable-next-line no-await-in-loop
      await on.put(key, key === "a%2Fb" ? "percent encoding" : "percent encoded emoji");
    const Delete = { Objects: keys.map((Key) => ({ Key })) };
    await recording.expect("deleted-resp", on.s3.call("DeleteObjects", { Bucket, Delete }));
    await recording.expect("list-objects", on.list());
  });

  test("test_delete_object_if_match_all_non_express", async () => {
    const recording = new Recording("objects", "test_delete_object_if_match_all_non_express");
    await on.put("key", "test");
    const conditions = { IfMatchLastModifiedTime: new Date(0), IfMatchSize: 10 };
    await recording.expect("delete-obj-if-match-all", on.del("key", conditions));
  });

  test.each(["a/%F0%9F%98%80/", "test key//", "test%123/", "test%123", "test%percent"])(
    "test_put_get_object_special_character[%s]",
    async (key) => {
      // scenarios of objects: test_put_get_object_special_character[a/%F0%9F%98%80/] | test_put_get_object_special_character[test key//] | test_put_get_object_special_character[test%123/] | test_put_get_object_special_character[test%123] | test_put_get_object_special_character[test%percent]
      const recording = new Recording("objects", `test_put_get_object_special_character[${key}]`);
      await recording.expect("put-object-special-char", on.put(key, "test"));
      await recording.expect("get-object-special-char", on.get(key));
      await recording.expect("list-object-special-char", decoded(on.list()));
      await recording.expect("del-object-special-char", on.del(key));
    },
  );

  test("test_s3_get_object_header_overrides", async () => {
    const recording = new Recording("objects", "test_s3_get_object_header_overrides");
    await on.put("key-header-overrides", "something");
    const wishes = {
      ResponseCacheControl: "max-age=74",
      ResponseContentDisposition: 'attachment; filename="foo.jpg"',
      ResponseContentEncoding: "identity",
      ResponseContentLanguage: "de-DE",
      ResponseContentType: "image/jpeg",
      ResponseExpires: new Date("2015-10-21T07:28:00Z"),
    };
    await recording.expect(
      "get-object",
      // The client's own copy of the header.
      on.get("key-header-overrides", wishes).then((output) => ({
        ...output,
        ExpiresString: output.Expires?.toUTCString(),
      })),
    );
  });

  test.each(["GLACIER_IR", "ONEZONE_IA"] as const)(
    "test_put_object_storage_class[%s-True]",
    async (StorageClass) => {
      // scenarios of objects: test_put_object_storage_class[GLACIER_IR-True] | test_put_object_storage_class[ONEZONE_IA-True]
      const recording = new Recording("objects", `test_put_object_storage_class[${StorageClass}-True]`);
      await on.put("key", "body-test", { StorageClass });
      await recording.expect("get-object-storage-class", on.attributes("key", "StorageClass"));
      await recording.expect("get-object", on.get("key"));
    },
  );

  test("test_user_metadata_rfc2047_bad_b64_encoded", async () => {
    const recording = new Recording("objects", "test_user_metadata_rfc2047_bad_b64_encoded");
    const Metadata = { "bad-b64-encoded": "=?UTF-8?B?/2H/?=" };
    await recording.expect("put-object", on.put("key", "", { Metadata }));
    await recording.expect("get-object", on.get("key"));
  });

  test("test_s3_get_object_preconditions[head_object]", async () => {
    const recording = new Recording("objects", "test_s3_get_object_preconditions[head_object]");
    on.s3.clock.advance(400);
    const { ETag = "" } = await on.put("key", "data");
    const { LastModified = new Date(0) } = await on.head("key");
    on.s3.clock.advance(10_000);
    const at = (offset: number) => new Date(LastModified.getTime() + offset);
    await recording.expect(
      "precondition-if-modified-since-is-object",
      on.head("key", { IfModifiedSince: at(0) }),
    );
    await recording.expect(
      "copy-precondition-if-modified-since",
      on.head("key", { IfModifiedSince: at(5000) }),
    );
    const future = new Date(on.s3.clock.now() + 86_400_000);
    await recording.expect("obj-ignore-future-modified-since", on.head("key", { IfModifiedSince: future }));
    await recording.expect(
      "precondition-if-unmodified-since",
      on.head("key", { IfUnmodifiedSince: at(-5000) }),
    );
    await recording.expect(
      "precondition-if-unmodified-since-is-object",
      on.head("key", { IfUnmodifiedSince: at(0) }),
    );
    await recording.expect("precondition-if-none-match", on.head("key", { IfNoneMatch: ETag }));
    await recording.expect("etag-missing-quotes", on.head("key", { IfNoneMatch: ETag.replaceAll('"', "") }));
    await recording.expect("precondition-if-match", on.head("key", { IfMatch: '"wrong"' }));
    await recording.expect("obj-success", on.head("key", { IfMatch: ETag }));
  });

  test("test_precondition_failed_error", async () => {
    const recording = new Recording("objects", "test_precondition_failed_error");
    await on.put("foo", "bar");
    await recording.expect("get-object-if-match", on.get("foo", { IfMatch: '"not good"' }));
  });

  test("test_get_object_attributes_versioned", async () => {
    const recording = new Recording("objects", "test_get_object_attributes_versioned");
    await on.versioning();
    const key = "key-attrs-versioned";
    const first = await recording.expect("put-obj-v1", on.put(key, "69\n420\n"));
    await recording.expect("put-obj-v2", on.put(key, "version 2"));
    const all = ["StorageClass", "ETag", "ObjectSize"] as const;
    await recording.expect("delete-key", on.del(key));
    await recording.expect("deleted-object-attrs", on.attributes(key, ...all));
    await recording.expect(
      "get-object-attrs-v1",
      on.s3.call("GetObjectAttributes", {
        Bucket,
        Key: key,
        VersionId: first.VersionId,
        ObjectAttributes: [...all],
      }),
    );
  });

  test("test_s3_invalid_content_md5", async () => {
    const recording = new Recording("objects", "test_s3_invalid_content_md5");
    const wrong = ["__invalid__", "000", "not base64 encoded checksum", "MTIz", "dGVzdC1zdHJpbmc="];
    for (const [index, ContentMD5] of wrong.entries())
      // oxlint-disable-next-line no-await-in-loop
      await recording.expect(`md5-error-${index}`, on.put("key", "something", { ContentMD5 }));
    const other = "CYketZBSTjX8czcs3cXVlg==";
    await recording.expect("md5-error-bad-digest", on.put("key", "something", { ContentMD5: other }));
    const right = "Q3uTDbhLgHnC3YBKcZNrXw==";
    await recording.expect("success-put-object-md5", on.put("key", "something", { ContentMD5: right }));
  });
});

/** boto3 decodes the keys that it asks to be encoded. */
async function decoded<T extends { readonly Contents?: { Key?: string | undefined }[] | undefined }>(
  list: Promise<T>,
): Promise<T> {
  const output = await list;
  if (output.Contents === undefined) return output;
  const Contents = output.Contents.map((object) => ({
    ...object,
    Key: decodeURIComponent((object.Key ?? "").replaceAll("+", " ")),
  }));
  return { ...output, Contents };
}
