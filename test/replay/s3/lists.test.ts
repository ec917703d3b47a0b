import { beforeEach, describe, expect, test } from "vitest";
import { Bucket, withBucket } from "./bucket.ts";
import { type Json, Recording } from "./recording.ts";

const on = withBucket();
const CONTENT = "content 123";

const putAll = async (...keys: readonly string[]) => {
  for (const key of keys)
    // oxlint-disable-next-line no-await-in-loop -- in the order in which versions are listed
    await on.put(key, CONTENT);
};

describe("ListObjects", () => {
  const list = (input: object = {}) => on.s3.call("ListObjects", { Bucket, EncodingType: "url", ...input });

  test("test_list_objects_with_prefix[]", async () => {
    const recording = new Recording("lists", "test_list_objects_with_prefix[]");
    await putAll("test/foo/bar/123");
    await recording.expect("list-objects", list({ Prefix: "test/", Delimiter: "", MaxKeys: 1 }));
  });

  test("test_s3_list_objects_empty_marker", async () => {
    const recording = new Recording("lists", "test_s3_list_objects_empty_marker");
    await recording.expect("list-objects", list({ Marker: "" }));
  });

  test("test_list_objects_marker_common_prefixes", async () => {
    const recording = new Recording("lists", "test_list_objects_marker_common_prefixes");
    await putAll("folder/aSubfolder/subFile1", "folder/aSubfolder/subFile2", "folder/file1", "folder/file2");
    await recording.expect("list-objects-all-keys", list());
    const page = { Prefix: "folder/", Delimiter: "/", MaxKeys: 1 };
    const first = await recording.expect("list-objects-start", list(page));
    const next = await recording.expect("list-objects-next-1", list({ ...page, Marker: first.NextMarker }));
    await recording.expect("list-objects-end", list({ ...page, Marker: next.NextMarker }));
    const Marker = "folder/aSubfolder/subFile1";
    await recording.expect("list-objects-manual-first-file", list({ ...page, Marker }));
  });

  test("test_list_objects_next_marker", async () => {
    const recording = new Recording("lists", "test_list_objects_next_marker");
    await putAll("a", "b", "c");
    await recording.expect("list-objects-all", list());
    await recording.expect("list-objects-max-1", list({ MaxKeys: 1, Delimiter: "/" }));
    await recording.expect("list-objects-rest", list({ MaxKeys: 1, Marker: "a" }));
    await recording.expect("list-objects-marker-empty", list({ MaxKeys: 1, Marker: "" }));
  });
});

describe("ListObjectsV2", () => {
  beforeEach(() => putAll("test/foo/bar/123", "test/foo/bar/456", "test/bar/foo/123"));

  test("test_list_objects_v2_with_prefix", async () => {
    const recording = new Recording("lists", "test_list_objects_v2_with_prefix");
    await recording.expect("list-objects-v2-1", on.list({ Prefix: "test/" }));
    await recording.expect("list-objects-v2-2", on.list({ Prefix: "test/foo" }));
    await recording.expect("list-objects-v2-3", on.list({ Prefix: "test/foo/bar" }));
  });

  test("test_list_objects_v2_with_prefix_and_delimiter", async () => {
    const recording = new Recording("lists", "test_list_objects_v2_with_prefix_and_delimiter");
    const Delimiter = "/";
    await recording.expect("list-objects-v2-1", on.list({ Prefix: "test/", Delimiter }));
    await recording.expect(
      "list-objects-v2-1-with-max-keys",
      on.list({ Prefix: "test/", Delimiter, MaxKeys: 1 }),
    );
    await recording.expect("list-objects-v2-2", on.list({ Prefix: "test/foo", Delimiter }));
    await recording.expect("list-objects-v2-3", on.list({ Prefix: "test/foo/bar", Delimiter }));
  });

  test.each([
    ["list_objects", "ListObjects"],
    ["list_objects_v2", "ListObjectsV2"],
    ["list_object_versions", "ListObjectVersions"],
  ] as const)("test_list_ops_encoding_type_validation[%s]", async (name, operation) => {
    // scenarios of lists: test_list_ops_encoding_type_validation[list_objects] | test_list_ops_encoding_type_validation[list_objects_v2] | test_list_ops_encoding_type_validation[list_object_versions]
    const recording = new Recording("lists", `test_list_ops_encoding_type_validation[${name}]`);
    const call = (EncodingType: string) =>
      on.s3.call(operation, { Bucket, EncodingType: EncodingType as "url" });
    await recording.expect(`${name}-error-wrong-value`, call("value"));
    // An empty element, which the recording's client reads as none.
    const empty = structuredClone(recording.read(`${name}-error-empty-value`)) as {
      Error: Record<string, Json>;
    };
    expect(empty.Error["ArgumentValue"]).toBeNull();
    await expect(call("")).rejects.toMatchObject({
      code: empty.Error["Code"],
      message: empty.Error["Message"],
      members: { ArgumentValue: "" },
    });
  });
});

