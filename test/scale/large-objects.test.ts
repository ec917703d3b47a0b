// Objects larger than memory go in and out in constant memory, and the disk that they took is given back.
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, it } from "vitest";
import { until } from "../lifecycle/support.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { figure } from "./figures.ts";
import { soak } from "./support.ts";

const MB = 1024 * 1024;
/** The largest that one request can put, or what CI has time for. */
const SIZE = (soak ? 5 * 1024 : 300) * MB;
/** Buffers under way and what the collector has not come to yet; the object is many times larger. */
const MOST_GROWTH = 100 * MB;

let folder: string;
let platform: TestPlatform;
let s3: S3Client;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "thaw-large-"));
  platform = await startPlatform(["--data", join(folder, "data")]);
  s3 = new S3Client({
    ...clientFor(platform.url),
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
});
afterAll(async () => {
  s3.destroy();
  expect(await platform.stop()).toBe(0);
  rmSync(folder, { recursive: true });
});

/** Bytes that no block repeats. */
async function* generated(hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  for (let at = 0; at < SIZE; at += MB) {
    const block = Buffer.alloc(MB, `${at} `);
    hash.update(block);
    yield block;
  }
}

/** The largest resident size so far, in bytes. */
function peak(): number {
  const status = readFileSync(`/proc/${platform.pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

function stored(): number {
  const objects = join(folder, "data/objects");
  return readdirSync(objects, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

it.skipIf(process.platform !== "linux")(
  `puts and gets ${SIZE / MB} MB in constant memory`,
  async () => {
    const Bucket = "large-objects";
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "small", Body: "warm" }));
    const before = peak();
    const sent = createHash("md5");
    const Body = Readable.from(generated(sent), { objectMode: false });
    const put = await s3.send(new PutObjectCommand({ Bucket, Key: "large", Body, ContentLength: SIZE }));
    const md5 = sent.digest("hex");
    expect(put.ETag).toBe(`"${md5}"`);
    const afterPut = peak() - before;
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: "large" }));
    expect(got.ContentLength).toBe(SIZE);
    const received = createHash("md5");
    for await (const chunk of got.Body as Readable) received.update(chunk as Buffer);
    expect(received.digest("hex")).toBe(md5);
    const afterGet = peak() - before;
    await figure("size of an object put and got (MB)", SIZE / MB);
    await figure("peak resident size, grown by the upload (MB)", (afterPut / MB).toFixed(0));
    await figure("peak resident size, grown by upload and download (MB)", (afterGet / MB).toFixed(0));
    expect(afterGet).toBeLessThan(MOST_GROWTH);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "large" }));
    await until(() => expect(stored()).toBe(4));
  },
  1_800_000,
);

it("leaves no file of an upload that breaks off", async () => {
  const Bucket = "broken-uploads";
  await s3.send(new CreateBucketCommand({ Bucket }));
  const before = stored();
  const hangUp = new AbortController();
  const broken = Readable.from(
    (async function* () {
      yield Buffer.alloc(MB);
      yield Buffer.alloc(MB);
      await until(() => expect(stored()).toBeGreaterThan(before));
      hangUp.abort();
    })(),
    { objectMode: false },
  );
  const upload = new PutObjectCommand({ Bucket, Key: "k", Body: broken, ContentLength: 10 * MB });
  await expect(s3.send(upload, { abortSignal: hangUp.signal })).rejects.toThrow();
  await until(() => expect(stored()).toBe(before));
  expect(platform.errors()).toBe("");
});
