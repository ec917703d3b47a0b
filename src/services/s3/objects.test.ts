import { Readable } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { createS3Fixture, failure, type S3Fixture, textOf } from "../../../test/support/s3-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import type { Storage } from "#storage/storage";

const storage = withStorage();
let s3: S3Fixture;
const Bucket = "my-bucket";

beforeEach(async () => {
  s3 = createS3Fixture(storage());
  await s3.call("CreateBucket", { Bucket });
});

const put = (Key: string, Body: string | Readable = "content") => s3.call("PutObject", { Bucket, Key, Body });
const get = (Key: string) => s3.call("GetObject", { Bucket, Key }).then(textOf);

async function stored(from: Storage): Promise<number> {
  let found = 0;
  for await (const _ of from.objects.list()) found += 1;
  return found;
}

const garbage = () => Array.from(storage().documents.list(["111111111111", "us-east-1", "s3-garbage"]));

describe("objects", () => {
  test.each(["../../../etc/passwd", "/", "a//b/", "..", "\u0000\u{1F600}%2F+ ", "x".repeat(1024)])(
    "any key is one key: %j",
    async (key) => {
      await put(key, key);
      expect(await get(key)).toBe(key);
      const { Contents } = await s3.call("ListObjectsV2", { Bucket });
      expect(Contents?.map(({ Key }) => Key)).toEqual([key]);
      await s3.call("DeleteObject", { Bucket, Key: key });
      expect(await failure(s3.call("GetObject", { Bucket, Key: key }))).toMatchObject({ code: "NoSuchKey" });
    },
  );

  test("overwriting and deleting give the disk back", async () => {
    await put("a");
    await put("a", "other");
    await put("b");
    await s3.service.stop(0);
    expect(await stored(storage())).toBe(2);
    await s3.call("DeleteObjects", { Bucket, Delete: { Objects: [{ Key: "a" }, { Key: "b" }] } });
    await s3.service.stop(0);
    expect(await stored(storage())).toBe(0);
    expect(garbage()).toEqual([]);
    expect(s3.problems).toEqual([]);
  });

  test("an upload that breaks off leaves nothing", async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from("half");
        throw Object.assign(new Error("gone"), { code: "ECONNRESET" });
      })(),
    );
    expect(await failure(put("a", broken))).toMatchObject({ code: "IncompleteBody", status: 400 });
    await s3.service.stop(0);
    expect(await stored(storage())).toBe(0);
    expect(garbage()).toEqual([]);
  });

  test("a refused write leaves what was there", async () => {
    await put("a", "first");
    const wrong = s3.call("PutObject", {
      Bucket,
      Key: "a",
      Body: "second",
      ContentMD5: "1B2M2Y8AsgTpgAmY7PhCfg==",
    });
    expect(await failure(wrong)).toMatchObject({ code: "BadDigest" });
    const checksum = s3.call("PutObject", { Bucket, Key: "a", Body: "second", ChecksumCRC32: "AAAAAA==" });
    expect(await failure(checksum)).toMatchObject({ code: "BadDigest" });
    await s3.service.stop(0);
    expect(await get("a")).toBe("first");
    expect(await stored(storage())).toBe(1);
  });

  test("writers of one key come one after the other, and all but one lose their bytes", async () => {
    const texts = Array.from({ length: 20 }, (_, at) => `content ${at}`);
    await Promise.all(texts.map((text) => put("a", text)));
    await s3.service.stop(0);
    expect(texts).toContain(await get("a"));
    expect(await stored(storage())).toBe(1);
    const outcomes = await Promise.allSettled(
      texts.map((Body) => s3.call("PutObject", { Bucket, Key: "once", Body, IfNoneMatch: "*" })),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("what a crash left behind is swept at the next start", async () => {
    await put("kept");
    await s3.service.stop(0);
    const scope = ["111111111111", "us-east-1", "s3-garbage"] as const;
    const [written, dropped] = ["1".repeat(64), "2".repeat(64)];
    for (const id of [written, dropped]) {
      await storage().objects.put(id, Buffer.from("orphan"));
      await storage().documents.commit([{ key: [...scope, id], value: { object: id, run: "earlier" } }]);
    }
    await createS3Fixture(storage()).service.start();
    expect(await stored(storage())).toBe(1);
    expect(garbage()).toEqual([]);
    expect(await get("kept")).toBe("content");
  });

  test("a bucket that is being written to is not deleted under the writer", async () => {
    for (let round = 0; round < 20; round++) {
      const [written, deleted] = await Promise.allSettled([
        put(`key-${round}`),
        s3.call("DeleteBucket", { Bucket }),
      ]);
      if (deleted.status === "fulfilled") {
        expect(written.status).toBe("rejected");
        await s3.call("CreateBucket", { Bucket });
      } else {
        expect(await get(`key-${round}`)).toBe("content");
        await s3.call("DeleteObject", { Bucket, Key: `key-${round}` });
      }
    }
  });

  test("a list that takes several turns is whole", async () => {
    await put("k");
    const [row] = storage().documents.list(["111111111111", "us-east-1", "s3-object"]);
    if (row === undefined) throw new Error("there is no object");
    const keys = Array.from({ length: 450 }, (_, at) => `k${String(at).padStart(3, "0")}`);
    const rows = keys.map((key) => ({ key: [...row.key.slice(0, 4), key] as never, value: row.value }));
    await storage().documents.commit(rows);
    const all = ["k", ...keys];
    const { Contents = [], IsTruncated } = await s3.call("ListObjectsV2", { Bucket });
    expect([Contents.map(({ Key }) => Key), IsTruncated]).toEqual([all, false]);
    const page = await s3.call("ListObjectsV2", { Bucket, MaxKeys: 400 });
    const token = { ContinuationToken: page.NextContinuationToken };
    const rest = await s3.call("ListObjectsV2", { Bucket, ...token });
    const shown = [...(page.Contents ?? []), ...(rest.Contents ?? [])];
    expect(shown.map(({ Key }) => Key)).toEqual(all);
  });

  test("names are one account's at a time", async () => {
    const other = { account: "222222222222" };
    expect(await failure(s3.call("CreateBucket", { Bucket }, other))).toMatchObject({
      code: "BucketAlreadyExists",
    });
    const mine = s3.call("HeadBucket", { Bucket, ExpectedBucketOwner: "222222222222" });
    expect(await failure(mine)).toMatchObject({ status: 403 });
    await s3.call("DeleteBucket", { Bucket });
    await s3.call("CreateBucket", { Bucket }, other);
    expect((await s3.call("ListBuckets", {})).Buckets).toEqual([]);
    expect((await s3.call("ListBuckets", {}, other)).Buckets).toMatchObject([{ Name: Bucket }]);
  });
});
