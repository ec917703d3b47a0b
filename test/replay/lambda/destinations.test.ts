import { beforeEach, describe, expect, test } from "vitest";
import type { InvocationResult, MetricAddress } from "../../../src/engine/contract.ts";
import type { AsyncEvent } from "../../../src/engine/invocation/async-event.ts";
import type { EventOutcome } from "../../../src/engine/invocation/async-outcome.ts";
import {
  ACCOUNT,
  createLambdaFixture,
  errorOf,
  REGION,
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
      expect(lambda.accepted.length + lambda.engine.invocations.length).toBe(16);
    },
  );

  test("unless loops are allowed to it", async () => {
    await lambda.call("PutFunctionRecursionConfig", { FunctionName, RecursiveLoop: "Allow" });
    await loop("Event");
    expect(lambda.accepted).toHaveLength(100);
  });
});
