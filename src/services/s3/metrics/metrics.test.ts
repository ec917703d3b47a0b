import { beforeEach, expect, test } from "vitest";
import { systemIds } from "#core/ids";
import { createS3Fixture, failure, textOf, type S3Fixture } from "../../../../test/support/s3-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";
import { StorageMetrics } from "./storage.ts";

const storage = withStorage();
const Bucket = "my-bucket";
const DAY = 86_400_000;
let s3: S3Fixture;

beforeEach(async () => {
  s3 = createS3Fixture(storage());
  await s3.call("CreateBucket", { Bucket });
});

const configure = (Id: string, Prefix?: string) =>
  s3.call("PutBucketMetricsConfiguration", {
    Bucket,
    Id,
    MetricsConfiguration: { Id, ...(Prefix === undefined ? {} : { Filter: { Prefix } }) },
  });

/** Sums and counts by one dimension and by name, of all that was recorded since it was last asked. */
function recorded(dimension: string): Record<string, Record<string, readonly [sum: number, count: number]>> {
  const found: Record<string, Record<string, readonly [sum: number, count: number]>> = {};
  for (const { address, minutes } of s3.metrics.drain()) {
    expect(address).toMatchObject({ namespace: "AWS/S3", dimensions: { BucketName: Bucket } });
    const of = (found[address.dimensions[dimension] ?? ""] ??= {});
    const [minute] = minutes;
    if (minute !== undefined) of[address.name] = [minute.summary.sum, minute.summary.count];
  }
  return found;
}

test("requests are counted by the configurations that concern them, from then on", async () => {
  await s3.call("PutObject", { Bucket, Key: "logs/early", Body: "x" });
  expect(recorded("FilterId")).toEqual({});
  await configure("all");
  await configure("logs", "logs/");
  await s3.call(
    "PutObject",
    { Bucket, Key: "logs/a", Body: "12345" },
    { headers: { "content-length": "5" } },
  );
  const got = await s3.call("GetObject", { Bucket, Key: "logs/a" });
  expect(await textOf(got)).toBe("12345");
  expect((await failure(s3.call("GetObject", { Bucket, Key: "missing" }))).status).toBe(404);
  await s3.call("ListObjectsV2", { Bucket });
  const latencies = (count: number) => ({ FirstByteLatency: [0, count], TotalRequestLatency: [0, count] });
  expect(recorded("FilterId")).toEqual({
    all: {
      AllRequests: [4, 4],
      PutRequests: [1, 1],
      GetRequests: [2, 2],
      ListRequests: [1, 1],
      BytesUploaded: [5, 1],
      BytesDownloaded: [5, 1],
      "4xxErrors": [1, 4],
      "5xxErrors": [0, 4],
      ...latencies(4),
    },
    logs: {
      AllRequests: [2, 2],
      PutRequests: [1, 1],
      GetRequests: [1, 1],
      BytesUploaded: [5, 1],
      BytesDownloaded: [5, 1],
      "4xxErrors": [0, 2],
      "5xxErrors": [0, 2],
      ...latencies(2),
    },
  });
  await s3.call("DeleteBucketMetricsConfiguration", { Bucket, Id: "all" });
  await s3.call("HeadObject", { Bucket, Key: "logs/a" });
  expect(Object.keys(recorded("FilterId"))).toEqual(["logs"]);
});

test("requests that were refused are counted, whoever they are from", async () => {
  await configure("all");
  await configure("logs", "logs/2026 01/");
  const refused = (operation: string, path: string, status = 403) =>
    s3.service.onRefusal?.({ operation, path, status, durationMs: 7 });
  refused("GetObject", `/${Bucket}/logs/2026%2001/a%2Fb`);
  refused("GetObject", `/${Bucket}/%zz`);
  refused("ListObjectsV2", `/${Bucket}`, 503);
  refused("GetBucketPolicy", `/${Bucket}`);
  refused("GetObject", "/other-bucket/a");
  const latencies = (count: number) => ({
    FirstByteLatency: [7 * count, count],
    TotalRequestLatency: [7 * count, count],
  });
  expect(recorded("FilterId")).toEqual({
    all: {
      AllRequests: [3, 3],
      GetRequests: [2, 2],
      ListRequests: [1, 1],
      "4xxErrors": [2, 3],
      "5xxErrors": [1, 3],
      ...latencies(3),
    },
    logs: {
      AllRequests: [1, 1],
      GetRequests: [1, 1],
      "4xxErrors": [1, 1],
      "5xxErrors": [0, 1],
      ...latencies(1),
    },
  });
});

test("configurations are listed, told and deleted", async () => {
  expect(await s3.call("ListBucketMetricsConfigurations", { Bucket })).toEqual({ IsTruncated: false });
  for (let n = 0; n < 101; n++) await configure(`id-${String(n).padStart(3, "0")}`, "p/");
  const page = await s3.call("ListBucketMetricsConfigurations", { Bucket });
  expect(page.MetricsConfigurationList).toHaveLength(100);
  const { NextContinuationToken: ContinuationToken } = page;
  expect(await s3.call("ListBucketMetricsConfigurations", { Bucket, ContinuationToken })).toEqual({
    IsTruncated: false,
    ContinuationToken,
    MetricsConfigurationList: [{ Id: "id-100", Filter: { Prefix: "p/" } }],
  });
  await configure("id-100");
  expect(await s3.call("GetBucketMetricsConfiguration", { Bucket, Id: "id-100" })).toEqual({
    MetricsConfiguration: { Id: "id-100" },
  });
  await s3.call("DeleteBucketMetricsConfiguration", { Bucket, Id: "id-100" });
  for (const operation of ["GetBucketMetricsConfiguration", "DeleteBucketMetricsConfiguration"] as const)
    expect(await failure(s3.call(operation, { Bucket, Id: "id-100" }))).toMatchObject({
      code: "NoSuchConfiguration",
      status: 404,
    });
  const MetricsConfiguration = { Id: "x", Filter: { Tag: { Key: "a", Value: "b" } } };
  const refused = s3.call("PutBucketMetricsConfiguration", { Bucket, Id: "x", MetricsConfiguration });
  expect((await failure(refused)).code).toBe("NotImplemented");
});

test("what buckets hold is reported once a day, by storage class, with old versions", async () => {
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await s3.call("PutBucketVersioning", { Bucket, VersioningConfiguration });
  await s3.call("PutObject", { Bucket, Key: "a", Body: "12345" });
  await s3.call("PutObject", { Bucket, Key: "a", Body: "123" });
  await s3.call("PutObject", { Bucket, Key: "b", Body: "12", StorageClass: "STANDARD_IA" });
  await s3.call("DeleteObject", { Bucket, Key: "b" });
  await s3.call("CreateBucket", { Bucket: "empty-bucket" });
  const { clock, metrics } = s3;
  const caller = { call: () => Promise.resolve({}) };
  const onError = (error: unknown) => s3.problems.push(error);
  const report = () =>
    new StorageMetrics({ ...storage(), clock, ids: systemIds, caller, metrics, onError }).report();
  await report();
  const expected = {
    StandardStorage: { BucketSizeBytes: [8, 1] },
    StandardIAStorage: { BucketSizeBytes: [2, 1] },
    AllStorageTypes: { NumberOfObjects: [4, 1] },
  };
  expect(recorded("StorageType")).toEqual(expected);
  clock.advance(DAY - 1);
  await report();
  expect(recorded("StorageType")).toEqual({});
  clock.advance(1);
  await report();
  expect(recorded("StorageType")).toEqual(expected);
});
