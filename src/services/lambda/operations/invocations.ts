import type { InvocationResult } from "#engine/contract";
import type { OperationsOf, OutputOf } from "#wire/operation";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { findJsonProblem } from "../json-check.ts";
import { LIMITS } from "../limits.ts";
import type { InvocationTarget } from "../resolver.ts";

type InvokeOutput = OutputOf<LambdaClientModule, "Invoke">;

/** An Invoke without payload passes an empty object. */
const NO_PAYLOAD = Buffer.from("{}");
const EMPTY = new Uint8Array(0) as NonNullable<InvokeOutput["Payload"]>;
const DRY_RUN: InvokeOutput = { StatusCode: 204, Payload: EMPTY };
const ACCEPTED: InvokeOutput = { StatusCode: 202, Payload: EMPTY };

/**
 * Running functions. This is the one hot path of the service: an invocation of a warm function costs a map look-up,
 * one scan of the payload and the engine's own promise.
 */
export function invocationOperations(context: LambdaContext) {
  const { resolver, engine, asyncInvoker, random } = context;

  return {
    Invoke(input, call) {
      if (input.TenantId !== undefined) throw errors.notAvailable("TenantId");
      if (input.DurableExecutionName !== undefined) throw errors.notAvailable("DurableExecutionName");
      const payload = payloadOf(input.Payload);
      const type = input.InvocationType ?? "RequestResponse";
      requirePayloadSize(payload, type === "Event");
      const target = resolver.resolve(call, input.FunctionName, input.Qualifier);
      if (type === "DryRun") return DRY_RUN;
      // AWS's own answer, though the schema calls the payload a blob: what a function returns is JSON.
      if (type === "RequestResponse") call.responseHeaders["content-type"] = "application/json";

      const clientContext =
        input.ClientContext === undefined ? undefined : decodeClientContext(input.ClientContext);
      const traceHeader = call.headers["x-amzn-trace-id"];
      const run = () =>
        type === "Event"
          ? accept(target, payload, call.requestId, clientContext, traceHeader, call.receivedAt)
          : invoke(target, payload, call.requestId, clientContext, traceHeader, input.LogType === "Tail");

      const problem = findJsonProblem(payload);
      if (problem === undefined) return run();
      if (typeof problem === "string") throw errors.payloadNotJson(problem);
      return problem.then((found) => {
        if (found !== undefined) throw errors.payloadNotJson(found);
        return run();
      });
    },

    async InvokeAsync(input, call) {
      const payload = payloadOf(await collect(input.InvokeArgs));
      requirePayloadSize(payload, true);
      const target = resolver.resolve(call, input.FunctionName, undefined);
      const problem = await findJsonProblem(payload);
      if (problem !== undefined) throw errors.payloadNotJson(problem);
      await accept(
        target,
        payload,
        call.requestId,
        undefined,
        call.headers["x-amzn-trace-id"],
        call.receivedAt,
      );
      return { Status: 202 };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function invoke(
    target: InvocationTarget,
    payload: Uint8Array,
    requestId: string,
    clientContext: string | undefined,
    traceHeader: string | undefined,
    tail: boolean,
  ): Promise<InvokeOutput> {
    const { alternative, invokedArn } = target;
    const spec = alternative !== undefined && random() < alternative.share ? alternative.spec : target.spec;
    return engine
      .invoke({ spec, requestId, invokedArn, payload, clientContext, traceHeader, tail })
      .then((result) => describeResult(result, spec.version));
  }

  function accept(
    target: InvocationTarget,
    payload: Uint8Array,
    requestId: string,
    clientContext: string | undefined,
    traceHeader: string | undefined,
    acceptedAt: number,
  ): Promise<InvokeOutput> {
    const { account, region } = target.spec;
    const { functionName, qualifier } = target;
    return asyncInvoker
      .accept({
        account,
        region,
        functionName,
        qualifier,
        requestId,
        payload,
        clientContext,
        traceHeader,
        acceptedAt,
      })
      .then(() => ACCEPTED);
  }
}

function describeResult(result: InvocationResult, version: string): InvokeOutput {
  const output: InvokeOutput = {
    StatusCode: 200,
    ExecutedVersion: version,
    Payload: result.payload as NonNullable<InvokeOutput["Payload"]>,
  };
  if (result.functionError !== undefined) output.FunctionError = result.functionError;
  if (result.logTail !== undefined) output.LogResult = asBuffer(result.logTail).toString("base64");
  return output;
}

function payloadOf(payload: unknown): Uint8Array {
  // The wire reads blobs as bytes, whatever the client's own types also allow a caller to pass.
  const bytes = payload as Uint8Array | undefined;
  return bytes === undefined || bytes.length === 0 ? NO_PAYLOAD : bytes;
}

/** InvokeArgs is the one payload that the schema streams. */
async function collect(body: unknown): Promise<Uint8Array | undefined> {
  if (body === undefined || body instanceof Uint8Array) return body;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LIMITS.asynchronousPayloadBytes) break;
  }
  return Buffer.concat(chunks);
}

function requirePayloadSize(payload: Uint8Array, asynchronous: boolean): void {
  const limit = asynchronous ? LIMITS.asynchronousPayloadBytes : LIMITS.synchronousPayloadBytes;
  if (payload.length > limit) throw errors.requestTooLarge(limit, "InvokeFunction");
}

function decodeClientContext(encoded: string): string {
  if (encoded.length > LIMITS.clientContextLength || !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded))
    throw errors.clientContextInvalid();
  const text = Buffer.from(encoded, "base64").toString();
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return text;
  } catch {
    // Answered below, as any other value that is no JSON object.
  }
  throw errors.clientContextInvalid();
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
