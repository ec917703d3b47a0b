import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { expect, it, vi } from "vitest";
import { ManualClock } from "#core/clock";
import { AwsError } from "#core/errors";
import { encodeLogRecord } from "#telemetry/log-record";
import type { CallerIdentity } from "#wire/operation";
import { testCall } from "../../../../test/support/call.ts";
import { createLogsFixture } from "../../../../test/support/logs-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";

const storage = withStorage();

interface Put {
  readonly Bucket: string;
  readonly Key: string;
  readonly Body: Buffer;
  readonly ACL: string;
}

/** A service over the test's storage; S3 is played: it keeps objects, or answers what `refuse` gives for a key. */
function open(clock: ManualClock, objects = new Map<string, string>()) {
  const by: CallerIdentity[] = [];
  const s3: { refuse: (operation: string, key: string) => unknown } = { refuse: () => undefined };
  const caller = {
    async call(_service: string, operation: string, input: unknown, identity: CallerIdentity) {
      by.push(identity);
      const { Key = "", Body, ACL, Bucket } = input as Partial<Put>;
      const refused = await s3.refuse(operation, Key);
      if (refused !== undefined) throw refused;
      if (operation !== "PutObject" || Body === undefined) return {};
      expect(ACL).toBe("bucket-owner-full-control");
      objects.set(`${Bucket}/${Key}`, Key.endsWith(".gz") ? gunzipSync(Body).toString() : Body.toString());
      return {};
    },
  };
  const { service, ingestion } = createLogsFixture(storage(), clock, caller);
  const ask = async (operation: string, input: object, call = testCall()) =>
    (await service.operations[operation]?.(input as never, call)) as Record<string, never>;
  const put = async (stream: string, at: number, ...messages: readonly string[]) => {
    await ingestion.ensureStream("111111111111", "us-east-1", "/g", stream, at);
    const records = messages.map((message) => ({ time: at, body: encodeLogRecord(at, at, message) }));
    await ingestion.append([{ stream: ["111111111111", "us-east-1", "logs", "/g", stream], records }]);
  };
  const start = async (more: object = {}) => {
    const range = { from: clock.now() - 10_000, to: clock.now() + 10_000 };
    const input = { logGroupName: "/g", destination: "bucket", ...range, ...more };
    const { taskId } = await ask("CreateExportTask", input);
    return String(taskId);
  };
  const task = async (taskId: string) => {
    const { exportTasks } = (await ask("DescribeExportTasks", { taskId })) as unknown as {
      exportTasks: readonly { readonly status: { readonly code: string; readonly message?: string } }[];
    };
    return exportTasks[0];
  };
  const reached = (taskId: string, code: string) =>
    vi.waitFor(async () => expect((await task(taskId))?.status.code).toBe(code), { timeout: 20_000 });
  return { service, ask, put, start, task, reached, objects, by, s3 };
}

it("writes each stream's events of the time that was asked for, in AWS's places", async () => {
  const clock = new ManualClock();
  const { service, ask, put, start, task, reached, objects, by } = open(clock);
  const now = clock.now();
  await put("2026/01/01/[$LATEST]a", now - 20_000, "too old");
  await put("2026/01/01/[$LATEST]a", now, "one", "two\n");
  await put("2026/01/01/[$LATEST]a", now - 5000, "late");
  await put("other", now, "not of the prefix");
  await put("2026/empty", now + 10_001, "too new");
  const taskId = await start({ logStreamNamePrefix: "2026", destinationPrefix: "logs/x", taskName: "t" });
  await reached(taskId, "COMPLETED");
  const line = (at: number, text: string) => `${new Date(at).toISOString()} ${text}\n`;
  expect(Object.fromEntries(objects)).toEqual({
    "bucket/logs/x/aws-logs-write-test": "Permission Check Successful",
    [`bucket/logs/x/${taskId}/2026-01-01-[$LATEST]a/000000.gz`]:
      line(now, "one") + line(now, "two") + line(now - 5000, "late"),
  });
  expect(await task(taskId)).toEqual({
    taskId,
    taskName: "t",
    logGroupName: "/g",
    from: now - 10_000,
    to: now + 10_000,
    destination: "bucket",
    destinationPrefix: "logs/x",
    status: { code: "COMPLETED", message: "Completed successfully" },
    executionInfo: { creationTime: now, completionTime: now },
  });
  expect(by[0]?.principal).toMatchObject({
    kind: "service",
    service: "logs.amazonaws.com",
    sourceArn: "arn:aws:logs:us-east-1:111111111111:log-group:/g:*",
    sourceAccount: "111111111111",
  });
  const second = await start();
  await reached(second, "COMPLETED");
  expect(objects.get(`bucket/exportedlogs/${second}/other/000000.gz`)).toBe(line(now, "not of the prefix"));
  const page = await ask("DescribeExportTasks", { limit: 1 });
  const { nextToken } = page;
  expect(await ask("DescribeExportTasks", { limit: 1, nextToken })).toMatchObject({
    exportTasks: [{ status: { code: "COMPLETED" } }],
  });
  expect(await ask("DescribeExportTasks", { statusCode: "FAILED" })).toEqual({ exportTasks: [] });
  await service.close();
});

