import type * as client from "@aws-sdk/client-s3";
import { buffer } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { ManualClock } from "../../src/core/clock.ts";
import { AwsError } from "../../src/core/errors.ts";
import { systemIds } from "../../src/core/ids.ts";
import { createS3Service, type S3Service } from "../../src/services/s3/service.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { createMetricSink, type AggregatingMetricSink } from "../../src/telemetry/metric-sink.ts";
import type {
  AwsCaller,
  CallContext,
  InputOf,
  OutputOf,
  ServiceDefinition,
} from "../../src/wire/operation.ts";
import { callOf } from "./call.ts";

export const ACCOUNT = "111111111111";
export const REGION = "us-east-1";

type S3 = typeof client;

/** What was asked of another service. */
export interface AskedCall {
  readonly service: string;
  readonly operation: string;
  readonly input: Record<string, unknown>;
  readonly principal: CallContext["principal"];
  readonly region: string;
}

export interface S3Fixture {
  readonly service: S3Service;
  readonly clock: ManualClock;
  readonly metrics: AggregatingMetricSink;
  /** Calls of other services, in order. */
  readonly asked: AskedCall[];
  /** What other services answer; succeeds where it is not set. */
  answer: (call: AskedCall) => unknown;
  /** What went wrong in the background. */
  readonly problems: unknown[];
  call<Name extends string>(
    operation: Name,
    input: InputOf<S3, Name>,
    context?: Partial<CallContext>,
  ): Promise<OutputOf<S3, Name>>;
}

/** The service over a real storage, with the other services played by the test. */
export function createS3Fixture(storage: Storage, region = REGION): S3Fixture {
  const clock = new ManualClock();
  const asked: AskedCall[] = [];
  const problems: unknown[] = [];
  const caller: AwsCaller = {
    call: async (service, operation, input, { principal, region: at }) => {
      const call = { service, operation, input: input as Record<string, unknown>, principal, region: at };
      asked.push(call);
      return fixture.answer(call);
    },
  };
  const metrics = createMetricSink({ clock });
  const service = createS3Service({
    documents: storage.documents,
    objects: storage.objects,
    queue: storage.queue,
    clock,
    ids: systemIds,
    caller,
    metrics,
    onError: (error) => problems.push(error),
  });
  const fixture: S3Fixture = {
    service,
    clock,
    metrics,
    asked,
    problems,
    answer: () => ({}),
    async call(operation, input, context) {
      const operations: ServiceDefinition["operations"] = service.operations;
      const handler = operations[operation];
      if (handler === undefined) throw new Error(`${operation} has no handler`);
      return (await handler(input as never, s3Call({ region, ...context }))) as never;
    },
  };
  return fixture;
}

export function s3Call(context: Partial<CallContext> = {}): CallContext {
  return callOf({
    requestId: systemIds.uuid(),
    account: ACCOUNT,
    region: REGION,
    receivedAt: Date.UTC(2026, 0, 1),
    ...context,
  });
}

/** The bytes of an output's Body as text. */
export async function textOf(output: { readonly Body?: unknown }): Promise<string> {
  return (await buffer(output.Body as Readable)).toString();
}

/** The code and status of the AwsError that a call ends in. */
export async function failure(outcome: Promise<unknown>): Promise<AwsError> {
  const problem = await outcome.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (problem instanceof AwsError) return problem;
  throw problem ?? new Error("expected an AwsError");
}
