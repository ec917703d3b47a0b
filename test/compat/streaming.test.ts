import { join } from "node:path";
import {
  InvalidParameterValueException,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  type InvokeWithResponseStreamCommandInput,
  type InvokeWithResponseStreamResponseEvent,
  type LambdaClient,
  PutFunctionConcurrencyCommand,
  TooManyRequestsException,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create, lambdaFor, logged, until } from "../lifecycle/support.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { awsVariables, run, works } from "../support/tools.ts";

let platform: TestPlatform;
let lambda: LambdaClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = lambdaFor(platform.url);
  await create(lambda, "stream", STREAMING);
  await create(lambda, "whole", "exports.handler = async (event) => ({ whole: event });");
});

afterAll(async () => {
  lambda.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

/** Waits, where it is told to, until another invocation runs beside it, or none does any more. */
const STREAMING = `
  const running = async (wanted) => {
    for (;;) {
      const { running } = await (await fetch(process.env.AWS_ENDPOINT_URL + "/_thaw/health")).json();
      if (wanted(running)) return;
      await new Promise((r) => setTimeout(r, 5));
    }
  };
  exports.handler = awslambda.streamifyResponse(async (event, stream) => {
    if (event.early) throw new RangeError("early");
    stream.write("first ");
    if (event.company) await running((count) => count > 1);
    if (event.alone) await running((count) => count === 1);
    if (event.fail) throw new TypeError("midway");
    if (event.exit) process.exit(3);
    for (let piece = 0; piece < (event.pieces ?? 0); piece++)
      if (!stream.write("x".repeat(65536))) await new Promise((r) => stream.once("drain", r));
    console.log("to the end");
    stream.end("last");
  });`;

type Input = Partial<InvokeWithResponseStreamCommandInput>;

async function open(FunctionName: string, event: unknown = {}, input: Input = {}) {
  const Payload = Buffer.from(JSON.stringify(event));
  return lambda.send(new InvokeWithResponseStreamCommand({ FunctionName, Payload, ...input }));
}

interface Answer {
  readonly parts: string[];
  readonly complete: InvokeWithResponseStreamResponseEvent["InvokeComplete"];
}

async function stream(name: string, event: unknown = {}, input: Input = {}): Promise<Answer> {
  const { EventStream = [] } = await open(name, event, input);
  const parts: string[] = [];
  let complete: Answer["complete"];
  for await (const { PayloadChunk, InvokeComplete } of EventStream) {
    // Nothing comes after the end.
    expect(complete).toBeUndefined();
    if (PayloadChunk !== undefined) parts.push(Buffer.from(PayloadChunk.Payload ?? []).toString());
    complete = InvokeComplete;
  }
  return { parts, complete };
}

describe("InvokeWithResponseStream, of the JavaScript SDK", () => {
  it("reads each part while the function still runs", async () => {
    const response = await open("stream", { company: true }, { LogType: "Tail" });
    expect(response).toMatchObject({
      $metadata: { httpStatusCode: 200 },
      StatusCode: 200,
      ExecutedVersion: "$LATEST",
      ResponseStreamContentType: "application/vnd.amazon.eventstream",
    });
    const events = (response.EventStream as AsyncIterable<InvokeWithResponseStreamResponseEvent>)[
      Symbol.asyncIterator
    ]();
    const first = (await events.next()).value as InvokeWithResponseStreamResponseEvent;
    expect(Buffer.from(first.PayloadChunk?.Payload ?? []).toString()).toBe("first ");
    // The function goes on only now that this one runs beside it.
    const beside = stream("stream", { alone: true });
    const rest: string[] = [];
    let log = "";
    for await (const { PayloadChunk, InvokeComplete } of { [Symbol.asyncIterator]: () => events }) {
      if (PayloadChunk !== undefined) rest.push(Buffer.from(PayloadChunk.Payload ?? []).toString());
      if (InvokeComplete !== undefined)
        log = Buffer.from(InvokeComplete.LogResult ?? "", "base64").toString();
    }
    expect(rest.join("")).toBe("last");
    expect(log).toMatch(/^START RequestId: .*to the end\nEND RequestId: .*\nREPORT RequestId: /s);
    expect((await beside).parts.join("")).toBe("first last");
  });

  it("reads megabytes", async () => {
    const { parts, complete } = await stream("stream", { pieces: 64 });
    expect(parts.join("")).toBe(`first ${"x".repeat(64 * 65_536)}last`);
    expect(complete).toEqual({});
  });

  it("is told of errors before and after the first part, and of a crash", async () => {
    const early = await stream("stream", { early: true });
    expect([early.parts, early.complete?.ErrorCode]).toEqual([[], "Unhandled"]);
    expect(JSON.parse(early.complete?.ErrorDetails ?? "")).toMatchObject({
      errorType: "RangeError",
      errorMessage: "early",
      trace: expect.any(Array) as unknown,
    });
    const midway = await stream("stream", { fail: true });
    expect([midway.parts, midway.complete?.ErrorCode]).toEqual([["first "], "Unhandled"]);
    expect(midway.complete?.ErrorDetails).toContain("midway");
    const crash = await stream("stream", { exit: true });
    expect([crash.parts, crash.complete?.ErrorCode]).toEqual([["first "], "Unhandled"]);
    expect(JSON.parse(crash.complete?.ErrorDetails ?? "")).toMatchObject({ errorType: "Runtime.ExitError" });
  });

  it("has a response that is not streamed in one part", async () => {
    const { parts, complete } = await stream("whole", { a: "b".repeat(100_000) });
    expect(parts).toEqual([JSON.stringify({ whole: { a: "b".repeat(100_000) } })]);
    expect(complete).toEqual({});
  });

  it("may be a dry run, and is refused like Invoke", async () => {
    expect(await open("whole", {}, { InvocationType: "DryRun" })).toMatchObject({ StatusCode: 204 });
    await expect(open("absent")).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Function not found: arn:aws:lambda:us-east-1:000000000000:function:absent:$LATEST",
    });
    await expect(open("whole", {}, { Payload: Buffer.from("{") })).rejects.toMatchObject({
      name: "InvalidRequestContentException",
    });
    await expect(open("whole", {}, { TenantId: "blue" })).rejects.toBeInstanceOf(
      InvalidParameterValueException,
    );
    await create(lambda, "stopped", "exports.handler = async () => 1;");
    const none = { FunctionName: "stopped", ReservedConcurrentExecutions: 0 };
    await lambda.send(new PutFunctionConcurrencyCommand(none));
    await expect(open("stopped")).rejects.toBeInstanceOf(TooManyRequestsException);
  });

  it("leaves a function running whose client has hung up", async () => {
    await create(lambda, "abandoned", STREAMING);
    // A client of its own, whose connection is closed with it.
    const other = lambdaFor(platform.url);
    const { EventStream } = await other.send(
      new InvokeWithResponseStreamCommand({
        FunctionName: "abandoned",
        Payload: Buffer.from('{"pieces":90}'),
      }),
    );
    await (EventStream as AsyncIterable<unknown>)[Symbol.asyncIterator]().next();
    other.destroy();
    await until(async () =>
      expect(await logged(platform.url, "abandoned")).toContainEqual(expect.stringContaining("to the end")),
    );
  });
});

it("is answered whole by Invoke", async () => {
  const { Payload, FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: "stream" }));
  expect([Buffer.from(Payload ?? []).toString(), FunctionError]).toEqual(["first last", undefined]);
});

const python = ["python3", "/usr/bin/python3"].find((file) =>
  works(
    file,
    "-c",
    "import boto3; boto3.client('lambda', region_name='us-east-1').invoke_with_response_stream",
  ),
);

it.skipIf(python === undefined)("boto3 (needs one that knows invoke_with_response_stream)", async () => {
  const script = join(import.meta.dirname, "boto3_streaming.py");
  const { code, stdout, stderr } = await run(python ?? "", [script, platform.url], {
    env: awsVariables(platform.url),
  });
  expect(stderr).toBe("");
  expect({ code, stdout }).toEqual({ code: 0, stdout: "done\n" });
});
