import { AwsError } from "#core/errors";
import type { FunctionSpec, GuestTraces, SamplingOperation } from "#engine/contract";
import type { Family } from "#telemetry/open-metrics";
import { createTraceSink, type BatchingTraceSink, type TraceOwner } from "#telemetry/trace-sink";
import type { CallerIdentity } from "#wire/operation";
import type { WireResponse } from "#wire/protocols/protocol";
import { restJson } from "#wire/protocols/rest/rest-json";
import { type OtlpIntake, signalOf } from "./otlp-intake.ts";
import { putSegments } from "./segments.ts";
import type { Shared, SharedByServices } from "./shared.ts";

/** Of one function's, so that none takes the room of all others. */
const OWNER_CAPACITY = 2000;

export interface Traces {
  /** Takes what the platform itself records of functions. */
  readonly sink: BatchingTraceSink;
  /** Takes what functions send to X-Ray's daemon. */
  readonly guests: GuestTraces;
  /** Resolves once all that came before was sent. */
  flush(): Promise<void>;
  close(): Promise<void>;
  /** What has become of what functions sent, since the platform was started. */
  families(): readonly Family[];
}

/** Sends the segments of traced functions to X-Ray, as each function's own role: one that may not do so traces nothing. */
export function createTraces(shared: Shared, otlp: OtlpIntake): Traces {
  const { clock, rolePrincipal } = shared;
  const identity = (owner: TraceOwner): CallerIdentity => ({
    principal: rolePrincipal(owner),
    region: owner.region,
  });
  const counts = { taken: 0, malformed: 0, "too many": 0, refused: 0 };
  const report = reportDropped(shared);
  const sink = createTraceSink({
    clock,
    send: (owner, documents) => putSegments(shared, documents, identity(owner)),
    onDropped: report,
  });
  const guestSink = createTraceSink({
    clock,
    ownerCapacity: OWNER_CAPACITY,
    send: (owner, documents) => putSegments(shared, documents, identity(owner)),
    onDropped(segments, owner, error) {
      counts.refused += segments;
      // What a function sends is its own affair: it could fill the platform's log.
      if (error !== undefined) report(segments, owner, error);
    },
  });
  return {
    sink,
    guests: {
      document(spec: FunctionSpec, document) {
        counts.taken++;
        guestSink.write(spec, document);
      },
      dropped(reason) {
        counts[reason]++;
      },
      sampling: (spec, operation, body) => askSampling(shared, operation, body, identity(spec)),
      async otlp(spec, path, headers, bytes) {
        const signal = signalOf(path) ?? "traces";
        const request = { signal, headers, body: Buffer.from(bytes) };
        const logs = { group: spec.logging.group, stream: "otlp", make: true };
        const answer = await otlp.take(request, identity(spec), logs);
        const type = String(answer.headers["content-type"]);
        return { status: answer.status, type, body: Buffer.from(answer.body as Buffer | string) };
      },
    },
    async flush() {
      await Promise.all([sink.flush(), guestSink.flush()]);
    },
    async close() {
      await Promise.all([sink.close(), guestSink.close()]);
    },
    families: () => [
      {
        name: "thaw_xray_daemon_documents",
        type: "counter",
        help: "Datagrams that functions sent to X-Ray's daemon; refused ones are among those taken.",
        samples: Object.entries(counts).map(([outcome, value]) => ({
          suffix: "_total",
          labels: { outcome },
          value,
        })),
      },
    ],
  };
}

function reportDropped({ log, drops }: Pick<SharedByServices, "log" | "drops">) {
  return (segments: number, { name, roleArn }: TraceOwner, error: unknown): void => {
    const lost = { function: name, roleArn, segments };
    // A role without the permission is its owner's choice, and AWS tells nobody of it.
    if (error instanceof AwsError && error.status === 403)
      return log.debug(lost, "the role may not write segments of traces");
    drops.add("segments", segments);
    return log.warn(
      { ...lost, ...(error === undefined ? {} : { err: error }) },
      "dropped segments of traces",
    );
  };
}

/** What X-Ray's daemon passes on, by TCP: the operation itself, in its own protocol. */
export async function askSampling(
  { caller, models, ids }: Pick<SharedByServices, "caller" | "models" | "ids">,
  operationName: SamplingOperation,
  body: Uint8Array,
  by: CallerIdentity,
): Promise<{ status: number; body: string }> {
  const service = models.get("xray");
  const operation = service.operations.get(operationName);
  if (operation === undefined) throw new Error(`X-Ray has no ${operationName}`);
  const requestId = ids.uuid();
  const told = ({ status, body: text }: WireResponse) => {
    if (typeof text !== "string") throw new Error(`${operationName} answers no JSON`);
    return { status, body: text };
  };
  try {
    const input = restJson.deserialise(service, operation, {
      method: "POST",
      path: operation.http?.uri ?? "/",
      query: "",
      headers: { "content-type": "application/json" },
      body: Buffer.from(body),
    });
    const output = (await caller.call("xray", operationName, input, by)) as object;
    return told(restJson.serialise(service, operation, output, requestId));
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return told(restJson.serialiseError(service, operation, error, requestId));
  }
}