describe("ListObjectVersions", () => {
  test("test_list_objects_versions_with_prefix", async () => {
    const recording = new Recording("lists", "test_list_objects_versions_with_prefix");
    await on.versioning();
    const [first, second, nested] = ["dir/test", "dir/test", "dir/subdir/test2"];
    const contents = ["content key1-v1", "content key1-v2", "content key2-v1"];
    await on.put(first, contents[0]);
    await on.put(second, contents[1]);
    await on.put(nested, contents[2]);
    await on.put(nested, contents[2]);
    const list = (Prefix: string) => on.versions({ Prefix, Delimiter: "/" });
    for (const [step, prefix] of [
      ["list-object-version-2", "dir/s"],
      ["list-object-version-4", "dir/subdir"],
    ] as const)
      // oxlint-disable-next-line no-await-in-loop
      await recording.expect(step, list(prefix));
    // Whose bytes are not recorded: keys, prefixes and order are compared.
    const shape = (value: unknown) => {
      const { Versions = [], CommonPrefixes = [] } = value as {
        Versions?: { Key: string; IsLatest: boolean; Size: number }[];
        CommonPrefixes?: unknown[];
      };
      return {
        CommonPrefixes,
        Versions: Versions.map(({ Key, IsLatest, Size }) => ({ Key, IsLatest, Size })),
      };
    };
    for (const [step, prefix] of [
      ["list-object-version-1", "dir/"],
      ["list-object-version-3", "dir/test"],
      ["list-object-version-5", "dir/subdir/"],
      ["list-object-version-6", "dir/subdir/test2"],
    ] as const)
      // oxlint-disable-next-line no-await-in-loop
      expect(shape(await list(prefix)), step).toEqual(shape(recording.read(step)));
  });

  test("test_list_objects_versions_with_prefix_only_and_pagination", async () => {
    const recording = new Recording("lists", "test_list_objects_versions_with_prefix_only_and_pagination");
    await on.versioning();
    for (let at = 0; at < 5; at++)
      // oxlint-disable-next-line no-await-in-loop
      await on.put("prefixed_key");
    await on.put("other_key");
    const list = (input: object = {}) => on.versions({ Prefix: "prefix", ...input });
    await recording.expect("list-object-version-prefix-full", list());
    const first = await recording.expect("list-object-version-prefix-page-1", list({ MaxKeys: 3 }));
    const markers = { KeyMarker: first.NextKeyMarker, VersionIdMarker: first.NextVersionIdMarker };
    await recording.expect("list-object-version-prefix-page-2", list({ MaxKeys: 5, ...markers }));
    await on.s3.call("DeleteObjects", {
      Bucket,
      Delete: {
        Objects: (first.Versions ?? []).map(({ VersionId }) => ({ Key: "prefixed_key", VersionId })),
      },
    });
    const after = list({ MaxKeys: 5, ...markers });
    await recording.expect("list-object-version-prefix-page-2-after-delete", after);
    const keyOnly = list({ MaxKeys: 4, KeyMarker: first.NextKeyMarker });
    await recording.expect("list-object-version-prefix-key-marker-only", keyOnly);
  });

  test("test_list_object_versions_pagination_common_prefixes", async () => {
    const recording = new Recording("lists", "test_list_object_versions_pagination_common_prefixes");
    await on.versioning();
    await putAll("folder/aSubfolder/subFile1", "folder/aSubfolder/subFile2", "folder/file1", "folder/file2");
    await recording.expect("list-object-versions-all-keys", on.versions());
    const list = (input: object = {}) =>
      on.versions({ Prefix: "folder/", Delimiter: "/", MaxKeys: 1, ...input });
    const first = await recording.expect("list-object-versions-start", list());
    const next = await recording.expect(
      "list-object-versions-next-1",
      list({ KeyMarker: first.NextKeyMarker }),
    );
    await recording.expect("list-object-versions-end", list({ KeyMarker: next.NextKeyMarker }));
    const KeyMarker = "folder/aSubfolder/subFile1";
    await recording.expect("list-object-versions-manual-first-file", list({ KeyMarker }));
  });
});

