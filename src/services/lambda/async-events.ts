import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { MetricSink } from "#engine/contract";
import type { AsyncEvent } from "#engine/invocation/async-event";
import { DEFAULT_EVENT_LIMITS, type EventLimits, type EventOutcome } from "#engine/invocation/async-outcome";
import type { AsyncInvoker } from "./context.ts";
import { functionTarget } from "./destinations.ts";
import { LIMITS } from "./limits.ts";
import { extendLineage } from "./lineage.ts";
import { countOne } from "./metrics.ts";
import { findQualified } from "./qualified.ts";
import type { EventInvokeRecord } from "./records.ts";
import { keys, type LambdaStore } from "./store.ts";

/** What functions' event invoke configs mean for events that were accepted: handed to whoever runs these. */
export interface AsyncEvents {
  limits(event: AsyncEvent): EventLimits | undefined;
  /** Sends the record of an event's end to the destination that is configured for it, where there is one. */
  deliver(event: AsyncEvent, outcome: EventOutcome): Promise<void> | undefined;
}

export interface AsyncEventsOptions {
  readonly store: LambdaStore;
  readonly asyncInvoker: AsyncInvoker;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly metrics: MetricSink | undefined;
}

export function createAsyncEvents(options: AsyncEventsOptions): AsyncEvents {
  const { store, asyncInvoker, clock, ids, metrics } = options;

  function configOf({ account, region, functionName, qualifier }: AsyncEvent): EventInvokeRecord | undefined {
    const key = keys.eventInvoke({ account, region }, functionName, qualifier ?? "$LATEST");
    return store.documents.get<EventInvokeRecord>(key)?.value;
  }

  async function send(event: AsyncEvent, outcome: EventOutcome, destination: string): Promise<void> {
    const target = functionTarget(destination);
    const payload = writeRecord(event, outcome, clock.now());
    const reachable =
      target !== undefined && findQualified(store, target, target.name, target.qualifier) !== undefined;
    // AWS counts what it cannot deliver and lets it go (developer guide, "Types of metrics for Lambda functions").
    if (!reachable || payload.length > LIMITS.asynchronousPayloadBytes)
      return countOne(metrics, event, event.functionName, "DestinationDeliveryFailures", clock.now());
    let traceHeader: string | undefined;
    try {
      traceHeader = extendLineage(store, target, target.name, event.traceHeader);
    } catch {
      return countOne(metrics, target, target.name, "RecursiveInvocationsDropped", clock.now());
    }
    const { account, region, name: functionName, qualifier } = target;
    await asyncInvoker.accept({
      account,
      region,
      functionName,
      qualifier,
      requestId: ids.uuid(),
      payload,
      clientContext: undefined,
      traceHeader,
      acceptedAt: clock.now(),
    });
  }

  return {
    limits(event) {
      const config = configOf(event);
      if (config === undefined) return undefined;
      const { maximumRetryAttempts, maximumEventAgeSeconds } = config;
      return {
        maxRetries: maximumRetryAttempts ?? DEFAULT_EVENT_LIMITS.maxRetries,
        maxAgeMs:
          maximumEventAgeSeconds === undefined
            ? DEFAULT_EVENT_LIMITS.maxAgeMs
            : maximumEventAgeSeconds * 1000,
      };
    },

    deliver(event, outcome) {
      const config = configOf(event);
      const destination = outcome.condition === "Success" ? config?.onSuccess : config?.onFailure;
      return destination === undefined ? undefined : send(event, outcome, destination);
    },
  };
}

/**
 * An invocation record (recorded: test_assess_lambda_destination_invocation). What went into the function and came out
 * of it is JSON already and is passed on as it is.
 */
function writeRecord(event: AsyncEvent, { condition, attempts, last }: EventOutcome, now: number): Buffer {
  const head = {
    version: "1.0",
    timestamp: new Date(now).toISOString(),
    requestContext: {
      requestId: event.requestId,
      functionArn: `${event.functionArn}:${event.qualifier ?? "$LATEST"}`,
      condition,
      approximateInvokeCount: attempts,
    },
  };
  const open = JSON.stringify(head).slice(0, -1);
  const parts = [Buffer.from(`${open},"requestPayload":`), event.payload];
  if (last !== undefined) {
    const { functionError, payload } = last.result;
    const context = {
      statusCode: 200,
      executedVersion: last.version,
      ...(functionError === undefined ? {} : { functionError }),
    };
    parts.push(Buffer.from(`,"responseContext":${JSON.stringify(context)},"responsePayload":`));
    parts.push(payload.length === 0 ? Buffer.from("null") : payload);
  }
  return Buffer.concat([...parts, Buffer.from("}")]);
}
