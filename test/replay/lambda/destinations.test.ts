import { beforeEach, describe, expect, test } from "vitest";
import { AwsError } from "../../../src/core/errors.ts";
import { servicePrincipal } from "../../../src/core/principal.ts";
import type { InvocationResult, MetricAddress } from "../../../src/engine/contract.ts";
import type { AsyncEvent } from "../../../src/engine/invocation/async-event.ts";
import type { EventOutcome } from "../../../src/engine/invocation/async-outcome.ts";
import {
  ACCOUNT,
  createLambdaFixture,
  errorOf,
  newFunction,
  REGION,
  ROLE,
  type LambdaFixture,
} from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording, type Json } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;
let counted: string[];
const FunctionName = "fn";
const arnOf = (name: string) => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;

beforeEach(async () => {
  counted = [];
  const metrics = {
    series: ({ name, dimensions }: MetricAddress) => ({
      record: () => void counted.push(`${name} ${dimensions["FunctionName"]}`),
      close: () => {},
    }),
  };
  lambda = createLambdaFixture(storage(), { metrics });
  await lambda.create(FunctionName);
  await lambda.create("success");
  await lambda.create("failure");
  await lambda.call("PutFunctionEventInvokeConfig", {
    FunctionName,
    MaximumRetryAttempts: 1,
    MaximumEventAgeInSeconds: 90,
    DestinationConfig: {
      OnSuccess: { Destination: arnOf("success") },
      OnFailure: { Destination: arnOf("failure") },
    },
  });
});

const event = (payload: unknown, requestId = "b8f0dbfa-9c2f-4b5f-8dd6-7a7d6e1c5f10"): AsyncEvent => ({
  account: ACCOUNT,
  region: REGION,
  functionName: FunctionName,
  functionArn: arnOf(FunctionName),
  qualifier: undefined,
  invokedArn: arnOf(FunctionName),
  requestId,
  payload: Buffer.from(JSON.stringify(payload)),
  clientContext: undefined,
  traceHeader: undefined,
});

const last = (response: unknown, functionError?: "Unhandled"): EventOutcome["last"] => {
  const payload = Buffer.from(JSON.stringify(response));
  const result: InvocationResult = { payload, functionError, logTail: undefined };
  return { version: "$LATEST", result };
};

/** The record that a destination was given, with its time as the recorder wrote times. */
function received(): Record<string, Json> {
  const text = Buffer.from(lambda.accepted.at(-1)?.payload ?? []).toString();
  const record = JSON.parse(text) as Record<string, Json> & { timestamp: string };
  return { ...record, timestamp: record.timestamp.replace("Z", "+0000") };
}

/** The same members as recorded, values that change apart. */
async function expectRecord(scenario: string, read: (recording: Recording) => Json): Promise<void> {
  const recording = new Recording("destinations", scenario);
  recording.compare(read(recording), received(), scenario);
}

const bodyOf = (step: Json): Json => (step as { Messages: { Body: Json }[] }).Messages[0]?.Body ?? null;

