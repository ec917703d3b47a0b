import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { LambdaClient, ListFunctionsCommand, ListLayersCommand } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { ensureBuilt } from "../support/built.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { policyDocument, sessionOf } from "../support/principals.ts";
import { awsVariables, run } from "../support/tools.ts";

async function createRole(iam: IAMClient, RoleName: string): Promise<void> {
  const trust = { Effect: "Allow", Principal: { AWS: "000000000000" }, Action: "sts:AssumeRole" };
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policyDocument(trust) }));
}

describe("thaw iam", () => {
  let platform: TestPlatform;
  let iam: IAMClient;
  beforeAll(async () => {
    platform = await startPlatform();
    iam = new IAMClient(clientFor(platform.url));
  });
  afterAll(() => platform.stop());

  const thaw = async (...words: string[]) =>
    run(process.execPath, [join(await ensureBuilt(), "main.js"), "iam", ...words], {
      env: awsVariables(platform.url),
    });

  it("suggests the smallest policy for what was used, and puts it in place", async () => {
    await createRole(iam, "worker");
    const attached = { RoleName: "worker", PolicyArn: "arn:aws:iam::aws:policy/AmazonSQSFullAccess" };
    await iam.send(new AttachRolePolicyCommand(attached));
    const PolicyDocument = policyDocument({
      Effect: "Allow",
      Action: ["lambda:List*", "s3:*"],
      Resource: "*",
    });
    await iam.send(new PutRolePolicyCommand({ RoleName: "worker", PolicyName: "inline", PolicyDocument }));
    const root = new SQSClient(clientFor(platform.url));
    const { QueueUrl } = await root.send(new CreateQueueCommand({ QueueName: "q" }));
    const session = await sessionOf(platform.url, "worker");
    await new SQSClient(session).send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
    await new LambdaClient(session).send(new ListFunctionsCommand({}));

    const policy = {
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: ["lambda:ListFunctions"], Resource: ["*"] },
        { Effect: "Allow", Action: ["sqs:sendmessage"], Resource: ["arn:aws:sqs:us-east-1:000000000000:q"] },
      ],
    };
    const { stdout } = await thaw("suggest", "worker", "--json");
    expect(JSON.parse(stdout)).toEqual({
      policy,
      unused: [{ policy: "inline", action: "s3:*", resource: "*" }],
    });
    const told = await thaw("suggest", "worker", "--apply");
    expect(told.stdout).toContain("- s3:* on * (inline), never used");
    expect(told.stdout).toContain("+ lambda:ListFunctions on *");
    const left = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName: "worker" }));
    expect(left.AttachedPolicies).toEqual([]);
    await new SQSClient(session).send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
    await expect(new LambdaClient(session).send(new ListLayersCommand({}))).rejects.toThrow("not authorized");
  });

  it("explains a denial: what was looked at, and what was missing", async () => {
    await createRole(iam, "curious");
    const Condition = { StringEquals: { "aws:RequestedRegion": "eu-west-1" } };
    const PolicyDocument = policyDocument({
      Sid: "Abroad",
      Effect: "Allow",
      Action: "lambda:*",
      Resource: "*",
      Condition,
    });
    await iam.send(new PutRolePolicyCommand({ RoleName: "curious", PolicyName: "abroad", PolicyDocument }));
    const session = await sessionOf(platform.url, "curious");
    await expect(new LambdaClient(session).send(new ListFunctionsCommand({}))).rejects.toThrow(
      "not authorized",
    );
    const { stdout } = await thaw("explain", "curious");
    expect(stdout).toContain(
      "assumed-role/curious/session is not authorized to perform: lambda:ListFunctions on resource: * because no identity-based policy allows",
    );
    expect(stdout).toContain(
      "identity: abroad, statement Abroad (Allow): condition StringEquals aws:RequestedRegion",
    );
    expect(stdout).toContain('missing: {"Effect":"Allow","Action":"lambda:ListFunctions","Resource":"*"}');
  });
});

describe("--iam", () => {
  it("audit allows, and tells what would be denied", async () => {
    const platform = await startPlatform(["--iam", "audit", "--log-json"]);
    try {
      await createRole(new IAMClient(clientFor(platform.url)), "worker");
      const session = await sessionOf(platform.url, "worker");
      await expect(new LambdaClient(session).send(new ListFunctionsCommand({}))).resolves.toMatchObject({
        Functions: [],
      });
      await expect
        .poll(() => platform.errors())
        .toContain('"missing":{"Effect":"Allow","Action":"lambda:ListFunctions"');
      expect(platform.errors()).toContain(
        '"principal":"arn:aws:sts::000000000000:assumed-role/worker/session"',
      );
    } finally {
      await platform.stop();
    }
  });

  it("off asks nobody", async () => {
    const platform = await startPlatform(["--iam", "off"]);
    try {
      await createRole(new IAMClient(clientFor(platform.url)), "worker");
      const session = await sessionOf(platform.url, "worker");
      await expect(new LambdaClient(session).send(new ListFunctionsCommand({}))).resolves.toMatchObject({
        Functions: [],
      });
    } finally {
      await platform.stop();
    }
  });
});
