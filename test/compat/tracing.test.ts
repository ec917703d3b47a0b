import { AttachRolePolicyCommand, CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import {
  CreateEventSourceMappingCommand,
  type InvocationType,
  InvokeCommand,
  type LambdaClient,
} from "@aws-sdk/client-lambda";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import {
  BatchGetTracesCommand,
  GetServiceGraphCommand,
  GetTraceSummariesCommand,
  type TraceSummary,
  XRayClient,
} from "@aws-sdk/client-xray";
import { afterAll, beforeAll, expect, it } from "vitest";
import { create, lambdaFor, logged, temporaryFolder, until } from "../lifecycle/support.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";

/** Answers its trace header, or fails. */
const SOURCE = `exports.handler = async ({ fail }) => {
  if (fail) throw new RangeError("too far");
  return process.env._X_AMZN_TRACE_ID;
};`;

interface Document {
  readonly id: string;
  readonly parent_id?: string;
  readonly origin: string;
  readonly fault?: boolean;
  readonly subsegments?: readonly { readonly id: string; readonly name: string }[];
}

const data = temporaryFolder();
let platform: TestPlatform;
let lambda: LambdaClient;
let xray: XRayClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = lambdaFor(platform.url);
  xray = new XRayClient(clientFor(platform.url));
  const TracingConfig = { Mode: "Active" } as const;
  await create(lambda, "traced", SOURCE, { TracingConfig });
  await create(lambda, "passing", SOURCE);
});
afterAll(async () => {
  lambda.destroy();
  xray.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

/** Invokes a function within a trace, or outside of any. */
async function send(
  name: string,
  event: object,
  traceHeader?: string,
  InvocationType: InvocationType = "RequestResponse",
  client = lambda,
) {
  const command = new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event), InvocationType });
  let answered: string | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as { headers: Record<string, string> };
      if (traceHeader !== undefined) request.headers["x-amzn-trace-id"] = traceHeader;
      const result = await next(args);
      answered = (result.response as { headers: Record<string, string> }).headers["x-amzn-trace-id"];
      return result;
    },
    { step: "build" },
  );
  const { Payload, FunctionError, StatusCode } = await client.send(command);
  return { text: Payload?.transformToString() ?? "", FunctionError, StatusCode, answered };
}

async function run(name: string, event: object, traceHeader?: string, client = lambda) {
  const { text, FunctionError, answered } = await send(name, event, traceHeader, "RequestResponse", client);
  return { payload: JSON.parse(text) as unknown, FunctionError, answered };
}

function newRoot(): string {
  const digits = Array.from({ length: 24 }, () => Math.floor(Math.random() * 16).toString(16)).join("");
  return `1-${Math.floor(Date.now() / 1000).toString(16)}-${digits}`;
}

async function summaries(FilterExpression?: string): Promise<readonly TraceSummary[]> {
  const { TraceSummaries = [] } = await xray.send(
    new GetTraceSummariesCommand({ ...lastMinutes(), FilterExpression }),
  );
  return TraceSummaries;
}

function lastMinutes() {
  return { StartTime: new Date(Date.now() - 600_000), EndTime: new Date(Date.now() + 60_000) };
}

async function documents(traceId: string): Promise<readonly Document[]> {
  const { Traces = [] } = await xray.send(new BatchGetTracesCommand({ TraceIds: [traceId] }));
  return (Traces[0]?.Segments ?? []).map(({ Document: text = "" }) => JSON.parse(text) as Document);
}

/** A role for functions with AWS's own policies of these names. @returns its ARN */
async function createRole(RoleName: string, ...policies: string[]): Promise<string> {
  const iam = new IAMClient(clientFor(platform.url));
  const Statement = {
    Effect: "Allow",
    Principal: { Service: "lambda.amazonaws.com" },
    Action: "sts:AssumeRole",
  };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
  for (const name of policies)
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: `arn:aws:iam::aws:policy/${name}` }));
  iam.destroy();
  return `arn:aws:iam::000000000000:role/${RoleName}`;
}

const partsOf = ({ subsegments = [] }: Document) => subsegments.map(({ name }) => name);

