import { InvokeCommand, type LambdaClient, ListTagsCommand } from "@aws-sdk/client-lambda";
import { CloudFormationClient, ListStacksCommand } from "@aws-sdk/client-cloudformation";
import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { EventBridgeClient, ListRulesCommand } from "@aws-sdk/client-eventbridge";
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { create, HELLO, lambdaFor, until } from "./support.ts";

let platform: TestPlatform;
let lambda: LambdaClient;

beforeAll(async () => {
  platform = await startPlatform(["--log-level", "info"]);
  lambda = lambdaFor(platform.url);
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
});

it("tells a visitor what this is, and leaves a signed GET / to AWS", async () => {
  const visit = await fetch(platform.url);
  expect(visit.status).toBe(200);
  expect(await visit.text()).toMatch(/^Thaw \d+\.\d+\.\d+ .*\n/);
  const { Buckets } = await new S3Client(clientFor(platform.url)).send(new ListBucketsCommand({}));
  expect(Buckets).toEqual([]);
});

it("tells clients of services that are not here so, in a form that each reads", async () => {
  const settings = clientFor(platform.url);
  const refusals: readonly [name: string, code: string, ask: () => Promise<unknown>][] = [
    ["ec2", "NotImplemented", () => new EC2Client(settings).send(new DescribeInstancesCommand({}))],
    [
      "cloudformation",
      "NotImplemented",
      () => new CloudFormationClient(settings).send(new ListStacksCommand({})),
    ],
    [
      "events",
      "NotImplementedException",
      () => new EventBridgeClient(settings).send(new ListRulesCommand({})),
    ],
  ];
  for (const [service, name, ask] of refusals)
    await expect(ask()).rejects.toMatchObject({
      name,
      message: expect.stringContaining(`The service ${service} is not available here`),
      $metadata: { httpStatusCode: 501 },
    });
});

it("logs one line a request, without payloads and credentials", async () => {
  await create(lambda, "hello", HELLO);
  const { $metadata } = await lambda.send(
    new InvokeCommand({ FunctionName: "hello", Payload: Buffer.from('{"password":"hunter2"}') }),
  );
  await expect(lambda.send(new ListTagsCommand({ Resource: "arn:wrong" }))).rejects.toThrow();
  await until(() => expect(platform.errors()).toContain("lambda.ListTags"));
  const lines = platform.errors().trimEnd().split("\n");
  for (const line of lines)
    expect(line).toMatch(/^[\d:.]{12} info {2}[A-Z]+ \S+ \d{3} \d+\.\d ms [\da-f-]{36}$/);
  const invoke = lines.filter((line) => line.includes(" POST lambda.Invoke 200 "));
  expect(invoke).toHaveLength(1);
  expect(invoke[0]).toContain($metadata.requestId);
  expect(lines.some((line) => / GET lambda\.ListTags 4\d\d /.test(line))).toBe(true);
  expect(platform.errors()).not.toMatch(/hunter2|AWS4|Signature/);
});
