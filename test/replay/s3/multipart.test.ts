import type * as client from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import type { InputOf } from "../../../src/wire/operation.ts";
import { Bucket, withBucket } from "./bucket.ts";
import { Recording } from "./recording.ts";

type In<Name extends string> = Partial<InputOf<typeof client, Name>>;

const on = withBucket();
const MB = 1024 * 1024;

const create = (Key: string, input: In<"CreateMultipartUpload"> = {}) =>
  on.s3.call("CreateMultipartUpload", { Bucket, Key, ...input });
const upload = (
  Key: string,
  UploadId: string | undefined,
  PartNumber: number,
  Body: string | Buffer,
  input: In<"UploadPart"> = {},
) =>
  on.s3.call("UploadPart", {
    Bucket,
    Key,
    UploadId,
    PartNumber,
    Body,
    ChecksumAlgorithm: "CRC32",
    ...input,
  });
const complete = (
  Key: string,
  UploadId: string | undefined,
  Parts: { PartNumber: number; ETag?: string | undefined }[],
  input: In<"CompleteMultipartUpload"> = {},
) => on.s3.call("CompleteMultipartUpload", { Bucket, Key, UploadId, MultipartUpload: { Parts }, ...input });
const parts = (Key: string, UploadId: string | undefined) =>
  on.s3.call("ListParts", { Bucket, Key, UploadId });

