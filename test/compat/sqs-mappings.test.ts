import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingRequest,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  type LambdaClient,
  PutFunctionEventInvokeConfigCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { invoke, lambdaFor, logged, send, until, create as createWith } from "../lifecycle/support.ts";
import { packages } from "../support/packages.ts";
import { awsVariables, run, works } from "../support/tools.ts";
import { zipOf } from "../support/zip.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";

/** Tells each record of each event, one line an event. */
const TELLS = `exports.handler = async (event) => {
  console.log("event", JSON.stringify(event));
};`;

const ROLE_NAME = "events";
const Role = `arn:aws:iam::000000000000:role/${ROLE_NAME}`;

let platform: TestPlatform;
let lambda: LambdaClient;
let sqs: SQSClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = lambdaFor(platform.url);
  sqs = new SQSClient(clientFor(platform.url));
  await makeRole();
});
afterAll(async () => {
  lambda.destroy();
  sqs.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).not.toMatch(/error/i);
});

/** What AWS's guide says that functions behind queues need, and those that send to them. */
async function makeRole(): Promise<void> {
  const iam = new IAMClient(clientFor(platform.url));
  const document = (Statement: object) => JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(
    new CreateRoleCommand({
      RoleName: ROLE_NAME,
      AssumeRolePolicyDocument: document({
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: "sts:AssumeRole",
      }),
    }),
  );
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: ROLE_NAME,
      PolicyName: "events",
      PolicyDocument: document({
        Effect: "Allow",
        Action: [
          "logs:*",
          "sqs:ReceiveMessage",
          "sqs:DeleteMessage",
          "sqs:GetQueueAttributes",
          "sqs:SendMessage",
        ],
        Resource: "*",
      }),
    }),
  );
  iam.destroy();
}

const create: typeof createWith = (client, name, source, settings) =>
  createWith(client, name, source, { Role, ...settings });

interface Queue {
  readonly url: string;
  readonly arn: string;
}

async function queue(name: string, attributes: Record<string, string> = {}): Promise<Queue> {
  const { QueueUrl: url = "" } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: "60", ...attributes } }),
  );
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] }),
  );
  return { url, arn: Attributes?.QueueArn ?? "" };
}

async function map(
  FunctionName: string,
  { arn }: Queue,
  settings: Partial<CreateEventSourceMappingRequest> = {},
): Promise<string> {
  const created = await lambda.send(
    new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn: arn, ...settings }),
  );
  expect(created.State).toBe("Creating");
  return created.UUID ?? "";
}

interface SqsEvent {
  readonly Records?: { readonly body: string; readonly [member: string]: unknown }[];
}

/** The events that a function told of. */
async function events(name: string): Promise<readonly SqsEvent[]> {
  const lines = await logged(platform.url, name);
  return lines
    .map((line) => /event (\{.*\})\s*$/s.exec(line)?.[1])
    .filter((json) => json !== undefined)
    .map((json) => JSON.parse(json) as SqsEvent);
}

const bodies = async (name: string): Promise<string[]> =>
  (await events(name)).flatMap(({ Records = [] }) => Records.map(({ body }) => body));

const left = async ({ url }: Queue): Promise<number> => {
  const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...names] }),
  );
  return names.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
};

