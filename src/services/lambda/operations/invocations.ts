import { AwsError } from "#core/errors";
import type { FunctionSpec, Invocation, InvocationResult } from "#engine/contract";
import type { CallContext, OperationsOf, OutputOf } from "#wire/operation";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { findJsonProblem } from "../json-check.ts";
import { LIMITS } from "../limits.ts";
import { extendLineage } from "../lineage.ts";
import { countOne } from "../metrics.ts";
import type { InvocationTarget } from "../resolver.ts";
import { ResponseEvents } from "../response-events.ts";
import { requireTenant } from "../tenancy.ts";

type InvokeOutput = OutputOf<LambdaClientModule, "Invoke">;
type StreamOutput = OutputOf<LambdaClientModule, "InvokeWithResponseStream">;

/** What the operations have in common of an event that is to be run. */
type Event = Pick<Invocation, "requestId" | "payload" | "clientContext" | "traceHeader" | "tenantId">;

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
  const { store, resolver, engine, asyncInvoker, asyncEvents, random, metrics, clock } = context;

  return {
    Invoke(input, call) {
      if (input.DurableExecutionName !== undefined) throw errors.notAvailable("DurableExecutionName");
      const payload = payloadOf(input.Payload);
      const type = input.InvocationType ?? "RequestResponse";
      requirePayloadSize(payload, type === "Event");
      const target = resolver.resolve(call, input.FunctionName, input.Qualifier);
      requireTenant(target.spec, input.TenantId);
      if (type === "DryRun") return DRY_RUN;
      // AWS's own answer, though the schema calls the payload a blob: what a function returns is JSON.
      if (type === "RequestResponse") call.responseHeaders["content-type"] = "application/json";

      if (type === "Event") {
        const event = eventOf(input, call, payload, undefined);
        return whenJson(payload, () => accept(target, event, call));
      }
      const event = eventOf(input, call, payload, traceOf(target, call));
      return whenJson(payload, () => invoke(target, event, input.LogType === "Tail", call));
    },

    InvokeWithResponseStream(input, call) {
      const payload = payloadOf(input.Payload);
      requirePayloadSize(payload, false);
      const target = resolver.resolve(call, input.FunctionName, input.Qualifier);
      requireTenant(target.spec, input.TenantId);
      if (input.InvocationType === "DryRun") return { StatusCode: 204 };
      const event = eventOf(input, call, payload, traceOf(target, call));
      return whenJson(payload, () => stream(target, event, input.LogType === "Tail"));
    },

    async InvokeAsync(input, call) {
      const payload = payloadOf(await collect(input.InvokeArgs));
      requirePayloadSize(payload, true);
      const target = resolver.resolve(call, input.FunctionName, undefined);
      requireTenant(target.spec, undefined);
      await whenJson(payload, () => accept(target, eventOf({}, call, payload, undefined), call));
      return { Status: 202 };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  /** @throws AwsError where the call closes a loop once too often, which is counted */
  function traceOf({ spec, functionName }: InvocationTarget, call: CallContext): string | undefined {
    try {
      return extendLineage(store, spec, functionName, call.headers["x-amzn-trace-id"]);
    } catch (loop) {
      countOne(metrics, spec, functionName, "RecursiveInvocationsDropped", clock.now());
      throw loop;
    }
  }

  function invoke(
    target: InvocationTarget,
    event: Event,
    tail: boolean,
    call: CallContext,
  ): Promise<InvokeOutput> {
    const { invokedArn } = target;
    const spec = chooseSpec(target);
    const { requestId, payload, clientContext, traceHeader, tenantId } = event;
    // Not a copy of the event with more in it: such objects have each a shape of their own, which is slow to make and to read.
    const invocation = { spec, requestId, invokedArn, payload, clientContext, traceHeader, tail, tenantId };
    return engine.invoke(invocation).then((result) => {
      if (result.traceHeader !== undefined) call.responseHeaders["x-amzn-trace-id"] = result.traceHeader;
      return describeResult(result, spec.version);
    });
  }

  async function stream(target: InvocationTarget, event: Event, tail: boolean): Promise<StreamOutput> {
    const { invokedArn } = target;
    const spec = chooseSpec(target);
    const events = new ResponseEvents();
    const ended = engine.invoke({ ...event, spec, invokedArn, tail, sink: events }).then(
      (result) => events.complete(result),
      (error: unknown) => {
        events.fail(error);
        throw error;
      },
    );
    // A rejection that comes before any response, such as a throttle, is the answer.
    await Promise.race([events.begun, ended]);
    return {
      StatusCode: 200,
      ExecutedVersion: spec.version,
      ResponseStreamContentType: "application/vnd.amazon.eventstream",
      EventStream: events.read(),
    };
  }

  function chooseSpec({ spec, alternative }: InvocationTarget): FunctionSpec {
    return alternative !== undefined && random() < alternative.share ? alternative.spec : spec;
  }

  async function accept(target: InvocationTarget, event: Event, call: CallContext): Promise<InvokeOutput> {
    const { account, region } = target.spec;
    const { functionName, qualifier, invokedArn } = target;
    const { requestId, payload, clientContext, tenantId } = event;
    let traceHeader: string | undefined;
    try {
      traceHeader = traceOf(target, call);
    } catch (loop) {
      if (!(loop instanceof AwsError)) throw loop;
      // AWS Compute Blog, "Detecting and stopping recursive loops in AWS Lambda functions": asynchronous events go to a
      // dead-letter queue or an on-failure destination. A service that sends one is not to send it again.
      const refusal = { status: loop.status, message: loop.message };
      const stopped = { ...event, account, region, functionName, qualifier };
      await asyncEvents.deliver(
        {
          ...stopped,
          traceHeader: call.headers["x-amzn-trace-id"],
          functionArn: target.spec.arn,
          invokedArn,
        },
        { condition: "RetriesExhausted", attempts: 0, last: undefined, refusal },
      );
      if (call.principal.kind === "service") return ACCEPTED;
      throw loop;
    }
    await asyncInvoker.accept({
      account,
      region,
      functionName,
      qualifier,
      requestId,
      payload,
      clientContext,
      traceHeader,
      tenantId,
      acceptedAt: call.receivedAt,
    });
    return ACCEPTED;
  }
}

function eventOf(
  input: { readonly ClientContext?: string | undefined; readonly TenantId?: string | undefined },
  call: CallContext,
  payload: Uint8Array,
  traceHeader: string | undefined,
): Event {
  const { ClientContext, TenantId } = input;
  return {
    requestId: call.requestId,
    payload,
    clientContext: ClientContext === undefined ? undefined : decodeClientContext(ClientContext),
    traceHeader,
    tenantId: TenantId,
  };
}

/** Runs an event whose payload is JSON; a large one is checked off the main thread. */
function whenJson<T>(payload: Uint8Array, run: () => Promise<T>): Promise<T> {
  const problem = findJsonProblem(payload);
  if (problem === undefined) return run();
  if (typeof problem === "string") throw errors.payloadNotJson(problem);
  return problem.then((found) => {
    if (found !== undefined) throw errors.payloadNotJson(found);
    return run();
  });
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