describe("multipart uploads", () => {
  test("test_multipart_and_list_parts", async () => {
    const recording = new Recording("multipart", "test_multipart_and_list_parts");
    const Key = "test-list-parts";
    const uploads = () => on.s3.call("ListMultipartUploads", { Bucket });
    const { UploadId } = await recording.expect("create-multipart", create(Key));
    await recording.expect("list-part-after-created", parts(Key, UploadId));
    await recording.expect("list-all-uploads", uploads());
    const body = "upload-part-1".repeat(5);
    const { ETag } = await recording.expect("upload-part", upload(Key, UploadId, 1, body));
    await recording.expect("list-part-after-upload", parts(Key, UploadId));
    await recording.expect("list-all-uploads-after", uploads());
    await recording.expect("complete-multipart", complete(Key, UploadId, [{ ETag, PartNumber: 1 }]));
    await recording.expect("list-part-after-complete-exc", parts(Key, UploadId));
    await recording.expect("list-all-uploads-completed", uploads());
    await recording.expect("get-multipart-checksum", on.get(Key));
    await recording.expect("head-multipart-checksum", on.head(Key, { ChecksumMode: "ENABLED" }));
  });

  // As S3 answered: issues 1236, 1237 and 1226 of versity/versitygw.
  test.each([
    [
      "partNumber=1",
      {
        code: "InvalidArgument",
        status: 400,
        message: "This operation does not accept partNumber without uploadId",
        members: { ArgumentName: "partNumber", ArgumentValue: "partNumber" },
      },
    ],
    [
      "x-id=UploadPart&uploadId=id",
      {
        code: "MethodNotAllowed",
        status: 405,
        message: "The specified method is not allowed against this resource.",
        members: { Method: "PUT", ResourceType: "UPLOAD" },
        headers: { allow: "DELETE, POST, GET" },
      },
    ],
  ])("what names half of a part by %s overwrites nothing", async (query, refused) => {
    await on.put("key", "before");
    const put = on.s3.call("PutObject", { Bucket, Key: "key", Body: "part" }, { query });
    await expect(put).rejects.toMatchObject(refused);
    const copy = { Bucket, Key: "key", CopySource: `${Bucket}/key`, MetadataDirective: "REPLACE" } as const;
    await expect(on.s3.call("CopyObject", copy, { query })).rejects.toMatchObject(refused);
    expect((await on.get("key")).Body).toBe("before");
    await on.s3.call("PutObject", { Bucket, Key: "key", Body: "after" }, { query: "x-id=PutObject" });
    expect((await on.get("key")).Body).toBe("after");
  });

  test("test_multipart_no_such_upload", async () => {
    const recording = new Recording("multipart", "test_multipart_no_such_upload");
    const [Key, UploadId] = ["key", "fakeid"];
    await recording.expect("upload-exc", upload(Key, UploadId, 1, "data"));
    await recording.expect("complete-exc", complete(Key, UploadId, [{ PartNumber: 1, ETag: "x" }]));
    const abort = on.s3.call("AbortMultipartUpload", { Bucket, Key, UploadId });
    await recording.expect("abort-exc", abort);
  });

  test("test_multipart_complete_multipart_too_small", async () => {
    const recording = new Recording("multipart", "test_multipart_complete_multipart_too_small");
    const Key = "key";
    const { UploadId } = await create(Key);
    await recording.expect("complete-exc-no-parts", complete(Key, UploadId, []));
    const one = await recording.expect("upload-part1", upload(Key, UploadId, 1, "data"));
    const two = await recording.expect("upload-part2", upload(Key, UploadId, 2, "data"));
    const listed = [one, two].map(({ ETag }, index) => ({ ETag, PartNumber: index + 1 }));
    await recording.expect("complete-exc-too-small", complete(Key, UploadId, listed));
  });

  test("test_complete_multipart_parts_order", async () => {
    const recording = new Recording("multipart", "test_complete_multipart_parts_order");
    const Key = "test-order-parts";
    const { UploadId } = await create(Key);
    const bodies = [1, 2, 3].map(() => Buffer.alloc(5 * MB + 1, "a"));
    const uploadAll = (key: string, id: string | undefined, step: number) =>
      Promise.all(
        bodies.map(async (body, index) => {
          const PartNumber = 1 + index * step;
          return { PartNumber, ETag: (await upload(key, id, PartNumber, body)).ETag };
        }),
      );
    const listed = await uploadAll(Key, UploadId, 1);
    await recording.expect("complete-multipart-unordered", complete(Key, UploadId, listed.toReversed()));
    await recording.expect("upload-part-negative-part-number", upload(Key, UploadId, -1, "x"));
    await recording.expect("complete-multipart-ordered", complete(Key, UploadId, listed));
    const stepped = "key-sequence-with-step-2";
    const second = await create(stepped);
    const wide = await uploadAll(stepped, second.UploadId, 2);
    await recording.expect("complete-multipart-with-step-2", complete(stepped, second.UploadId, wide));
  });

  test("test_multipart_copy_object_etag", async () => {
    const recording = new Recording("multipart", "test_multipart_copy_object_etag");
    const Key = "test.file";
    const { UploadId } = await create(Key);
    const { ETag } = await upload(Key, UploadId, 1, "test content 123");
    await recording.expect("multipart-upload", complete(Key, UploadId, [{ ETag, PartNumber: 1 }]));
    await recording.expect("copy-object", on.copy("copy.file", `${Bucket}/${Key}`));
    const again = on.copy(Key, `${Bucket}/${Key}`, { MetadataDirective: "REPLACE" });
    await recording.expect("copy-object-in-place", again);
    await recording.expect("head-obj", on.head(Key, { ChecksumMode: "ENABLED" }));
  });

  test("test_multipart_size_validation", async () => {
    const recording = new Recording("multipart", "test_multipart_size_validation");
    const Key = "test-multipart-size";
    const { UploadId } = await recording.expect("create-mpu", create(Key));
    const { ETag } = await recording.expect("upload-part", upload(Key, UploadId, 1, "aaaa"));
    const end = (MpuObjectSize: number) =>
      complete(Key, UploadId, [{ ETag, PartNumber: 1 }], { MpuObjectSize });
    await recording.expect("complete-multipart-wrong-size", end(5));
    await recording.expect("complete-multipart-good-size", end(4));
    await recording.expect("get-object-attrs", on.attributes(Key, "Checksum", "ETag"));
  });

  test("test_get_object_attributes", async () => {
    const recording = new Recording("multipart", "test_get_object_attributes");
    const all = ["StorageClass", "ETag", "ObjectSize", "ObjectParts", "Checksum"] as const;
    await on.put("data.txt", "69\n420\n");
    await recording.expect("object-attrs", on.attributes("data.txt", ...all));
    const Key = "multipart";
    const first = await create(Key);
    const body = "upload-part-1".repeat(5);
    const { ETag } = await upload(Key, first.UploadId, 1, body);
    await complete(Key, first.UploadId, [{ ETag, PartNumber: 1 }]);
    const few = ["StorageClass", "ETag", "ObjectSize", "ObjectParts"] as const;
    await recording.expect("object-attrs-multiparts-1-part", on.attributes(Key, ...few));
  });

  test("test_get_object_part_checksum[FULL_OBJECT]", async () => {
    const recording = new Recording("multipart", "test_get_object_part_checksum[FULL_OBJECT]");
    const Key = "test-multipart-checksum";
    const checksum = { ChecksumAlgorithm: "CRC32C", ChecksumType: "FULL_OBJECT" } as const;
    const { UploadId } = await recording.expect("create-mpu-checksum", create(Key, checksum));
    const part = upload(Key, UploadId, 1, "test content 123", { ChecksumAlgorithm: "CRC32C" });
    const { ETag } = await recording.expect("upload-part", part);
    const end = complete(Key, UploadId, [{ ETag, PartNumber: 1 }]);
    await recording.expect("complete-multipart-checksum", end);
    await recording.expect("get-object-part", on.get(Key, { PartNumber: 1 }));
    await recording.expect("head-object-part", on.head(Key, { PartNumber: 1, ChecksumMode: "ENABLED" }));
  });

  test("test_upload_part_copy_range", async () => {
    const recording = new Recording("multipart", "test_upload_part_copy_range");
    await recording.expect("put-src-object", on.put("source", "0123456789"));
    const Key = "test-upload-part-copy";
    const { UploadId } = await recording.expect("create-multipart", create(Key));
    const copy = (PartNumber: number, CopySourceRange: string) =>
      on.s3.call("UploadPartCopy", {
        Bucket,
        Key,
        UploadId,
        PartNumber,
        CopySource: `${Bucket}/source`,
        CopySourceRange,
      });
    await recording.expect("upload-part-copy-1", copy(1, "bytes=0-8"));
    await recording.expect("upload-part-copy-2", copy(2, "bytes=1-1"));
    await recording.expect("upload-part-copy-3", copy(3, "bytes=0-0"));
    await recording.expect("upload-part-copy-wrong-format", copy(1, "0-8"));
    for (const range of [
      "-",
      "-0",
      "-1-",
      "-15",
      "-2",
      "0--1",
      "0-1,3-4,7-9",
      "0-100",
      "1-",
      "1-0",
      "100-200",
    ])
      // oxlint-disable-next-line no-await-in-loop
      await recording.expect(`upload-part-copy-range-exc-${range}`, copy(1, `bytes=${range}`));
    await recording.expect("list-parts", parts(Key, UploadId));
  });

  test("test_upload_part_copy_no_copy_source_range", async () => {
    const recording = new Recording("multipart", "test_upload_part_copy_no_copy_source_range");
    await recording.expect("put-src-object", on.put("source", "0123456789"));
    const Key = "test-upload-part-copy";
    const { UploadId } = await recording.expect("create-multipart", create(Key));
    const input = { Bucket, Key, UploadId, PartNumber: 1, CopySource: `${Bucket}/source` };
    await recording.expect("upload-part-copy", on.s3.call("UploadPartCopy", input));
    await recording.expect("list-parts", parts(Key, UploadId));
  });
});