describe("destinations", () => {
  test("test_invoke_lambda_eventbridge, success", async () => {
    const response = { hello: "world", success: true, test: "abc", val: 5 };
    await lambda.service.asyncEvents.deliver(event({ mode: "success" }), {
      condition: "Success",
      attempts: 1,
      last: last(response),
    });
    expect(lambda.accepted.at(-1)).toMatchObject({ functionName: "success", qualifier: undefined });
    await expectRecord(
      "test_invoke_lambda_eventbridge",
      (recording) => (recording.read("lambda_destination_event_bus_success") as { detail: Json }).detail,
    );
  });

  test("test_assess_lambda_destination_invocation[payload1]", async () => {
    const requestId = "b8f0dbfa-9c2f-4b5f-8dd6-7a7d6e1c5f10";
    const scenario = "test_assess_lambda_destination_invocation[payload1]";
    const recorded = bodyOf(new Recording("destinations", scenario).read("receive_message_result"));
    const { responsePayload } = recorded as { responsePayload: Record<string, Json> };
    const response = { ...responsePayload, requestId };
    await lambda.service.asyncEvents.deliver(event({ raise_error: 1 }, requestId), {
      condition: "RetriesExhausted",
      attempts: 1,
      last: last(response, "Unhandled"),
    });
    expect(lambda.accepted.at(-1)).toMatchObject({ functionName: "failure" });
    await expectRecord(scenario, () => recorded);
  });

  test("an event that was never started has no response to tell of", async () => {
    const outcome = { condition: "EventAgeExceeded", attempts: 0, last: undefined } as const;
    await lambda.service.asyncEvents.deliver(event({}), outcome);
    expect(Object.keys(received()).toSorted()).toEqual([
      "requestContext",
      "requestPayload",
      "timestamp",
      "version",
    ]);
  });

  test("a destination that is gone, or a record that is too large, is counted and let go", async () => {
    const success = { condition: "Success", attempts: 1, last: last("x".repeat(1_048_576)) } as const;
    await lambda.service.asyncEvents.deliver(event({}), success);
    await lambda.call("DeleteFunction", { FunctionName: "success" });
    await lambda.service.asyncEvents.deliver(event({}), { ...success, last: last(1) });
    expect(lambda.accepted).toEqual([]);
    expect(counted).toEqual(["DestinationDeliveryFailures fn", "DestinationDeliveryFailures fn"]);
  });

  test("limits are the function's own, qualifier by qualifier", async () => {
    const { asyncEvents } = lambda.service;
    expect(asyncEvents.limits(event({}))).toEqual({ maxRetries: 1, maxAgeMs: 90_000 });
    expect(asyncEvents.limits({ ...event({}), qualifier: "1" })).toBeUndefined();
    const outcome = { condition: "Success", attempts: 1, last: last(1) } as const;
    expect(asyncEvents.deliver({ ...event({}), qualifier: "1" }, outcome)).toBeUndefined();
  });
});