describe("a mapping to a queue", () => {
  it("gives the function what was sent, as AWS writes it, and empties the queue", async () => {
    const source = await queue("plain");
    await create(lambda, "plain", TELLS, { Timeout: 10 });
    const uuid = await map("plain", source);
    const sent = await sqs.send(
      new SendMessageCommand({
        QueueUrl: source.url,
        MessageBody: "hello",
        MessageAttributes: {
          title: { DataType: "String", StringValue: "The Whistler" },
          bytes: { DataType: "Binary", BinaryValue: Buffer.from([0, 1, 2]) },
        },
      }),
    );
    await until(async () => expect(await bodies("plain")).toEqual(["hello"]));
    const [event] = await events("plain");
    expect(event?.Records).toEqual([
      {
        messageId: sent.MessageId,
        receiptHandle: expect.any(String),
        body: "hello",
        attributes: {
          ApproximateReceiveCount: "1",
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: expect.any(String),
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
        },
        messageAttributes: {
          title: {
            stringValue: "The Whistler",
            stringListValues: [],
            binaryListValues: [],
            dataType: "String",
          },
          bytes: { binaryValue: "AAEC", stringListValues: [], binaryListValues: [], dataType: "Binary" },
        },
        md5OfMessageAttributes: sent.MD5OfMessageAttributes,
        md5OfBody: sent.MD5OfMessageBody,
        eventSource: "aws:sqs",
        eventSourceARN: source.arn,
        awsRegion: "us-east-1",
      },
    ]);
    await until(async () => expect(await left(source)).toBe(0));
    expect(await lambda.send(new GetEventSourceMappingCommand({ UUID: uuid }))).toMatchObject({
      State: "Enabled",
      StateTransitionReason: "USER_INITIATED",
    });
  });

  it("takes nothing while it is disabled, and goes on when it is enabled", async () => {
    const source = await queue("switched");
    await create(lambda, "switched", TELLS, { Timeout: 10 });
    const UUID = await map("switched", source, { Enabled: false });
    await sqs.send(new SendMessageCommand({ QueueUrl: source.url, MessageBody: "waits" }));
    expect(await left(source)).toBe(1);
    expect((await lambda.send(new GetEventSourceMappingCommand({ UUID }))).State).toBe("Disabled");
    const enabled = await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
    expect(enabled.State).toBe("Enabling");
    await until(async () => expect(await bodies("switched")).toEqual(["waits"]));
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
    await sqs.send(new SendMessageCommand({ QueueUrl: source.url, MessageBody: "stays" }));
    await until(async () => expect(await left(source)).toBe(1));
  });

  it("shows failures again after the visibility timeout, and lets the redrive policy end it", async () => {
    const dead = await queue("dead");
    const source = await queue("failing", {
      VisibilityTimeout: "3",
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 }),
    });
    const FAILS = TELLS.replace("};", 'throw new Error("no"); };');
    await create(lambda, "failing", FAILS, { Timeout: 3 });
    await invoke(lambda, "failing");
    await map("failing", source);
    await sqs.send(new SendMessageCommand({ QueueUrl: source.url, MessageBody: "bad" }));
    await until(async () => expect(await left(dead)).toBe(1));
    await until(async () => {
      const counts = (await events("failing"))
        .filter(({ Records }) => Records !== undefined)
        .map(
          ({ Records: [record] = [] }) =>
            (record?.["attributes"] as Record<string, string> | undefined)?.["ApproximateReceiveCount"],
        );
      expect(counts).toEqual(["1", "2"]);
    });
  });

  it("keeps the order of a FIFO queue's groups, though batches fail in part", async () => {
    const source = await queue("order.fifo", {
      FifoQueue: "true",
      ContentBasedDeduplication: "true",
      VisibilityTimeout: "3",
    });
    const FAILS_ONCE = `let failed = false;
      exports.handler = async (event) => {
        const at = failed ? -1 : event.Records.findIndex(({ body }) => body === "a2");
        const done = at < 0 ? event.Records : event.Records.slice(0, at);
        for (const { body } of done) console.log("done", body);
        if (at < 0) return { batchItemFailures: [] };
        failed = true;
        return { batchItemFailures: event.Records.slice(at).map((r) => ({ itemIdentifier: r.messageId })) };
      };`;
    await create(lambda, "order", FAILS_ONCE, { Timeout: 3 });
    await invoke(lambda, "order", { Records: [] });
    const Entries = ["a1", "b1", "a2", "a3", "b2", "a4"].map((MessageBody, index) => ({
      Id: String(index),
      MessageBody,
      MessageGroupId: MessageBody.slice(0, 1),
    }));
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: source.url, Entries }));
    await map("order", source, { FunctionResponseTypes: ["ReportBatchItemFailures"], BatchSize: 3 });
    const done = async () =>
      (await logged(platform.url, "order"))
        .map((line) => /done (\w+)/.exec(line)?.[1])
        .filter((body) => body !== undefined);
    await until(async () => expect(await done()).toHaveLength(6));
    const order = await done();
    expect(order.filter((body) => body.startsWith("a"))).toEqual(["a1", "a2", "a3", "a4"]);
    expect(order.filter((body) => body.startsWith("b"))).toEqual(["b1", "b2"]);
  });

  it("filters, in batches that a window gathers", async () => {
    const source = await queue("filtered");
    await create(lambda, "filtered", TELLS, { Timeout: 10 });
    await map("filtered", source, {
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 1,
      FilterCriteria: { Filters: [{ Pattern: '{"body":{"n":[{"numeric":[">=",2]}]}}' }] },
    });
    const Entries = [0, 1, 2, 3].map((n) => ({ Id: String(n), MessageBody: JSON.stringify({ n }) }));
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: source.url, Entries }));
    await until(async () => expect((await bodies("filtered")).toSorted()).toEqual(['{"n":2}', '{"n":3}']));
    await until(async () => expect(await left(source)).toBe(0));
    const [event] = await events("filtered");
    expect(event?.Records?.[0]).toMatchObject({ md5OfMessageAttributes: null });
  });
});