it("shows an invocation of an active function, its cold start, and the map of services", async () => {
  const { payload, answered } = await run("traced", {});
  expect(payload).toBe(answered);
  const [, traceId = "", segmentId] =
    /^Root=(1-[0-9a-f]{8}-[0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=1$/.exec(String(payload)) ?? [];
  await until(async () => {
    expect((await summaries('service("traced")')).map(({ Id }) => Id)).toContain(traceId);
  });
  const found = (await summaries()).find(({ Id }) => Id === traceId);
  expect(found).toMatchObject({ HasFault: false, HasError: false, Http: { HttpStatus: 200 } });
  const segments = await documents(traceId);
  const service = segments.find(({ origin }) => origin === "AWS::Lambda");
  const own = segments.find(({ id }) => id === segmentId);
  expect(segments).toHaveLength(2);
  expect(own).toMatchObject({ origin: "AWS::Lambda::Function", parent_id: service?.id });
  expect(own && partsOf(own)).toEqual(["Initialization", "Invocation", "Overhead"]);
  await until(async () => {
    const report = (await logged(platform.url, "traced")).find((line) => line.startsWith("REPORT"));
    expect(report).toContain(`\nXRAY TraceId: ${traceId}\tSegmentId: ${segmentId}\tSampled: true\t\n`);
  });

  const { Services = [] } = await xray.send(new GetServiceGraphCommand(lastMinutes()));
  const typed = (type: string) => Services.find(({ Type }) => Type === type);
  const leads = (from: string, to: string) =>
    typed(from)?.Edges?.some(({ ReferenceId }) => ReferenceId === typed(to)?.ReferenceId);
  expect(leads("client", "AWS::Lambda")).toBe(true);
  expect(leads("AWS::Lambda", "AWS::Lambda::Function")).toBe(true);
});

it("shows a failure as a fault with its cause, within its caller's trace", async () => {
  const root = newRoot();
  const { FunctionError } = await run("passing", { fail: true }, `Root=${root};Sampled=1`);
  expect(FunctionError).toBe("Unhandled");
  await until(async () => {
    expect((await summaries("fault")).map(({ Id }) => Id)).toContain(root);
  });
  const found = (await summaries("fault")).find(({ Id }) => Id === root);
  expect(JSON.stringify(found?.FaultRootCauses)).toContain('"Name":"RangeError","Message":"too far"');
});

it("shows an asynchronous event as accepted, with how long it waited and the try that ran", async () => {
  const root = newRoot();
  const answer = await send("passing", {}, `Root=${root};Sampled=1`, "Event");
  expect(answer.StatusCode).toBe(202);
  await until(async () => {
    const segments = await documents(root);
    const service = segments.find(({ origin }) => origin === "AWS::Lambda");
    const own = segments.find(({ origin }) => origin === "AWS::Lambda::Function");
    expect(service && partsOf(service)).toEqual(["Dwell Time", "Attempt #1"]);
    expect(service).toMatchObject({ http: { response: { status: 202 } } });
    expect(own?.parent_id).toBe(service?.subsegments?.[1]?.id);
  });
});

it("begins a trace of its own with a batch of a queue's messages, linked to the messages'", async () => {
  const sqs = new SQSClient(clientFor(platform.url));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "linked" }));
  const policies = ["service-role/AWSLambdaSQSQueueExecutionRole", "AWSXRayDaemonWriteAccess"];
  const Role = await createRole("batched", ...policies);
  await create(lambda, "batched", SOURCE, { Role, Timeout: 10, TracingConfig: { Mode: "Active" } });
  const EventSourceArn = "arn:aws:sqs:us-east-1:000000000000:linked";
  await lambda.send(new CreateEventSourceMappingCommand({ FunctionName: "batched", EventSourceArn }));
  const root = newRoot();
  const StringValue = `Root=${root};Parent=53995c3f42cd8ad8;Sampled=1`;
  const MessageSystemAttributes = { AWSTraceHeader: { DataType: "String", StringValue } };
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "a", MessageSystemAttributes }));
  sqs.destroy();
  await until(async () => {
    const [found] = await summaries('service("batched")');
    expect(found?.Id).toBeDefined();
    expect(found?.Id).not.toBe(root);
    const own = (await documents(found?.Id ?? "")).find(({ origin }) => origin === "AWS::Lambda::Function");
    expect(own).toMatchObject({ links: [{ trace_id: root, id: "53995c3f42cd8ad8" }] });
  });
});

it("records nothing where the caller does not want it", async () => {
  const [unwanted, wanted] = [newRoot(), newRoot()];
  await run("traced", {}, `Root=${unwanted};Sampled=0`);
  await run("passing", {});
  await run("passing", {}, `Root=${wanted};Sampled=1`);
  await until(async () => {
    expect((await summaries()).map(({ Id }) => Id)).toContain(wanted);
  });
  // What was sent before it would be there by now.
  expect((await summaries()).map(({ Id }) => Id)).not.toContain(unwanted);
});

it("records nothing for a role that may not write it, and the function runs all the same", async () => {
  const Role = await createRole("silent", "service-role/AWSLambdaBasicExecutionRole");
  await create(lambda, "silent", SOURCE, { Role, TracingConfig: { Mode: "Active" } });
  const [silent, told] = [newRoot(), newRoot()];
  const { payload } = await run("silent", {}, `Root=${silent};Sampled=1`);
  expect(payload).toContain(`Root=${silent};Parent=`);
  await run("passing", {}, `Root=${told};Sampled=1`);
  await until(async () => {
    expect((await summaries()).map(({ Id }) => Id)).toContain(told);
  });
  expect((await summaries()).map(({ Id }) => Id)).not.toContain(silent);
});

it("has sent everything before it ends", async () => {
  const root = newRoot();
  const before = await startPlatform(["--data", data]);
  const client = lambdaFor(before.url);
  await create(client, "last", SOURCE);
  await run("last", {}, `Root=${root};Sampled=1`, client);
  client.destroy();
  expect(await before.stop()).toBe(0);
  const after = await startPlatform(["--data", data]);
  const reader = new XRayClient(clientFor(after.url));
  const { Traces = [] } = await reader.send(new BatchGetTracesCommand({ TraceIds: [root] }));
  reader.destroy();
  expect(Traces[0]?.Segments).toHaveLength(2);
  expect(await after.stop()).toBe(0);
});
