import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  type LambdaClient,
  PublishLayerVersionCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create, definition, HELLO, invoke, lambdaFor, send, until } from "../lifecycle/support.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { zipOf } from "../support/zip.ts";

const ACCOUNT = "000000000000";
const Role = `arn:aws:iam::${ACCOUNT}:role/sender`;
const FAILS = `exports.handler = async () => { throw new Error("intentional"); };`;

let platform: TestPlatform;
let lambda: LambdaClient;
let s3: S3Client;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = lambdaFor(platform.url);
  s3 = new S3Client({ ...clientFor(platform.url), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: "events" }));
  const iam = new IAMClient(clientFor(platform.url));
  const document = (Statement: object) => JSON.stringify({ Version: "2012-10-17", Statement });
  const Principal = { Service: "lambda.amazonaws.com" };
  const AssumeRolePolicyDocument = document({ Effect: "Allow", Principal, Action: "sts:AssumeRole" });
  await iam.send(new CreateRoleCommand({ RoleName: "sender", AssumeRolePolicyDocument }));
  const Action = ["logs:*", "s3:PutObject", "sns:Publish"];
  const PolicyDocument = document({ Effect: "Allow", Action, Resource: "*" });
  await iam.send(new PutRolePolicyCommand({ RoleName: "sender", PolicyName: "send", PolicyDocument }));
  iam.destroy();
});
afterAll(async () => {
  lambda.destroy();
  s3.destroy();
  expect(await platform.stop()).toBe(0);
});

describe("code in a bucket", () => {
  const put = async (Key: string, files: Record<string, string>) => {
    await s3.send(new PutObjectCommand({ Bucket: "events", Key, Body: await zipOf(files) }));
    return { S3Bucket: "events", S3Key: Key };
  };

  it("becomes a function, its next version and a layer", async () => {
    const first = await put("first.zip", { "index.js": HELLO });
    await lambda.send(new CreateFunctionCommand(await definition("from-bucket", "", { Code: first })));
    await until(async () => expect((await invoke(lambda, "from-bucket", 1)).payload).toEqual({ hello: 1 }));
    const next = await put("next.zip", { "index.js": `exports.handler = async () => "next";` });
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: "from-bucket", ...next }));
    const waiter = { client: lambda, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.2 };
    await waitUntilFunctionUpdatedV2(waiter, { FunctionName: "from-bucket" });
    expect((await invoke(lambda, "from-bucket")).payload).toBe("next");
    const layer = await lambda.send(new PublishLayerVersionCommand({ LayerName: "layer", Content: next }));
    expect(layer.Version).toBe(1);
  });

  it("that is not there is refused in AWS's words", async () => {
    const Code = { S3Bucket: "events", S3Key: "absent.zip" };
    const created = lambda.send(new CreateFunctionCommand(await definition("absent", "", { Code })));
    await expect(created).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message:
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
    });
  });
});

describe("what becomes of events", () => {
  it("is written to a bucket", async () => {
    await create(lambda, "to-bucket", FAILS, { Role });
    await lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: "to-bucket",
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: "arn:aws:s3:::events" } },
      }),
    );
    await send(lambda, "to-bucket", { order: 1 });
    const Prefix = "aws/lambda/async/to-bucket/";
    const keys = async () => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: "events", Prefix }));
      return Contents.map(({ Key }) => Key);
    };
    await until(async () => expect(await keys()).toHaveLength(1));
    const [Key] = await keys();
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "events", Key }));
    expect(JSON.parse((await Body?.transformToString()) ?? "")).toMatchObject({
      requestContext: { condition: "RetriesExhausted" },
      requestPayload: { order: 1 },
      responsePayload: { errorMessage: "intentional" },
    });
  });

  it("is published to a topic, as a record and as a dead letter", async () => {
    const sns = new SNSClient(clientFor(platform.url));
    const sqs = new SQSClient(clientFor(platform.url));
    const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "outcomes" }));
    const Endpoint = `arn:aws:sqs:us-east-1:${ACCOUNT}:outcomes`;
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: {
        Effect: "Allow",
        Principal: { Service: "sns.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: Endpoint,
      },
    });
    const { QueueUrl } = await sqs.send(
      new CreateQueueCommand({ QueueName: "outcomes", Attributes: { Policy } }),
    );
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint }));
    await create(lambda, "to-topic", FAILS, { Role, DeadLetterConfig: { TargetArn: TopicArn } });
    await lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: "to-topic",
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: TopicArn } },
      }),
    );
    await send(lambda, "to-topic", { order: 2 });
    const texts: string[] = [];
    await until(async () => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1, MaxNumberOfMessages: 10 }),
      );
      for (const { Body = "" } of Messages) texts.push((JSON.parse(Body) as { Message: string }).Message);
      expect(texts).toHaveLength(2);
    });
    const [letter, record] = texts.toSorted((a, b) => a.length - b.length);
    expect(JSON.parse(letter ?? "")).toEqual({ order: 2 });
    expect(JSON.parse(record ?? "")).toMatchObject({ requestPayload: { order: 2 } });
    for (const client of [sns, sqs]) client.destroy();
  });

  it("goes nowhere that the function's role may not send to", async () => {
    const created = lambda.send(
      new CreateFunctionCommand(
        await definition("refused", FAILS, {
          Role,
          DeadLetterConfig: { TargetArn: `arn:aws:sqs:us-east-1:${ACCOUNT}:outcomes` },
        }),
      ),
    );
    await expect(created).rejects.toMatchObject({
      message: "The provided execution role does not have permissions to call SendMessage on SQS",
    });
  });
});