describe("libraries and clients", () => {
  // Powertools' idempotency keeps its records in DynamoDB, which is not here yet.
  it("takes partial failures from Powertools' batch processor", async () => {
    const source = await queue("powertools");
    const code = `import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
      const processor = new BatchProcessor(EventType.SQS);
      const handle = async ({ body }) => {
        if (body === "bad") throw new Error("bad");
        console.log("done", body);
      };
      export const handler = (event, context) => processPartialResponse(event, handle, processor, { context });`;
    const names = [
      "@aws-lambda-powertools/batch",
      "@aws-lambda-powertools/commons",
      "@aws/lambda-invoke-store",
    ];
    const ZipFile = await zipOf({ "index.mjs": code, ...packages(...names) });
    await create(lambda, "powertools", "", { Code: { ZipFile }, Timeout: 30 });
    await map("powertools", source, { FunctionResponseTypes: ["ReportBatchItemFailures"] });
    const Entries = ["good", "bad", "fine"].map((MessageBody, n) => ({ Id: String(n), MessageBody }));
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: source.url, Entries }));
    const done = async () =>
      (await logged(platform.url, "powertools"))
        .map((line) => /done (\w+)/.exec(line)?.[1])
        .filter((text) => text !== undefined);
    await until(async () => expect((await done()).toSorted()).toEqual(["fine", "good"]));
    // What failed is hidden until its visibility timeout is over.
    await until(async () => expect(await left(source)).toBe(1));
  });

  it.skipIf(!works("python3", "-c", "import boto3"))(
    "works with boto3 (needs a python3 that has it)",
    async () => {
      const script = join(import.meta.dirname, "boto3_mapping.py");
      const { code, stdout, stderr } = await run("python3", [script], { env: awsVariables(platform.url) });
      expect(stderr).toBe("");
      expect({ code, last: stdout.trim() }).toEqual({ code: 0, last: "done" });
    },
  );
});

describe("what becomes of asynchronous events", () => {
  it("goes to a queue on success, and to a dead-letter queue where the function fails", async () => {
    const outcomes = await queue("outcomes");
    const dead = await queue("dead-letters");
    const CODE = `exports.handler = async ({ fail }) => {
      if (fail) throw new Error("intentional");
      return { ok: true };
    };`;
    await create(lambda, "outcomes", CODE, { DeadLetterConfig: { TargetArn: dead.arn } });
    await lambda.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: "outcomes",
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnSuccess: { Destination: outcomes.arn } },
      }),
    );
    await send(lambda, "outcomes", { fail: false });
    await send(lambda, "outcomes", { fail: true });
    const receive = async ({ url }: Queue) => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          WaitTimeSeconds: 20,
          MessageAttributeNames: ["All"],
          MessageSystemAttributeNames: ["All"],
        }),
      );
      return Messages[0];
    };
    const record = await receive(outcomes);
    expect(JSON.parse(record?.Body ?? "")).toMatchObject({
      requestContext: { condition: "Success", approximateInvokeCount: 1 },
      requestPayload: { fail: false },
      responsePayload: { ok: true },
    });
    expect(record?.Attributes?.AWSTraceHeader).toMatch(/^Root=1-.*Lineage=/);
    const letter = await receive(dead);
    expect(letter?.Body).toBe('{"fail":true}');
    expect(letter?.MessageAttributes).toMatchObject({
      RequestID: { DataType: "String" },
      ErrorCode: { DataType: "Number", StringValue: "200" },
      ErrorMessage: { StringValue: "intentional" },
    });
  });
});

describe("a function that sends to the queue that it is invoked by", () => {
  it("is stopped after sixteen rounds", async () => {
    const dead = await queue("loop-dead");
    const source = await queue("loop", {
      VisibilityTimeout: "5",
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 }),
    });
    const LOOPS = `const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");
      const sqs = new SQSClient({});
      exports.handler = async ({ Records }) => {
        console.log("round", process.env._X_AMZN_TRACE_ID);
        for (const { body } of Records)
          await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: body }));
      };`;
    await create(lambda, "loop", LOOPS, {
      Timeout: 5,
      MemorySize: 1769,
      Environment: { Variables: { QUEUE: source.url } },
    });
    // Its SDK is loaded before a message waits for it.
    await invoke(lambda, "loop", { Records: [] });
    await map("loop", source);
    await sqs.send(new SendMessageCommand({ QueueUrl: source.url, MessageBody: "round and round" }));
    await until(async () => expect(await left(dead)).toBe(1));
    const rounds = (await logged(platform.url, "loop")).filter((line) => line.includes("round"));
    // And one for the first message, which came from outside: it starts the chain.
    expect(rounds).toHaveLength(1 + 1 + 16);
  });
});
