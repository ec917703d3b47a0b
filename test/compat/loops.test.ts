// "approximately 16 times": AWS Lambda Developer Guide, "Use Lambda recursive loop detection to prevent infinite loops".
import {
  AddPermissionCommand,
  type LambdaClient,
  PutFunctionEventInvokeConfigCommand,
} from "@aws-sdk/client-lambda";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create, invoke, lambdaFor, logged, until } from "../lifecycle/support.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";

const Role = "arn:aws:iam::000000000000:role/loops";

let platform: TestPlatform;
let lambda: LambdaClient;
let sqs: SQSClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = lambdaFor(platform.url);
  sqs = new SQSClient(clientFor(platform.url));
  const iam = new IAMClient(clientFor(platform.url));
  const document = (Statement: object) => JSON.stringify({ Version: "2012-10-17", Statement });
  const trust = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
  await iam.send(new CreateRoleCommand({ RoleName: "loops", AssumeRolePolicyDocument: document(trust) }));
  const Action = ["logs:*", "sns:Publish", "s3:PutObject", "sqs:SendMessage"];
  const PolicyDocument = document({ Effect: "Allow", Action, Resource: "*" });
  await iam.send(new PutRolePolicyCommand({ RoleName: "loops", PolicyName: "all", PolicyDocument }));
  iam.destroy();
});

afterAll(async () => {
  lambda.destroy();
  sqs.destroy();
  expect(await platform.stop()).toBe(0);
});

/** A function that is told of its rounds, and whose stopped event goes to a queue. @returns how many came there */
async function looping(name: string, source: string, principal: string): Promise<() => Promise<number>> {
  await create(lambda, name, source, { Role, Timeout: 10, MemorySize: 1769 });
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: name,
      StatementId: "loop",
      Action: "lambda:InvokeFunction",
      Principal: principal,
    }),
  );
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: `${name}-stopped` }));
  const OnFailure = { Destination: `arn:aws:sqs:us-east-1:000000000000:${name}-stopped` };
  await lambda.send(
    new PutFunctionEventInvokeConfigCommand({ FunctionName: name, DestinationConfig: { OnFailure } }),
  );
  // Its SDK is loaded before an event waits for it.
  await invoke(lambda, name, { warm: true });
  return async () => {
    const AttributeNames = ["ApproximateNumberOfMessages"] as const;
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }),
    );
    return Number(Attributes?.ApproximateNumberOfMessages);
  };
}

async function rounds(name: string): Promise<number> {
  return (await logged(platform.url, name)).filter((line) => line.includes("round")).length;
}

describe("a function that sets off what it is invoked by is stopped after sixteen rounds", () => {
  it("through a topic", async () => {
    const stopped = await looping(
      "topic-loop",
      `const { SNSClient, PublishCommand } = require("@aws-sdk/client-sns");
      const sns = new SNSClient({});
      exports.handler = async (event) => {
        if (event.warm) return;
        console.log("round");
        const TopicArn = event.Records[0].Sns.TopicArn;
        await sns.send(new PublishCommand({ TopicArn, Message: "on and on" }));
      };`,
      "sns.amazonaws.com",
    );
    const sns = new SNSClient(clientFor(platform.url));
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: "loop" }));
    const Endpoint = "arn:aws:lambda:us-east-1:000000000000:function:topic-loop";
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "lambda", Endpoint }));
    await sns.send(new PublishCommand({ TopicArn, Message: "the first" }));
    sns.destroy();
    await until(async () => expect(await stopped()).toBe(1));
    // And one for the first, which came from outside: it starts the chain.
    await until(async () => expect(await rounds("topic-loop")).toBe(1 + 16));
  });

  it("through a bucket", async () => {
    const stopped = await looping(
      "bucket-loop",
      `const { S3Client, PutObjectCommand } = require("@aws-sdk/client-s3");
      const s3 = new S3Client({ forcePathStyle: true });
      exports.handler = async (event) => {
        if (event.warm) return;
        console.log("round");
        const { bucket, object } = event.Records[0].s3;
        await s3.send(new PutObjectCommand({ Bucket: bucket.name, Key: object.key + "x", Body: "on and on" }));
      };`,
      "s3.amazonaws.com",
    );
    const s3 = new S3Client({ ...clientFor(platform.url), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "loop" }));
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: "loop",
        NotificationConfiguration: {
          LambdaFunctionConfigurations: [
            {
              LambdaFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:bucket-loop",
              Events: ["s3:ObjectCreated:*"],
            },
          ],
        },
      }),
    );
    await s3.send(new PutObjectCommand({ Bucket: "loop", Key: "x", Body: "the first" }));
    s3.destroy();
    await until(async () => expect(await stopped()).toBe(1));
    // And one for the first, which came from outside: it starts the chain.
    await until(async () => expect(await rounds("bucket-loop")).toBe(1 + 16));
  });
});
