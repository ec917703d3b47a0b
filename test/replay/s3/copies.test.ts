import { describe, expect, test } from "vitest";
import { Bucket, withBucket } from "./bucket.ts";
import { Recording } from "./recording.ts";

const on = withBucket();
const JSON_BODY = '{"key": "value"}';

describe("copies", () => {
  test("test_copy_object_special_character", async () => {
    const recording = new Recording("copies", "test_copy_object_special_character");
    const keys = ["file%2Fname", "test@key/", "test key/", "test key//", "a/%F0%9F%98%80/", "test+key"];
    for (const key of keys) {
      // oxlint-disable-next-line no-await-in-loop
      await recording.expect(`put-object-src-special-char-${key}`, on.put(key, "test"));
      const copied = on.copy(`copied/${key}`, `${Bucket}/${encodeURIComponent(key)}`);
      // oxlint-disable-next-line no-await-in-loop
      await recording.expect(`copy-object-special-char-${key}`, copied);
    }
  });

  test("test_s3_copy_metadata_replace", async () => {
    const recording = new Recording("copies", "test_s3_copy_metadata_replace");
    const about = { ContentType: "application/json", ContentLanguage: "en-US", Metadata: { key: "value" } };
    await recording.expect("put_object", on.put("source", JSON_BODY, about));
    await recording.expect("head_object", on.head("source"));
    const replaced = {
      MetadataDirective: "REPLACE",
      Metadata: { "another-key": "value" },
      ContentType: "image/jpg",
    } as const;
    await recording.expect("copy_object", on.copy("target", `${Bucket}/source`, replaced));
    await recording.expect("head_object_copy", on.head("target"));
  });

  test("test_s3_copy_content_type_and_metadata", async () => {
    const recording = new Recording("copies", "test_s3_copy_content_type_and_metadata");
    const about = { ContentType: "application/json", Metadata: { key: "value" } };
    await recording.expect("put_object", on.put("source", JSON_BODY, about));
    await recording.expect("head_object", on.head("source"));
    await recording.expect("copy_object", on.copy("target", `${Bucket}/source`));
    await recording.expect("head_object_copy", on.head("target"));
    const ignored = { Metadata: { "another-key": "value" }, ContentType: "image/jpg" };
    await recording.expect("copy_object_second", on.copy("second", `${Bucket}/source`, ignored));
    await recording.expect("head_object_second_copy", on.head("second"));
  });

  test("test_s3_copy_object_in_place_metadata_directive", async () => {
    const recording = new Recording("copies", "test_s3_copy_object_in_place_metadata_directive");
    const about = { ContentType: "application/json", Metadata: { key: "value" } };
    await recording.expect("put_object", on.put("key", JSON_BODY, about));
    await recording.expect("head_object", on.head("key"));
    const copy = (input: Parameters<typeof on.copy>[2]) => on.copy("key", `${Bucket}/key`, input);
    await recording.expect("no-metadata-directive-fail", copy({ Metadata: { key: "value" } }));
    const REPLACE = { MetadataDirective: "REPLACE" } as const;
    await recording.expect("copy-replace-directive", copy({ ...REPLACE, Metadata: { key2: "value2" } }));
    await recording.expect("head-replace-directive", on.head("key"));
    const COPY = { MetadataDirective: "COPY", StorageClass: "STANDARD" } as const;
    await recording.expect("copy-copy-directive", copy({ ...COPY, Metadata: { key3: "value3" } }));
    await recording.expect("head-copy-directive", on.head("key"));
    await recording.expect("copy-copy-directive-ignore", copy(COPY));
    await recording.expect("head-copy-directive-ignore", on.head("key"));
    await recording.expect("copy-replace-directive-empty", copy(REPLACE));
    await recording.expect("head-replace-directive-empty", on.head("key"));
  });

  test("test_s3_copy_object_in_place_website_redirect_location", async () => {
    const recording = new Recording("copies", "test_s3_copy_object_in_place_website_redirect_location");
    const redirect = { WebsiteRedirectLocation: "/test/direct" };
    await recording.expect("put-object", on.put("key", "test", redirect));
    await recording.expect("head-object", on.head("key"));
    const copy = on.copy("key", `${Bucket}/key`, redirect);
    await recording.expect("copy-object-in-place-with-website-redirection", copy);
    await recording.expect("head-object-after-copy", on.head("key"));
  });

  test("test_s3_copy_object_storage_class", async () => {
    const recording = new Recording("copies", "test_s3_copy_object_storage_class");
    await recording.expect("put-object", on.put("key", "test", { StorageClass: "STANDARD_IA" }));
    await recording.expect("object-attrs", on.attributes("key", "StorageClass"));
    await recording.expect("head-object", on.head("key"));
    await recording.expect("exc-invalid-request-storage-class", on.copy("key", `${Bucket}/key`));
    const copy = on.copy("key", `${Bucket}/key`, { StorageClass: "STANDARD" });
    await recording.expect("copy-object-in-place-with-storage-class", copy);
    await recording.expect("object-attrs-after-copy", on.attributes("key", "StorageClass"));
  });

  test("test_copy_in_place_with_bucket_encryption", async () => {
    const recording = new Recording("copies", "test_copy_in_place_with_bucket_encryption");
    const ServerSideEncryptionConfiguration = {
      Rules: [
        {
          ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" as const },
          BucketKeyEnabled: false,
        },
      ],
    };
    await recording.expect(
      "put-bucket-encryption",
      on.s3.call("PutBucketEncryption", { Bucket, ServerSideEncryptionConfiguration }),
    );
    await recording.expect("put-obj", on.put("test", ""));
    await recording.expect("copy-obj", on.copy("test", `${Bucket}/test`));
  });

  test("test_s3_copy_object_in_place_versioned", async () => {
    const recording = new Recording("copies", "test_s3_copy_object_in_place_versioned");
    await on.versioning();
    const about = { ContentType: "application/json", Metadata: { key: "value" } };
    await recording.expect("put_object", on.put("key", JSON_BODY, about));
    await recording.expect("head_object", on.head("key"));
    await recording.expect("object-attrs", on.attributes("key", "StorageClass"));
    const copy = (input: Parameters<typeof on.copy>[2] = {}) => on.copy("key", `${Bucket}/key`, input);
    await recording.expect("copy-object-in-place-no-change", copy());
    const REPLACE = { MetadataDirective: "REPLACE" } as const;
    const second = await recording.expect("copy-in-place-versioned", copy(REPLACE));
    await recording.expect("head-object-copied", on.head("key"));
    await recording.expect("get-object-copied", parsed(on.get("key")));
    await on.versioning("Suspended");
    await recording.expect("copy-in-place-versioned-suspended", copy(REPLACE));
    await recording.expect("head-object-copied-suspended", on.head("key"));
    await recording.expect("get-object-copied-suspended", parsed(on.get("key")));
    const previous = on.head("key", { VersionId: second.VersionId });
    await recording.expect("head-object-previous-version-suspended", previous);
    await on.versioning();
    await recording.expect("copy-in-place-versioned-re-enabled", copy(REPLACE));
  });

  test("test_s3_copy_object_src_not_exists", async () => {
    const recording = new Recording("copies", "test_s3_copy_object_src_not_exists");
    const key = "random-src-key";
    await recording.expect("copy-object-src-bucket-not-exists", on.copy("target", `nobodys-bucket/${key}`));
    await recording.expect("copy-object-src-object-not-exists", on.copy("target", `${Bucket}/${key}`));
    await on.versioning();
    await on.put(key);
    const marker = await recording.expect("del-obj-versioned", on.del(key));
    await recording.expect(
      "copy-object-src-delete-marker-current-version",
      on.copy("target", `${Bucket}/${key}`),
    );
    const named = on.copy("target", `${Bucket}/${key}?versionId=${marker.VersionId ?? ""}`);
    await recording.expect("copy-object-src-target-delete-marker", named);
  });

  test.each(["CRC32", "CRC32C", "CRC64NVME", "SHA1"] as const)(
    "test_s3_copy_object_with_checksum[%s]",
    async (ChecksumAlgorithm) => {
      // scenarios of copies: test_s3_copy_object_with_checksum[CRC32] | test_s3_copy_object_with_checksum[CRC32C] | test_s3_copy_object_with_checksum[CRC64NVME] | test_s3_copy_object_with_checksum[SHA1]
      const recording = new Recording("copies", `test_s3_copy_object_with_checksum[${ChecksumAlgorithm}]`);
      const about = { ContentType: "application/json", Metadata: { key: "value" } };
      await recording.expect("put-object-no-checksum", on.put("key", JSON_BODY, about));
      await recording.expect("object-attrs", on.attributes("key", "Checksum"));
      const changed = { MetadataDirective: "REPLACE", ChecksumAlgorithm } as const;
      await recording.expect("copy-object-in-place-with-checksum", on.copy("key", `${Bucket}/key`, changed));
      await recording.expect("object-attrs-after-copy", on.attributes("key", "Checksum"));
      await recording.expect("copy-object-to-dest-keep-checksum", on.copy("dest", `${Bucket}/key`));
    },
  );

  test.each(["CRC64NVME", "SHA1"] as const)(
    "test_s3_copy_object_with_default_checksum[%s]",
    async (ChecksumAlgorithm) => {
      // scenarios of copies: test_s3_copy_object_with_default_checksum[CRC64NVME] | test_s3_copy_object_with_default_checksum[SHA1]
      const recording = new Recording(
        "copies",
        `test_s3_copy_object_with_default_checksum[${ChecksumAlgorithm}]`,
      );
      await recording.expect("put-object-no-checksum", on.put("key", JSON_BODY, { ChecksumAlgorithm }));
      await recording.expect("object-attrs", on.attributes("key", "Checksum"));
      const again = on.copy("key", `${Bucket}/key`, { MetadataDirective: "REPLACE" });
      await recording.expect("copy-object-in-place-with-no-checksum", again);
      await recording.expect("object-attrs-after-copy", on.attributes("key", "Checksum"));
      await recording.expect("copy-object-to-dest-keep-checksum", on.copy("dest", `${Bucket}/key`));
      await recording.expect("dest-object-attrs-after-copy", on.attributes("dest", "Checksum"));
    },
  );

  test.each(["COPY", undefined] as const)("test_s3_copy_tagging_directive[%s]", async (TaggingDirective) => {
    // scenarios of copies: test_s3_copy_tagging_directive[COPY] | test_s3_copy_tagging_directive[None]
    const name = TaggingDirective ?? "None";
    const recording = new Recording("copies", `test_s3_copy_tagging_directive[${name}]`);
    await recording.expect("put-object", on.put("key", "test", { Tagging: "key1=value1" }));
    const tags = (Key: string) => on.s3.call("GetObjectTagging", { Bucket, Key });
    await recording.expect("get-object-tag", tags("key"));
    const directive = TaggingDirective === undefined ? {} : { TaggingDirective };
    const copy = (Key: string, Tagging: string) => on.copy(Key, `${Bucket}/key`, { ...directive, Tagging });
    await recording.expect("copy-object", copy("dest", "key2=value2"));
    await recording.expect("get-copy-object-tag", tags("dest"));
    await recording.expect("copy-object-tag-empty", copy("other", ""));
    await recording.expect("get-copy-object-tag-empty", tags("other"));
  });

  test("test_s3_copy_tagging_directive_versioned[COPY]", async () => {
    const recording = new Recording("copies", "test_s3_copy_tagging_directive_versioned[COPY]");
    await on.versioning();
    const first = await recording.expect("put-object", on.put("key", "test", { Tagging: "key1=value1" }));
    const second = on.put("key", "test-v2", { Tagging: "key1=value1-v2" });
    const { VersionId } = await recording.expect("put-object-v2", second);
    expect(VersionId).not.toBe(first.VersionId);
    const tags = (Key: string) => on.s3.call("GetObjectTagging", { Bucket, Key });
    await on.copy("dest", `${Bucket}/key`, { TaggingDirective: "COPY", Tagging: "key2=value2" });
    expect((await tags("dest")).TagSet).toEqual([{ Key: "key1", Value: "value1-v2" }]);
    await on.copy("old", `${Bucket}/key?versionId=${first.VersionId ?? ""}`, { TaggingDirective: "COPY" });
    expect((await tags("old")).TagSet).toEqual([{ Key: "key1", Value: "value1" }]);
  });

  test("test_s3_copy_object_if_source_unmodified_since_versioned", async () => {
    const recording = new Recording("copies", "test_s3_copy_object_if_source_unmodified_since_versioned");
    await on.versioning();
    await on.put("key", "data");
    const { LastModified = new Date(0) } = await recording.expect("head-object", on.head("key"));
    on.s3.clock.advance(10_000);
    const since = (offset: number) => ({
      CopySourceIfUnmodifiedSince: new Date(LastModified.getTime() + offset),
    });
    await recording.expect("copy-if-unmodified-since", on.copy("copy", `${Bucket}/key`, since(5000)));
    await recording.expect("copy-past-if-unmodified-since", on.copy("copy", `${Bucket}/key`, since(-5000)));
  });
});

/** The recording shows bodies that are JSON as what they say. */
async function parsed<T extends { readonly Body: string }>(output: Promise<T>) {
  const { Body, ...rest } = await output;
  return { ...rest, Body: JSON.parse(Body) as unknown };
}