describe("checksums of uploads in parts", () => {
  test.each([
    ["COMPOSITE", "CRC32"],
    ["COMPOSITE", "SHA1"],
    ["FULL_OBJECT", "CRC32C"],
    ["FULL_OBJECT", "CRC32"],
    ["FULL_OBJECT", "SHA1"],
    ["FULL_OBJECT", "SHA256"],
  ] as const)(
    "test_multipart_checksum_type_compatibility[%s-%s]",
    async (ChecksumType, ChecksumAlgorithm) => {
      // scenarios of multipart: test_multipart_checksum_type_compatibility[COMPOSITE-CRC32] | test_multipart_checksum_type_compatibility[COMPOSITE-SHA1] | test_multipart_checksum_type_compatibility[FULL_OBJECT-CRC32C] | test_multipart_checksum_type_compatibility[FULL_OBJECT-CRC32] | test_multipart_checksum_type_compatibility[FULL_OBJECT-SHA1] | test_multipart_checksum_type_compatibility[FULL_OBJECT-SHA256]
      const name = `test_multipart_checksum_type_compatibility[${ChecksumType}-${ChecksumAlgorithm}]`;
      const recording = new Recording("multipart", name);
      const refused = ChecksumType === "FULL_OBJECT" && ChecksumAlgorithm.startsWith("SHA");
      await recording.expect(
        refused ? "create-mpu-checksum-exc" : "create-mpu-checksum",
        create("test-multipart-checksum-compat", { ChecksumType, ChecksumAlgorithm }),
      );
    },
  );

  test.each(["CRC64NVME", "SHA1", "SHA256"] as const)(
    "test_multipart_checksum_type_default_for_checksum[%s]",
    async (ChecksumAlgorithm) => {
      // scenarios of multipart: test_multipart_checksum_type_default_for_checksum[CRC64NVME] | test_multipart_checksum_type_default_for_checksum[SHA1] | test_multipart_checksum_type_default_for_checksum[SHA256]
      const name = `test_multipart_checksum_type_default_for_checksum[${ChecksumAlgorithm}]`;
      const recording = new Recording("multipart", name);
      await recording.expect(
        "create-mpu-default-checksum-type",
        create("test-multipart-checksum-default", { ChecksumAlgorithm }),
      );
    },
  );

  test.each(["CRC32", "CRC32C", "SHA1", "SHA256"] as const)(
    "test_complete_multipart_parts_checksum_composite[%s]",
    async (ChecksumAlgorithm) => {
      // scenarios of multipart: test_complete_multipart_parts_checksum_composite[CRC32] | test_complete_multipart_parts_checksum_composite[CRC32C] | test_complete_multipart_parts_checksum_composite[SHA1] | test_complete_multipart_parts_checksum_composite[SHA256]
      await endsAs(`test_complete_multipart_parts_checksum_composite[${ChecksumAlgorithm}]`, {
        ChecksumAlgorithm,
        ChecksumType: "COMPOSITE",
      });
    },
  );

  test.each(["CRC32C", "CRC64NVME"] as const)(
    "test_complete_multipart_parts_checksum_full_object[%s]",
    async (ChecksumAlgorithm) => {
      // scenarios of multipart: test_complete_multipart_parts_checksum_full_object[CRC32C] | test_complete_multipart_parts_checksum_full_object[CRC64NVME]
      await endsAs(`test_complete_multipart_parts_checksum_full_object[${ChecksumAlgorithm}]`, {
        ChecksumAlgorithm,
        ChecksumType: "FULL_OBJECT",
      });
    },
  );

  async function endsAs(
    scenario: string,
    checksum: Pick<In<"CreateMultipartUpload">, "ChecksumAlgorithm" | "ChecksumType">,
  ): Promise<void> {
    const recording = new Recording("multipart", scenario);
    const { ChecksumAlgorithm } = checksum;
    const member = `Checksum${ChecksumAlgorithm as "CRC32"}` as const;
    const Key = "test-multipart-checksum";
    const { UploadId } = await recording.expect("create-mpu-checksum", create(Key, checksum));
    const bodies = [Buffer.alloc(5 * MB + 1, "a"), Buffer.alloc(5 * MB + 1, "a"), "a".repeat(10)];
    const listed: { PartNumber: number; ETag?: string | undefined; ChecksumCRC32?: string | undefined }[] =
      [];
    for (const [index, body] of bodies.entries()) {
      const part = upload(Key, UploadId, index + 1, body, { ChecksumAlgorithm });
      // oxlint-disable-next-line no-await-in-loop
      const { ETag, [member]: value } = await recording.expect(`upload-part-${index}`, part);
      listed.push({ ETag, PartNumber: index + 1, [member]: value });
    }
    await recording.expect("list-parts", parts(Key, UploadId));
    if (checksum.ChecksumType === "COMPOSITE") {
      const bare = listed.map(({ ETag, PartNumber }) => ({ ETag, PartNumber }));
      await recording.expect("complete-multipart-no-checksum", complete(Key, UploadId, bare));
    }
    // S3 looks at parts in no order: the one that it named is the one that is wrong here.
    const step = "complete-multipart-wrong-parts-checksum";
    const { Error: named } = recording.read(step) as { Error: { PartNumber: string } };
    const [first, , third] = listed;
    const wrong = listed.map((part) =>
      String(part.PartNumber) === named.PartNumber
        ? { ...part, [member]: (part.PartNumber === 3 ? first : third)?.[member] }
        : part,
    );
    await recording.expect(step, complete(Key, UploadId, wrong));
    await recording.expect("complete-multipart-checksum", complete(Key, UploadId, listed));
    const whole = on.get(Key).then((output) => ({ ...output, Body: "" }));
    await recording.expect("get-object-with-checksum", whole);
    await recording.expect("head-object-with-checksum", on.head(Key, { ChecksumMode: "ENABLED" }));
    await recording.expect("get-object-part-checksum", on.get(Key, { PartNumber: 3 }));
    const shown = ["Checksum", "ETag", "ObjectParts"] as const;
    await recording.expect("get-object-attrs", on.attributes(Key, ...shown));
    await recording.expect("copy-obj-checksum", on.copy("copy", `${Bucket}/${Key}`));
    await recording.expect("get-copy-object-attrs", on.attributes("copy", ...shown));
  }

  test.each(["CRC32C", "CRC64NVME"] as const)(
    "test_multipart_upload_part_checksum_exception[%s]",
    async (algorithm) => {
      // scenarios of multipart: test_multipart_upload_part_checksum_exception[CRC32C] | test_multipart_upload_part_checksum_exception[CRC64NVME]
      const name = `test_multipart_upload_part_checksum_exception[${algorithm}]`;
      const recording = new Recording("multipart", name);
      const { UploadId } = await create("key", { ChecksumAlgorithm: algorithm });
      const send = (value: string) =>
        on.s3.call("UploadPart", {
          Bucket,
          Key: "key",
          UploadId,
          PartNumber: 1,
          Body: "abc",
          [`Checksum${algorithm}`]: value,
        });
      await recording.expect("put-wrong-checksum-no-b64", send("test"));
      const other = algorithm === "CRC32C" ? "AAAAAA==" : "AAAAAAAAAAA=";
      await recording.expect("put-wrong-checksum-value", send(other));
    },
  );

  test("test_multipart_parts_checksum_exceptions_full_object", async () => {
    const recording = new Recording("multipart", "test_multipart_parts_checksum_exceptions_full_object");
    const Key = "test-multipart-checksum-exc";
    const typeAlone = create(Key, { ChecksumType: "FULL_OBJECT" });
    await recording.expect("create-mpu-no-checksum-algo-with-type", typeAlone);
    const checksum = { ChecksumAlgorithm: "CRC32C", ChecksumType: "FULL_OBJECT" } as const;
    const { UploadId } = await recording.expect("create-mpu-checksum-crc32c", create(Key, checksum));
    await recording.expect("list-multiparts", on.s3.call("ListMultipartUploads", { Bucket }));
    const other = upload(Key, UploadId, 1, "abc", { ChecksumAlgorithm: "CRC32" });
    await recording.expect("upload-part-different-checksum-exc", other);
    const plain = { Bucket, Key, UploadId, PartNumber: 1, Body: "abc" };
    const { ETag } = await recording.expect("upload-part-no-checksum-ok", on.s3.call("UploadPart", plain));
    const listed = [{ ETag, PartNumber: 1 }];
    const composite = complete(Key, UploadId, listed, { ChecksumType: "COMPOSITE" });
    await recording.expect("complete-part-bad-checksum-type", composite);
    const wrong = complete(Key, UploadId, listed, { ChecksumCRC32C: "AAAAAA==" });
    await recording.expect("complete-part-bad-checksum", wrong);
    await recording.expect("complete-success", complete(Key, UploadId, listed));
  });
});

