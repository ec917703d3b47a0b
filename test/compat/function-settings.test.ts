import {
  AddPermissionCommand,
  CreateCodeSigningConfigCommand,
  CreateEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  GetFunctionEventInvokeConfigCommand,
  GetPolicyCommand,
  GetResourcePolicyCommand,
  InvokeCommand,
  type LambdaClient,
  ListCapacityProvidersCommand,
  ListDurableExecutionsByFunctionCommand,
  PutFunctionEventInvokeConfigCommand,
  PutFunctionRecursionConfigCommand,
  PutRuntimeManagementConfigCommand,
  RemovePermissionCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { create, HELLO, lambdaFor, logged, send, until } from "../lifecycle/support.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";

const arnOf = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;

let platform: TestPlatform;
let lambda: LambdaClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = lambdaFor(platform.url);
});
afterAll(async () => {
  lambda.destroy();
  await platform.stop();
});

test("an official client reads what is set, and what each call's status is", async () => {
  const FunctionName = "settings";
  await create(lambda, FunctionName, HELLO);
  const added = await lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: "s3",
      Action: "lambda:InvokeFunction",
      Principal: "s3.amazonaws.com",
    }),
  );
  expect(added.$metadata.httpStatusCode).toBe(201);
  const policy = await lambda.send(new GetPolicyCommand({ FunctionName }));
  expect(JSON.parse(policy.Policy ?? "")).toMatchObject({ Statement: [{ Sid: "s3" }] });
  const whole = await lambda.send(new GetResourcePolicyCommand({ ResourceArn: arnOf(FunctionName) }));
  expect(whole.Policy).toBe(policy.Policy);
  const removed = await lambda.send(new RemovePermissionCommand({ FunctionName, StatementId: "s3" }));
  expect(removed.$metadata.httpStatusCode).toBe(204);

  const put = { FunctionName, MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 };
  await lambda.send(new PutFunctionEventInvokeConfigCommand(put));
  const config = await lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName }));
  expect(config).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
  expect(config.LastModified?.getTime()).toBeGreaterThan(0);
  const tooOld = { ...put, MaximumEventAgeInSeconds: 59 };
  await expect(lambda.send(new PutFunctionEventInvokeConfigCommand(tooOld))).rejects.toThrow(
    "at 'maximumEventAgeInSeconds' failed to satisfy constraint",
  );

  const loop = { FunctionName, RecursiveLoop: "Allow" } as const;
  expect(await lambda.send(new PutFunctionRecursionConfigCommand(loop))).toMatchObject({
    RecursiveLoop: "Allow",
  });
  const runtime = { FunctionName, UpdateRuntimeOn: "FunctionUpdate" } as const;
  expect(await lambda.send(new PutRuntimeManagementConfigCommand(runtime))).toMatchObject({
    UpdateRuntimeOn: "FunctionUpdate",
  });
  const signing = await lambda.send(
    new CreateCodeSigningConfigCommand({
      AllowedPublishers: {
        SigningProfileVersionArns: ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/version"],
      },
    }),
  );
  expect(signing.$metadata.httpStatusCode).toBe(201);
});

test("a mapping to a stream that nothing polls says so", async () => {
  await create(lambda, "mapped", HELLO);
  const made = await lambda.send(
    new CreateEventSourceMappingCommand({
      FunctionName: "mapped",
      EventSourceArn: "arn:aws:kinesis:us-east-1:000000000000:stream/orders",
      StartingPosition: "LATEST",
    }),
  );
  expect([made.$metadata.httpStatusCode, made.State]).toEqual([202, "Creating"]);
  const { State, LastProcessingResult } = await lambda.send(
    new GetEventSourceMappingCommand({ UUID: made.UUID }),
  );
  expect(State).toBe("Enabled");
  expect(LastProcessingResult).toMatch(/^PROBLEM: /);
});

test("the outcomes of asynchronous invocations reach their destinations", async () => {
  const source = `exports.handler = async (event) => {
    if (event.fail) throw new Error("on purpose");
    return { done: true };
  };`;
  await create(lambda, "source", source);
  await create(lambda, "succeeded", HELLO);
  await create(lambda, "failed", HELLO);
  await lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: "source",
      MaximumRetryAttempts: 0,
      DestinationConfig: {
        OnSuccess: { Destination: arnOf("succeeded") },
        OnFailure: { Destination: arnOf("failed") },
      },
    }),
  );
  await send(lambda, "source", { fail: false });
  await send(lambda, "source", { fail: true });
  const record = async (name: string): Promise<unknown> => {
    const line = (await logged(platform.url, name)).find((message) => message.includes("hello "));
    return line === undefined ? undefined : JSON.parse(line.slice(line.indexOf("{")));
  };
  await until(async () => {
    expect(await record("succeeded")).toMatchObject({
      requestContext: { condition: "Success", functionArn: `${arnOf("source")}:$LATEST` },
      requestPayload: { fail: false },
      responsePayload: { done: true },
    });
    expect(await record("failed")).toMatchObject({
      requestContext: { condition: "RetriesExhausted", approximateInvokeCount: 1 },
      requestPayload: { fail: true },
      responseContext: { functionError: "Unhandled" },
      responsePayload: { errorMessage: "on purpose" },
    });
  });
});

test("a function that invokes itself with its SDK's header is stopped", async () => {
  // As AWS's SDKs do in functions: the trace header of the invocation goes on with every call.
  const source = `const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");
  exports.handler = async ({ depth }) => {
    console.log("depth", depth);
    const client = new LambdaClient({ maxAttempts: 1 });
    const Payload = JSON.stringify({ depth: depth + 1 });
    const FunctionName = process.env.AWS_LAMBDA_FUNCTION_NAME;
    try {
      await client.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload }));
    } catch (error) {
      console.log("stopped by", error.name, depth);
    }
  };`;
  await create(lambda, "loop", source);
  await send(lambda, "loop", { depth: 0 });
  await until(async () => {
    const messages = (await logged(platform.url, "loop")).join("");
    expect(messages).toMatch(/stopped by RecursiveInvocationException 16/);
  });
});

test("what is for later answers that it is not there", async () => {
  const later = [
    lambda.send(new ListCapacityProvidersCommand({})),
    lambda.send(new ListDurableExecutionsByFunctionCommand({ FunctionName: "settings" })),
  ];
  for (const outcome of await Promise.allSettled(later)) {
    if (outcome.status === "fulfilled") throw new Error("it was answered");
    expect(outcome.reason).toMatchObject({
      name: "NotImplementedException",
      $metadata: { httpStatusCode: 501 },
    });
    expect(String(outcome.reason)).toMatch(/lambda:List\w+ is not implemented here/);
  }
  const durable = new InvokeCommand({ FunctionName: "settings", DurableExecutionName: "one" });
  await expect(lambda.send(durable)).rejects.toThrow("DurableExecutionName is not available yet");
});
