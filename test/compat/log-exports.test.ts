import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  CloudWatchLogsClient,
  CreateExportTaskCommand,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeExportTasksCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { until } from "../lifecycle/support.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";

/** As AWS's user guide has it ("Exporting log data to Amazon S3"). */
const POLICY = {
  Version: "2012-10-17",
  Statement: [
    {
      Action: "s3:GetBucketAcl",
      Effect: "Allow",
      Resource: "arn:aws:s3:::exports",
      Principal: { Service: "logs.us-east-1.amazonaws.com" },
    },
    {
      Action: "s3:PutObject",
      Effect: "Allow",
      Resource: "arn:aws:s3:::exports/*",
      Principal: { Service: "logs.us-east-1.amazonaws.com" },
      Condition: {
        StringEquals: {
          "s3:x-amz-acl": "bucket-owner-full-control",
          "aws:SourceAccount": ["000000000000"],
        },
        ArnLike: { "aws:SourceArn": ["arn:aws:logs:us-east-1:000000000000:log-group:*"] },
      },
    },
  ],
};

let data: string;
let platform: TestPlatform;
let logs: CloudWatchLogsClient;
let s3: S3Client;

async function start() {
  platform = await startPlatform(["--data", data]);
  logs = new CloudWatchLogsClient(clientFor(platform.url));
  s3 = new S3Client({ ...clientFor(platform.url), forcePathStyle: true });
}

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "thaw-exports-"));
  await start();
});
afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
  await rm(data, { recursive: true });
});

it("exports a log group to a bucket whose policy lets CloudWatch Logs in", async () => {
  const group = { logGroupName: "/exported" };
  await logs.send(new CreateLogGroupCommand(group));
  await logs.send(new CreateLogStreamCommand({ ...group, logStreamName: "a/b" }));
  const timestamp = Date.now();
  const logEvents = [{ timestamp, message: "hello" }];
  await logs.send(new PutLogEventsCommand({ ...group, logStreamName: "a/b", logEvents }));
  await s3.send(new CreateBucketCommand({ Bucket: "exports" }));
  const create = new CreateExportTaskCommand({
    ...group,
    from: timestamp - 1000,
    to: timestamp + 1000,
    destination: "exports",
  });
  await expect(logs.send(create)).rejects.toThrow("GetBucketAcl call on the given bucket failed.");
  await s3.send(new PutBucketPolicyCommand({ Bucket: "exports", Policy: JSON.stringify(POLICY) }));
  const { taskId } = await logs.send(create);
  // It may be over by then; if not, it goes on after the restart.
  expect(await platform.stop()).toBe(0);
  await start();
  await until(async () => {
    const { exportTasks } = await logs.send(new DescribeExportTasksCommand({ taskId }));
    expect(exportTasks?.[0]?.status).toEqual({ code: "COMPLETED", message: "Completed successfully" });
  });
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: "exports" }));
  const Key = `exportedlogs/${taskId}/a-b/000000.gz`;
  expect(Contents?.map((object) => object.Key).toSorted()).toEqual(
    [Key, "exportedlogs/aws-logs-write-test"].toSorted(),
  );
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: "exports", Key }));
  const text = gunzipSync((await Body?.transformToByteArray()) ?? new Uint8Array());
  expect(text.toString()).toBe(`${new Date(timestamp).toISOString()} hello\n`);
});