describe("ListMultipartUploads", () => {
  const create = async (Key: string) =>
    (await on.s3.call("CreateMultipartUpload", { Bucket, Key })).UploadId ?? "";
  const list = (input: object = {}) => on.s3.call("ListMultipartUploads", { Bucket, ...input });

  test("test_list_multiparts_next_marker", async () => {
    const recording = new Recording("lists", "test_list_multiparts_next_marker");
    await recording.expect("list-multiparts-empty", list());
    const [one, two, three] = ["test-1", "test-2", "test-3"];
    // Begun in an order that is not that of the keys.
    const ids = [
      await create(three),
      await create(two),
      await create(one),
      await create(one),
      await create(one),
    ];
    recording.compare(
      recording.read("upload-ids-order"),
      { UploadIds: ids.map((UploadId) => ({ UploadId })) },
      "upload-ids-order",
    );
    await recording.expect("list-multiparts-all", list());
    const first = await recording.expect("list-multiparts-max-1", list({ MaxUploads: 1 }));
    const KeyMarker = first.NextKeyMarker;
    await recording.expect("list-multiparts-next-key-empty", list({ MaxUploads: 1, KeyMarker: "" }));
    await recording.expect(
      "list-multiparts-next-upload-only",
      list({ MaxUploads: 1, UploadIdMarker: ids[2] }),
    );
    await recording.expect("list-multiparts-next-key-only", list({ MaxUploads: 1, KeyMarker }));
    const both = { MaxUploads: 1, KeyMarker, UploadIdMarker: ids[2] };
    await recording.expect("list-multiparts-both-markers", list(both));
    await recording.expect("list-multiparts-both-markers-2", list({ ...both, UploadIdMarker: ids[4] }));
    const last = { MaxUploads: 1, KeyMarker: two, UploadIdMarker: ids[1] };
    await recording.expect("list-multiparts-get-last-upload-no-truncate", list(last));
    await recording.expect("list-multiparts-next-key-last", list({ MaxUploads: 1, KeyMarker: three }));
    const wrong = list({ MaxUploads: 1, KeyMarker: one, UploadIdMarker: ids[1] });
    await recording.expect("list-multiparts-wrong-id-for-key", wrong);
  });

  test("test_list_multiparts_with_prefix_and_delimiter", async () => {
    const recording = new Recording("lists", "test_list_multiparts_with_prefix_and_delimiter");
    for (const key of ["test/foo/bar/123", "test/foo/bar/456", "test/bar/foo/123"])
      // oxlint-disable-next-line no-await-in-loop
      await create(key);
    const page = (Prefix: string) => list({ Prefix, Delimiter: "/", EncodingType: "url" });
    await recording.expect("list-multiparts-1", page("test/"));
    await recording.expect("list-multiparts-2", page("test/foo/"));
    await recording.expect("list-multiparts-3", page("test/foo/bar"));
  });

  test("test_list_multipart_uploads_marker_common_prefixes", async () => {
    const recording = new Recording("lists", "test_list_multipart_uploads_marker_common_prefixes");
    for (const key of [
      "folder/aSubfolder/subFile1",
      "folder/aSubfolder/subFile2",
      "folder/file1",
      "folder/file2",
    ])
      // oxlint-disable-next-line no-await-in-loop
      await create(key);
    const page = { Prefix: "folder/", Delimiter: "/", MaxUploads: 1 };
    await recording.expect("list-multiparts-start", list(page));
    const prefix = list({ ...page, KeyMarker: "folder/aSubfolder/" });
    await recording.expect("list-multiparts-manual-prefix", prefix);
    const file = list({ ...page, KeyMarker: "folder/aSubfolder/subFile1" });
    await recording.expect("list-multiparts-manual-first-file", file);
  });

  test("test_list_parts_empty_part_number_marker", async () => {
    const recording = new Recording("lists", "test_list_parts_empty_part_number_marker");
    const Key = "test-list-part-empty-marker";
    const UploadId = await create(Key);
    const part = { Bucket, Key, UploadId, PartNumber: 1, ChecksumAlgorithm: "CRC32" } as const;
    await on.s3.call("UploadPart", { ...part, Body: "data" });
    const parts = on.s3.call("ListParts", { Bucket, Key, UploadId, PartNumberMarker: "" });
    await recording.expect("list-parts-empty-marker", parts);
  });
});