it("has one task at a time an account, which can be cancelled", async () => {
  const clock = new ManualClock();
  const { service, ask, put, start, task, reached, objects, s3 } = open(clock);
  await put("s", clock.now(), "one");
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  s3.refuse = (_operation, key) => (key.endsWith(".gz") ? held : undefined);
  const taskId = await start();
  await reached(taskId, "RUNNING");
  await expect(start()).rejects.toMatchObject({ code: "LimitExceededException" });
  await ask("CancelExportTask", { taskId });
  expect(await task(taskId)).toMatchObject({ status: { code: "CANCELLED" } });
  const other = await start();
  release();
  await reached(other, "COMPLETED");
  expect((await task(taskId))?.status.code).toBe("CANCELLED");
  expect(objects.has(`bucket/exportedlogs/${other}/s/000000.gz`)).toBe(true);
  await expect(ask("CancelExportTask", { taskId })).rejects.toMatchObject({
    code: "InvalidOperationException",
  });
  await expect(ask("CancelExportTask", { taskId: "no-task" })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
  await service.close();
});

it("goes on after a stop with the stream that it was at", async () => {
  const clock = new ManualClock();
  const first = open(clock);
  for (const stream of ["a", "b", "c"]) await first.put(stream, clock.now(), stream);
  let asked: () => void = () => undefined;
  const reachedB = new Promise<void>((resolve) => (asked = resolve));
  let release: () => void = () => undefined;
  first.s3.refuse = (_operation, key) => {
    if (!key.endsWith("b/000000.gz")) return undefined;
    asked();
    return new Promise((resolve) => {
      release = () => resolve(new AwsError("ServiceUnavailable", "stopping", { status: 503 }));
    });
  };
  const taskId = await first.start();
  await reachedB;
  const closed = first.service.close();
  release();
  await closed;
  expect((await first.task(taskId))?.status.code).toBe("RUNNING");
  expect([...first.objects.keys()].filter((key) => key.endsWith(".gz"))).toHaveLength(1);
  const second = open(clock);
  second.service.start();
  await second.reached(taskId, "COMPLETED");
  expect([...second.objects.keys()]).toEqual(
    ["b", "c"].map((name) => `bucket/exportedlogs/${taskId}/${name}/000000.gz`),
  );
  await second.start();
  await second.service.close();
});

it("refuses buckets that do not let it in, as AWS does, and fails where one no longer does", async () => {
  const clock = new ManualClock();
  const { service, put, start, task, reached, s3 } = open(clock);
  await put("s", clock.now(), "one");
  const denied = new AwsError("AccessDenied", "Access Denied", { status: 403 });
  s3.refuse = () => new AwsError("NoSuchBucket", "no", { status: 404 });
  await expect(start()).rejects.toThrow(
    "The given bucket does not exist. Please make sure the bucket is valid.",
  );
  s3.refuse = () => denied;
  await expect(start()).rejects.toThrow("GetBucketAcl call on the given bucket failed.");
  s3.refuse = (operation) => (operation === "PutObject" ? denied : undefined);
  await expect(start()).rejects.toMatchObject({
    code: "InvalidParameterException",
    message:
      "PutObject call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.",
  });
  s3.refuse = (_operation, key) => (key.endsWith(".gz") ? denied : undefined);
  const taskId = await start();
  await reached(taskId, "FAILED");
  expect(await task(taskId)).toMatchObject({ status: { message: "Access Denied" } });
  await expect(start({ logGroupName: "/missing" })).rejects.toThrow(
    "The specified log group does not exist.",
  );
  await expect(start({ from: 2, to: 1 })).rejects.toMatchObject({ code: "InvalidParameterException" });
  await service.close();
});

it("cuts long streams into objects of bounded size", async () => {
  const clock = new ManualClock();
  const { service, put, start, reached, objects } = open(clock);
  // That gzip makes little smaller.
  const lines = Array.from({ length: 15 }, () => randomBytes(750_000).toString("base64"));
  for (const line of lines) await put("s", clock.now(), line);
  const taskId = await start();
  await reached(taskId, "COMPLETED");
  const parts = ["000000", "000001"].map((name) => objects.get(`bucket/exportedlogs/${taskId}/s/${name}.gz`));
  const found = parts.map((part) => part?.match(/\S+(?=\n)/g) ?? []);
  expect(found.flat()).toEqual(lines);
  expect(found.every((of) => of.length > 0)).toBe(true);
  await service.close();
});
