import { CloudWatchLogsClient, CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { thaw } from "../cli/support.ts";
import { create, lambdaFor, logged, until } from "../lifecycle/support.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";

const SAYS = `exports.handler = async (said) => { console.log("said", said); return said; };`;
const BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
const ON = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/";

let platform: TestPlatform;
let lambda: LambdaClient;
let iam: IAMClient;

async function start(flags: readonly string[] = []): Promise<void> {
  platform = await startPlatform(flags);
  lambda = lambdaFor(platform.url);
  iam = new IAMClient(clientFor(platform.url));
}

async function stop(): Promise<void> {
  lambda.destroy();
  iam.destroy();
  expect(await platform.stop()).toBe(0);
}

/** A function with a role of its own that may do these actions and nothing else. */
async function withRole(name: string, ...Action: string[]): Promise<void> {
  const Statement = {
    Effect: "Allow",
    Principal: { Service: "lambda.amazonaws.com" },
    Action: "sts:AssumeRole",
  };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument }));
  if (Action.length > 0) await allow(name, Action);
  await create(lambda, name, SAYS, { Role: `arn:aws:iam::000000000000:role/${name}` });
}

async function allow(name: string, Action: readonly string[]): Promise<void> {
  const Statement = { Effect: "Allow", Action, Resource: `${ON}${name}:*` };
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: "logs", PolicyDocument }));
}

/** Invokes, and tells the end of the log that Invoke answers with. */
async function say(name: string, said: string): Promise<string> {
  const request = { FunctionName: name, Payload: JSON.stringify(said), LogType: "Tail" } as const;
  const { LogResult = "", FunctionError } = await lambda.send(new InvokeCommand(request));
  expect(FunctionError).toBeUndefined();
  return Buffer.from(LogResult, "base64").toString();
}

const warnings = (name: string) =>
  platform
    .errors()
    .split("\n")
    .filter((line) => line.includes(`the log of ${name} is not kept`));

describe("what a function prints, by what its role may", () => {
  beforeAll(async () => {
    await start();
    await withRole("witness", "logs:*");
  });
  afterAll(stop);

  /** Waits until all that was printed so far was kept or let go of: lines are taken in their order. */
  async function taken(said: string): Promise<void> {
    await say("witness", said);
    await until(async () =>
      expect((await logged(platform.url, "witness")).join("")).toContain(`said ${said}`),
    );
  }

  it("is kept nowhere where the role may nothing; Invoke tells it whole, and the platform why", async () => {
    await withRole("may-nothing");
    const tail = await say("may-nothing", "first");
    expect(tail).toMatch(/^START [^]*said first[^]*\nREPORT /);
    await until(() => expect(warnings("may-nothing")).toHaveLength(1));
    await say("may-nothing", "second");
    await taken("after the second");
    const { code, stderr } = await thaw(["logs", "may-nothing", "--endpoint", platform.url]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        "thaw: What is logged to /aws/lambda/may-nothing is not kept: arn:aws:iam::000000000000:role/may-nothing may not " +
        "logs:CreateLogGroup. The policy AWSLambdaBasicExecutionRole lets it.\n",
    });
    // Lines of before are gone, as in AWS; the next ones are kept.
    await iam.send(new AttachRolePolicyCommand({ RoleName: "may-nothing", PolicyArn: BASIC }));
    await say("may-nothing", "third");
    await until(async () =>
      expect((await logged(platform.url, "may-nothing")).join("")).toContain("said third"),
    );
    expect((await logged(platform.url, "may-nothing")).join("")).not.toMatch(/first|second/);
    expect(warnings("may-nothing")).toHaveLength(1);
  });

  it("is kept without logs:CreateLogGroup where the group is there", async () => {
    await withRole("no-group", "logs:CreateLogStream", "logs:PutLogEvents");
    const logs = new CloudWatchLogsClient(clientFor(platform.url));
    await logs.send(new CreateLogGroupCommand({ logGroupName: "/aws/lambda/no-group" }));
    logs.destroy();
    await say("no-group", "kept");
    await until(async () => expect((await logged(platform.url, "no-group")).join("")).toContain("said kept"));
    expect(warnings("no-group")).toEqual([]);
  });

  it("has a group and no stream without logs:CreateLogStream", async () => {
    await withRole("no-stream", "logs:CreateLogGroup", "logs:PutLogEvents");
    await say("no-stream", "lost");
    await until(() => expect(warnings("no-stream")).toHaveLength(1));
    const { code, stderr } = await thaw(["logs", "no-stream", "--endpoint", platform.url]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/may not logs:CreateLogStream/);
  });

  it("is let go of from the next line on when the permission is revoked", async () => {
    await withRole("revoked", "logs:*");
    await say("revoked", "kept");
    await until(async () => expect((await logged(platform.url, "revoked")).join("")).toContain("said kept"));
    await iam.send(new DeleteRolePolicyCommand({ RoleName: "revoked", PolicyName: "logs" }));
    await say("revoked", "lost");
    await taken("after what was lost");
    await until(() => expect(warnings("revoked")).toHaveLength(1));
    await allow("revoked", ["logs:*"]);
    await say("revoked", "again");
    await until(async () => expect((await logged(platform.url, "revoked")).join("")).toContain("said again"));
    expect((await logged(platform.url, "revoked")).join("")).not.toContain("said lost");
  });
});

it.each([
  ["audit", 1],
  ["off", 0],
])("is kept whatever the role may under --iam %s", async (mode, told) => {
  await start(["--iam", mode]);
  await withRole("free");
  await say("free", "kept");
  await until(async () => expect((await logged(platform.url, "free")).join("")).toContain("said kept"));
  await say("free", "more");
  await until(async () => expect((await logged(platform.url, "free")).join("")).toContain("said more"));
  const denials = platform.errors().match(/would be denied: .*logs:PutLogEvents/g) ?? [];
  expect(denials).toHaveLength(told);
  await stop();
});
