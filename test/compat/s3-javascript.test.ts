// S3 through the official JavaScript client, against a booted platform.
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Agent } from "node:http";
import type { LookupFunction } from "node:net";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

/** `localhost` in the endpoint makes clients put the bucket before it; an address makes them put it in the path. */
const styles = [
  ["path", (url: string) => url],
  ["virtual host", (url: string) => url.replace("127.0.0.1", "localhost")],
] as const;

/** Names below localhost are this machine (RFC 6761); not every resolver knows. */
const loopback: LookupFunction = (_, options, answer) => {
  if (options.all === true) answer(null, [{ address: "127.0.0.1", family: 4 }]);
  else answer(null, "127.0.0.1", 4);
};

describe.each(styles)("the JavaScript client, %s style", (name, endpointOf) => {
  const Bucket = `bucket-${name.replace(" ", "-")}`;
  let s3: S3Client;
  beforeAll(async () => {
    const requestHandler = { httpAgent: new Agent({ keepAlive: true, lookup: loopback }) };
    s3 = new S3Client({ ...clientFor(platform.url), endpoint: endpointOf(platform.url), requestHandler });
    await s3.send(new CreateBucketCommand({ Bucket }));
  });
  afterAll(async () => {
    await s3.send(new DeleteBucketCommand({ Bucket }));
    s3.destroy();
  });

  it("knows its buckets", async () => {
    await s3.send(new HeadBucketCommand({ Bucket }));
    const { Buckets } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets?.map((bucket) => bucket.Name)).toContain(Bucket);
    await expect(s3.send(new HeadBucketCommand({ Bucket: "nobodys-bucket" }))).rejects.toMatchObject({
      name: "NotFound",
    });
    await expect(s3.send(new ListObjectsV2Command({ Bucket: "nobodys-bucket" }))).rejects.toMatchObject({
      name: "NoSuchBucket",
      message: "The specified bucket does not exist",
    });
  });

  it.each([
    ["a little", Buffer.from("hello")],
    ["nothing", Buffer.alloc(0)],
    ["more than a request holds in memory", Buffer.alloc(300_000, "thaw")],
  ])("puts and gets %s, checksums and all", async (_, bytes) => {
    const Key = "a folder/../ünï+cödé %2F.bin";
    const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: bytes, Metadata: { note: "x" } }));
    expect(put.ChecksumCRC32).toMatch(/=$/);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? [])).toEqual(bytes);
    expect(got).toMatchObject({
      ETag: put.ETag,
      ContentLength: bytes.length,
      ChecksumCRC32: put.ChecksumCRC32,
      Metadata: { note: "x" },
    });
    const listed = await s3.send(new ListObjectsV2Command({ Bucket }));
    expect(listed.Contents).toMatchObject([{ Key, Size: bytes.length }]);
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({ name: "NotFound" });
  });

  it.each(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const)(
    "streams with a %s behind the bytes",
    async (ChecksumAlgorithm) => {
      const Key = "streamed";
      const pieces = Array.from({ length: 20 }, (_, at) => Buffer.alloc(10_000, String(at)));
      const upload = { Bucket, Key, ChecksumAlgorithm, ContentLength: 200_000, Body: Readable.from(pieces) };
      const put = s3.send(new PutObjectCommand(upload)).catch((error: unknown) => error);
      const outcome = await put;
      // CRC64NVME needs a native module that this client is not installed with.
      if (outcome instanceof Error && /CRC64NVME|crc64/i.test(outcome.message)) return;
      if (outcome instanceof Error) throw outcome;
      const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
      expect(Buffer.from((await got.Body?.transformToByteArray()) ?? [])).toEqual(Buffer.concat(pieces));
      expect(got[`Checksum${ChecksumAlgorithm}`]).toBeDefined();
      await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    },
  );

  it("reads ranges and pages", async () => {
    for (const Key of ["d/1", "d/2", "e", "f"])
      // oxlint-disable-next-line no-await-in-loop
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: "0123456789" }));
    const range = await s3.send(new GetObjectCommand({ Bucket, Key: "e", Range: "bytes=-3" }));
    expect([await range.Body?.transformToString(), range.ContentRange]).toEqual(["789", "bytes 7-9/10"]);
    expect(range.$metadata.httpStatusCode).toBe(206);
    const keys: unknown[] = [];
    for await (const page of paginateListObjectsV2({ client: s3, pageSize: 1 }, { Bucket, Delimiter: "/" }))
      keys.push(
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
      );
    expect(keys).toEqual(["d/", "e", "f"]);
    for (const Key of ["d/1", "d/2", "e", "f"])
      // oxlint-disable-next-line no-await-in-loop
      await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  });
});