describe("checksums of whole objects", () => {
  test.each([
    ["CRC32", "AAAAAA=="],
    ["CRC64NVME", "AAAAAAAAAAA="],
    ["SHA1", "2jmj7l5rSw0yVb/vlWAYkK/YBwk="],
    ["SHA256", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
  ] as const)("test_put_object_checksum[%s]", async (ChecksumAlgorithm, wrong) => {
    // scenarios of multipart: test_put_object_checksum[CRC32] | test_put_object_checksum[CRC64NVME] | test_put_object_checksum[SHA1] | test_put_object_checksum[SHA256]
    const recording = new Recording("multipart", `test_put_object_checksum[${ChecksumAlgorithm}]`);
    const member = `Checksum${ChecksumAlgorithm}`;
    const put = (value: string) =>
      on.s3.call("PutObject", { Bucket, Key: "key", Body: "test data..", [member]: value });
    await recording.expect("put-wrong-checksum-no-b64", put("test"));
    await recording.expect("put-wrong-checksum-value", put(wrong));
    const made = on.put("key", "test data..", { ChecksumAlgorithm });
    const { [member as "ChecksumCRC32"]: value = "" } = await recording.expect(
      "put-object-autogenerated",
      made,
    );
    await recording.expect("get-object-attrs-auto-generated", on.attributes("key", "ETag", "Checksum"));
    await recording.expect("put-object-generated", put(value));
    await recording.expect("get-object-attrs-generated", on.attributes("key", "ETag", "Checksum"));
    await recording.expect("head-object-with-checksum", on.head("key", { ChecksumMode: "ENABLED" }));
  });

  test.each(["CRC32C", "CRC64NVME", "None", "SHA256"])("test_s3_get_object_checksum[%s]", async (name) => {
    // scenarios of multipart: test_s3_get_object_checksum[CRC32C] | test_s3_get_object_checksum[CRC64NVME] | test_s3_get_object_checksum[None] | test_s3_get_object_checksum[SHA256]
    const recording = new Recording("multipart", `test_s3_get_object_checksum[${name}]`);
    const ChecksumAlgorithm = name === "None" ? "CRC32" : (name as "CRC32C");
    await recording.expect("put-object", on.put("key", "test-checksum", { ChecksumAlgorithm }));
    await recording.expect("get-object", on.get("key"));
    await recording.expect("get-object-with-checksum", on.get("key"));
    await recording.expect("get-object-attrs", on.attributes("key", "Checksum"));
  });

  test("test_s3_checksum_no_algorithm", async () => {
    const recording = new Recording("multipart", "test_s3_checksum_no_algorithm");
    const put = (input: In<"PutObject">) =>
      on.s3.call("PutObject", { Bucket, Key: "key", Body: "test data..", ...input });
    await recording.expect("put-wrong-checksum", put({ ChecksumSHA256: "TEST" }));
    const ChecksumSHA256 = "2l26x0trnT0r2AvakoFk2MB7eKVKzYESLMxSAKAzoik=";
    await recording.expect("put-2-checksums", put({ ChecksumSHA256, ChecksumCRC32: "AAAAAA==" }));
    await recording.expect("put-right-checksum", put({ ChecksumSHA256 }));
    await recording.expect("head-obj", on.head("key", { ChecksumMode: "ENABLED" }));
  });
});