describe("destinations and dead-letter queues of other services", () => {
  const queue = `arn:aws:sqs:${REGION}:${ACCOUNT}:queue`;
  const topic = `arn:aws:sns:${REGION}:${ACCOUNT}:topic`;
  const QueueUrl = `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/queue`;
  const failed = {
    condition: "RetriesExhausted",
    attempts: 1,
    last: last({ errorMessage: "Test exception (this is intentional)" }, "Unhandled"),
  } as const;
  const sendTo = async (Destination: string, outcome: EventOutcome = failed) => {
    const OnFailure = { Destination };
    await lambda.call("PutFunctionEventInvokeConfig", { FunctionName, DestinationConfig: { OnFailure } });
    lambda.outgoing.length = 0;
    await lambda.service.asyncEvents.deliver(event({ raise_error: 1 }), outcome);
    return lambda.outgoing.at(-1);
  };

  test("a queue gets the record, sent by the function's role, with the trace that it belongs to", async () => {
    const sent = await sendTo(queue);
    expect(sent).toMatchObject({
      service: "sqs",
      operation: "SendMessage",
      input: { QueueUrl, MessageBody: expect.stringContaining('"condition":"RetriesExhausted"') as string },
      by: { region: REGION, principal: { kind: "assumed-role", userId: `AROAEXAMPLE:${FunctionName}` } },
    });
    // Whether that is recorded is left to those that it comes to.
    expect(sent?.by.traceHeader).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Lineage=1:[0-9a-f]{8}:1$/);
    const traceHeader = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    const { version, result } = failed.last ?? {};
    const traced = { version: version ?? "", result: { ...result, traceHeader } as InvocationResult };
    const under = (await sendTo(queue, { ...failed, last: traced }))?.by.traceHeader;
    expect(under?.replace(/[0-9a-f]{8}:1$/, "#")).toBe(`${traceHeader};Lineage=1:#`);
    const { MessageBody } = (sent?.input ?? {}) as { MessageBody: string };
    expect(JSON.parse(MessageBody)).toMatchObject({ requestPayload: { raise_error: 1 } });
  });

  test("a topic gets the record, without what went in and came out where that is too much for it", async () => {
    expect(await sendTo(topic)).toMatchObject({ operation: "Publish", input: { TopicArn: topic } });
    const large = await sendTo(topic, { ...failed, last: last("x".repeat(262_144), "Unhandled") });
    const { Message } = (large?.input ?? {}) as { Message: string };
    expect(Object.keys(JSON.parse(Message) as object)).toEqual([
      "version",
      "timestamp",
      "requestContext",
      "responseContext",
    ]);
  });

  test("a bucket gets the record under a key that tells function and time", async () => {
    expect(await sendTo("arn:aws:s3:::bucket")).toMatchObject({
      operation: "PutObject",
      input: {
        Bucket: "bucket",
        Key: expect.stringMatching(
          /^aws\/lambda\/async\/fn\/2026\/01\/01\/2026-01-01T00\.00\.00-[0-9a-f-]{36}$/,
        ) as string,
      },
      by: { region: REGION },
    });
  });

  test("what cannot be delivered is counted", async () => {
    lambda.answers.set("sqs.SendMessage", new AwsError("QueueDoesNotExist", "The queue is gone."));
    await lambda.call("UpdateFunctionConfiguration", {
      FunctionName,
      DeadLetterConfig: { TargetArn: queue },
    });
    await sendTo(queue);
    expect(counted.toSorted()).toEqual(["DeadLetterErrors fn", "DestinationDeliveryFailures fn"]);
  });

  test("test_sqs_queue_as_lambda_dead_letter_queue", async () => {
    const recording = new Recording("destinations", "test_sqs_queue_as_lambda_dead_letter_queue");
    const configured = lambda.call("UpdateFunctionConfiguration", {
      FunctionName,
      DeadLetterConfig: { TargetArn: queue },
    });
    await recording.expect(
      "lambda-response-dlq-config",
      configured.then(({ DeadLetterConfig }) => DeadLetterConfig),
    );
    await lambda.service.asyncEvents.deliver(event({ raise_error: 1 }), failed);
    const sent = lambda.outgoing.find(({ service }) => service === "sqs")?.input;
    const { MessageBody, MessageAttributes } = sent as { MessageBody: string; MessageAttributes: Json };
    const [recorded] = (recording.read("messages") as { Messages: Record<string, Json>[] }).Messages;
    recording.compare(recorded?.["Body"] ?? null, JSON.parse(MessageBody) as Json, "Body");
    recording.compare(recorded?.["MessageAttributes"] ?? null, MessageAttributes, "MessageAttributes");
  });

  test("a dead-letter topic is told why an event was never started", async () => {
    await lambda.call("UpdateFunctionConfiguration", {
      FunctionName,
      DeadLetterConfig: { TargetArn: topic },
    });
    const refusal = { status: 429, message: "Rate Exceeded." };
    const outcome = { condition: "EventAgeExceeded", attempts: 0, last: undefined, refusal } as const;
    await lambda.service.asyncEvents.deliver(event({}), outcome);
    expect(lambda.outgoing.at(-1)).toMatchObject({
      operation: "Publish",
      input: {
        MessageAttributes: {
          ErrorCode: { DataType: "Number", StringValue: "429" },
          ErrorMessage: { StringValue: "Rate Exceeded." },
        },
      },
    });
    // An empty ARN takes it away again.
    await lambda.service.idle();
    const none = await lambda.call("UpdateFunctionConfiguration", {
      FunctionName,
      DeadLetterConfig: { TargetArn: "" },
    });
    expect(none.DeadLetterConfig).toBeUndefined();
  });

  // As users quote AWS.
  test.each([
    [
      "a queue or a topic",
      () => arnOf("other"),
      "Invalid dead letter queue ARN: The service specified by the TargetArn is not supported for dead letter configuration.",
    ],
    [
      "no FIFO queue",
      () => `${queue}.fifo`,
      "Invalid dead letter queue ARN: FIFO SQS queue is not supported for dead letter configuration",
    ],
  ])("a dead-letter target is %s", async (_, target, message) => {
    const DeadLetterConfig = { TargetArn: target() };
    const refused = { code: "InvalidParameterValueException", message };
    const update = lambda.call("UpdateFunctionConfiguration", { FunctionName, DeadLetterConfig });
    expect(await errorOf(update)).toMatchObject(refused);
    const created = lambda.call("CreateFunction", newFunction("another", { DeadLetterConfig }));
    expect(await errorOf(created)).toMatchObject(refused);
  });

  test("events of a function without concurrency are given up at once", async () => {
    await lambda.call("PutFunctionConcurrency", { FunctionName, ReservedConcurrentExecutions: 0 });
    expect(lambda.service.asyncEvents.limits(event({}))).toMatchObject({ stopped: true });
  });
});

