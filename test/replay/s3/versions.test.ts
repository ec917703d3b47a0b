import { describe, expect, test } from "vitest";
import { Bucket, withBucket } from "./bucket.ts";
import { Recording } from "./recording.ts";

const on = withBucket();
const STRANGE = "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD";

describe("versions", () => {
  test("test_object_version_id_format", async () => {
    const recording = new Recording("versions", "test_object_version_id_format");
    await on.versioning();
    const { VersionId } = await recording.expect("put-object", on.put("key"));
    expect(VersionId).toMatch(/^[a-zA-Z0-9._]{32}$/);
  });

  test("test_delete_object_versioned", async () => {
    const recording = new Recording("versions", "test_delete_object_versioned");
    await on.versioning();
    const key = "test-delete";
    const { VersionId } = await recording.expect("put-object", on.put(key, "test-delete"));
    // Recorded of an id that S3 does not know for one of its own.
    const bad = on.del(key, { VersionId: STRANGE });
    await recording.expect("delete-with-bad-version", bad);
    await recording.expect("delete-wrong-key", on.del("wrongkey"));
    const marker = await recording.expect("delete-object", on.del(key));
    await recording.expect("delete-object-2", on.del(key));
    await recording.expect("list-object-versions", on.versions({ Prefix: key }));
    await recording.expect("get-deleted-object", on.get(key));
    await recording.expect("get-object-with-version", on.get(key, { VersionId }));
    await recording.expect("get-delete-marker", on.get(key, { VersionId: marker.VersionId }));
    await recording.expect("delete-object-version", on.del(key, { VersionId }));
    await recording.expect("get-deleted-object-with-version", on.get(key, { VersionId }));
    await recording.expect("delete-delete-marker", on.del(key, { VersionId: marker.VersionId }));
  });

  test("test_delete_objects_versioned", async () => {
    const recording = new Recording("versions", "test_delete_objects_versioned");
    await on.versioning();
    const key = "test-delete";
    const { VersionId } = await recording.expect("put-object", on.put(key, "test-delete"));
    const remove = (...Objects: { Key: string; VersionId?: string | undefined }[]) =>
      on.s3.call("DeleteObjects", { Bucket, Delete: { Objects } });
    await recording.expect(
      "delete-objects-wrong-version-id",
      remove({ Key: key, VersionId: STRANGE }, { Key: "wrong-key-2", VersionId: STRANGE }),
    );
    const deleted = await recording.expect(
      "delete-objects-no-version-id",
      remove({ Key: key }, { Key: "wrongkey" }, { Key: "wrongkey-x" }),
    );
    const marker = deleted.Deleted?.[0]?.DeleteMarkerVersionId;
    await recording.expect("delete-objects-marker", remove({ Key: key, VersionId: marker }));
    await recording.expect("delete-objects-version-id", remove({ Key: key, VersionId }));
  });

  test("test_delete_keys_in_versioned_bucket", async () => {
    const recording = new Recording("versions", "test_delete_keys_in_versioned_bucket");
    await on.versioning();
    const key = "test-key-versioned";
    await on.put(key, "something");
    await on.put(key, "something-v2");
    await recording.expect("list-objects-v2", on.list());
    const remove = (...Objects: { Key: string; VersionId?: string | undefined }[]) =>
      on.s3.call("DeleteObjects", { Bucket, Delete: { Objects } });
    const deleted = await recording.expect("delete-object", remove({ Key: key }));
    await recording.expect("list-objects-v2-after-delete", on.list());
    // The recording has what was deleted sorted.
    const { Versions = [] } = await recording.expect("list-object-version", on.versions());
    const found = Versions.map(({ VersionId }) => ({ Key: key, VersionId }));
    await recording.expect("delete-object-version", remove(...found.toReversed()));
    await recording.expect("list-object-version-after-delete", on.versions());
    const marker = deleted.Deleted?.[0]?.DeleteMarkerVersionId;
    await recording.expect("delete-object-delete-marker", remove({ Key: key, VersionId: marker }));
  });

  test("test_get_object_after_deleted_in_versioned_bucket", async () => {
    const recording = new Recording("versions", "test_get_object_after_deleted_in_versioned_bucket");
    await on.versioning();
    await on.put("my-key", "abcdefgh");
    await recording.expect("get-object", on.get("my-key"));
    await on.del("my-key");
    await recording.expect("get-object-after-delete", on.get("my-key"));
  });

  test("test_s3_delete_object_with_version_id", async () => {
    const recording = new Recording("versions", "test_s3_delete_object_with_version_id");
    await on.versioning();
    const state = () => on.s3.call("GetBucketVersioning", { Bucket });
    await recording.expect("get_bucket_versioning", state());
    const { VersionId } = await on.put("aws/s3/testkey1.txt", "a".repeat(128));
    const Delete = { Objects: [{ Key: "aws/s3/testkey1.txt", VersionId }] };
    await recording.expect("delete_objects", on.s3.call("DeleteObjects", { Bucket, Delete }));
    await on.versioning("Suspended");
    await recording.expect("get_bucket_versioning_suspended", state());
  });

  test("test_put_object_on_suspended_bucket", async () => {
    const recording = new Recording("versions", "test_put_object_on_suspended_bucket");
    await on.versioning();
    const key = "test-version";
    for (const at of [0, 1, 2])
      // oxlint-disable-next-line no-await-in-loop
      await recording.expect(`put-object-${at}`, on.put(key, `test-version-${at}`));
    await recording.expect("list-enabled", on.versions());
    await on.versioning("Suspended");
    await recording.expect("list-suspended", on.versions());
    await recording.expect("put-object-suspended", on.put(key, "test-version-suspended"));
    await recording.expect("list-suspended-after-put", on.versions());
    await recording.expect("put-object-suspended-overwrite", on.put(key, "test-version-suspended"));
    await recording.expect("list-suspended-after-overwrite", on.versions());
    await recording.expect("get-object-current", on.get(key));
  });

  test("test_s3_put_object_versioned", async () => {
    const recording = new Recording("versions", "test_s3_put_object_versioned");
    const [plain, kept, late] = [
      "non-version-bucket-key",
      "versioned-bucket-key",
      "non-version-bucket-key-post",
    ];
    await on.put(plain, "non-versioned-key");
    await recording.expect("get-pre-versioned", on.get(plain));
    await recording.expect("list-object-pre-versioned", on.versions());
    await on.versioning();
    await recording.expect("put-obj-versioned-1", on.put(kept, "versioned-key"));
    await recording.expect("put-obj-versioned-2", on.put(kept, "versioned-key-updated"));
    await recording.expect("get-obj-versioned", on.get(kept));
    await recording.expect("list-object-versioned", on.versions());
    await recording.expect("get-post-versioned", on.get(plain));
    await on.versioning("Suspended");
    await recording.expect("get-obj-versioned-disabled", on.get(kept));
    await recording.expect("get-obj-non-versioned-disabled", on.get(plain));
    await recording.expect("put-non-versioned-post-disable", on.put(late, "non-versioned-key-post"));
    await recording.expect("get-non-versioned-post-disable", on.get(late));
  });
});