describe("roles that may not send", () => {
  const asked: string[] = [];
  beforeEach(async () => {
    asked.length = 0;
    lambda = createLambdaFixture(storage(), {
      roleMay: ({ name, roleArn }, region, action, resource) => {
        expect([name, roleArn, region]).toEqual(["other", ROLE, REGION]);
        asked.push(`${action} ${resource}`);
        return false;
      },
    });
    await lambda.create("other");
  });

  test.each([
    ["sqs", "SendMessage", "SQS"],
    ["sns", "Publish", "SNS"],
  ])("have no dead-letter target of %s", async (service, operation, name) => {
    const TargetArn = `arn:aws:${service}:${REGION}:${ACCOUNT}:target`;
    const message = `The provided execution role does not have permissions to call ${operation} on ${name}`;
    const DeadLetterConfig = { TargetArn };
    const update = lambda.call("UpdateFunctionConfiguration", { FunctionName: "other", DeadLetterConfig });
    expect(await errorOf(update)).toMatchObject({ code: "InvalidParameterValueException", message });
    await lambda.call("DeleteFunction", { FunctionName: "other" });
    const created = lambda.call("CreateFunction", newFunction("other", { DeadLetterConfig }));
    expect(await errorOf(created)).toMatchObject({ code: "InvalidParameterValueException", message });
    expect(asked).toEqual(Array(2).fill(`${service}:${operation} ${TargetArn}`));
  });

  test.each([
    [`arn:aws:sqs:${REGION}:${ACCOUNT}:queue`, "sqs:SendMessage", ""],
    [`arn:aws:sns:${REGION}:${ACCOUNT}:topic`, "sns:Publish", ""],
    ["arn:aws:s3:::bucket", "s3:PutObject", "/*"],
  ])("have no destination %s", async (Destination, action, rest) => {
    const put = lambda.call("PutFunctionEventInvokeConfig", {
      FunctionName: "other",
      DestinationConfig: { OnFailure: { Destination } },
    });
    expect((await errorOf(put)).message).toBe(
      `The function's execution role does not have permissions to call ${action.split(":")[1]} on ${Destination}`,
    );
    expect(asked).toEqual([`${action} ${Destination}${rest}`]);
  });
});

describe("loops", () => {
  const loop = async (InvocationType: "Event" | "RequestResponse") => {
    const start = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0";
    const headers: Record<string, string | undefined> = { "x-amzn-trace-id": start };
    for (let hop = 0; hop < 100; hop++) {
      await lambda.call("Invoke", { FunctionName, InvocationType }, { headers });
      const seen = InvocationType === "Event" ? lambda.accepted : lambda.engine.invocations;
      headers["x-amzn-trace-id"] = seen.at(-1)?.traceHeader;
    }
  };

  test.each(["Event", "RequestResponse"] as const)(
    "a function that invokes itself by %s is stopped",
    async (type) => {
      expect(await errorOf(loop(type))).toMatchObject({ code: "RecursiveInvocationException", status: 400 });
      const own = lambda.accepted.filter(({ functionName }) => functionName === FunctionName);
      expect(own.length + lambda.engine.invocations.length).toBe(16);
    },
  );

  test("an event that is stopped goes to where failures go, and counts; services are told that it was accepted", async () => {
    const queue = `arn:aws:sqs:${REGION}:${ACCOUNT}:queue`;
    await lambda.call("UpdateFunctionConfiguration", {
      FunctionName,
      DeadLetterConfig: { TargetArn: queue },
    });
    const header = () => lambda.accepted.at(-1)?.traceHeader;
    await errorOf(loop("Event"));
    const headers = { "x-amzn-trace-id": header() };
    expect(counted).toEqual([`RecursiveInvocationsDropped ${FunctionName}`]);
    expect(lambda.outgoing.at(-1)).toMatchObject({
      operation: "SendMessage",
      input: { MessageBody: "{}", MessageAttributes: { ErrorCode: { StringValue: "400" } } },
    });
    // The record went to the function that takes failures.
    expect(lambda.accepted.at(-1)).toMatchObject({ functionName: "failure" });
    const again = { FunctionName, InvocationType: "Event" } as const;
    const principal = servicePrincipal("sns.amazonaws.com", { account: ACCOUNT });
    lambda.accepted.length = 0;
    const { StatusCode } = await lambda.call("Invoke", again, { headers, principal });
    expect(StatusCode).toBe(202);
    expect(lambda.accepted.map(({ functionName }) => functionName)).toEqual(["failure"]);
  });

  test("unless loops are allowed to it", async () => {
    await lambda.call("PutFunctionRecursionConfig", { FunctionName, RecursiveLoop: "Allow" });
    await loop("Event");
    expect(lambda.accepted).toHaveLength(100);
  });
});
