import { parseArn } from "#core/arn";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Principal } from "#core/principal";
import type { MetricSink } from "#engine/contract";
import type { AsyncEvent } from "#engine/invocation/async-event";
import { DEFAULT_EVENT_LIMITS, type EventLimits, type EventOutcome } from "#engine/invocation/async-outcome";
import type { CallerIdentity } from "#wire/operation";
import type { Concurrency } from "./concurrency.ts";
import type { AsyncInvoker } from "./async-invoker.ts";
import { sendDeadLetter } from "./dead-letters.ts";
import type { Delivery } from "./delivery.ts";
import { functionTarget, type FunctionTarget } from "./destinations.ts";
import { errors } from "./errors.ts";
import { recordKey, writeRecord } from "./invocation-record.ts";
import { LIMITS } from "./limits.ts";
import { extendLineage, startLineage } from "./lineage.ts";
import { countOne } from "./metrics.ts";
import type { RoleOwner } from "./names.ts";
import { findQualified } from "./qualified.ts";
import type { EventInvokeRecord, FunctionSettings } from "./records.ts";
import { maySend, type RoleMay } from "./role-permissions.ts";
import { keys, type LambdaStore } from "./store.ts";

/** What functions' event invoke configs mean for events that were accepted: handed to whoever runs these. */
export interface AsyncEvents {
  limits(event: AsyncEvent): EventLimits | undefined;
  /**
   * Sends what became of an event where it is to go: to a destination, and to a dead-letter queue. Undefined where it
   * goes nowhere. What cannot be delivered is counted and let go.
   */
  deliver(event: AsyncEvent, outcome: EventOutcome): Promise<void> | undefined;
}

export interface AsyncEventsOptions {
  readonly store: LambdaStore;
  readonly asyncInvoker: AsyncInvoker;
  readonly concurrency: Pick<Concurrency, "of">;
  readonly delivery: Delivery;
  readonly rolePrincipal: (owner: RoleOwner) => Principal;
  readonly roleMay: RoleMay;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly metrics: MetricSink | undefined;
}

export function createAsyncEvents(options: AsyncEventsOptions): AsyncEvents {
  const { store, asyncInvoker, concurrency, delivery, clock, ids, metrics } = options;

  function configOf({ account, region, functionName, qualifier }: AsyncEvent): EventInvokeRecord | undefined {
    const key = keys.eventInvoke({ account, region }, functionName, qualifier ?? "$LATEST");
    return store.documents.get<EventInvokeRecord>(key)?.value;
  }

  /** Of the version that ran, or that would run now; undefined where the function is gone. */
  function settingsOf(event: AsyncEvent, { last }: EventOutcome): FunctionSettings | undefined {
    const found = findQualified(store, event, event.functionName, last?.version ?? event.qualifier)?.value;
    if (found === undefined || "settings" in found) return found?.settings;
    return store.version(event, event.functionName, found.version)?.value.settings;
  }

  /** The trace header of what an event leads to: under the function's segment, where its last run was traced. */
  function headerAfter(event: AsyncEvent, { last }: EventOutcome): string {
    const ran = last?.result.traceHeader;
    const traced = ran?.includes(";Sampled=1") === true ? ran : undefined;
    if (event.traceHeader !== undefined) return traced ?? event.traceHeader;
    return startLineage(event, event.functionName, traced, clock.now(), ids);
  }

  /** The function's role, which must be allowed to send to where its outcomes go. */
  function senderOf(
    event: AsyncEvent,
    outcome: EventOutcome,
    settings: FunctionSettings,
    target: string,
  ): CallerIdentity {
    const { account, functionName: name } = event;
    const traceHeader = headerAfter(event, outcome);
    return {
      principal: options.rolePrincipal({ account, name, roleArn: settings.roleArn }),
      region: parseArn(target)?.region || event.region,
      traceHeader,
    };
  }

  function count(event: AsyncEvent, name: "DestinationDeliveryFailures" | "DeadLetterErrors"): void {
    // AWS counts what it cannot deliver and lets it go (developer guide, "Types of metrics for Lambda functions").
    countOne(metrics, event, event.functionName, name, clock.now());
  }

  async function sendRecord(event: AsyncEvent, outcome: EventOutcome, destination: string): Promise<void> {
    try {
      const target = functionTarget(destination);
      if (target !== undefined) return await invokeWithRecord(event, outcome, destination, target);
      const settings = settingsOf(event, outcome);
      if (settings === undefined) throw errors.functionNotFound(event.functionArn);
      const by = senderOf(event, outcome, settings, destination);
      const whole = writeRecord(event, outcome, clock.now());
      const within = (limit: number): string =>
        (whole.length <= limit ? whole : writeRecord(event, outcome, clock.now(), false)).toString();
      switch (parseArn(destination)?.service) {
        case "sqs":
          return await delivery.toQueue(destination, within(LIMITS.queueMessageBytes), by);
        case "sns":
          return await delivery.toTopic(destination, within(LIMITS.topicMessageBytes), by);
        case "s3":
          return await delivery.toBucket(
            destination,
            recordKey(event.functionName, clock.now(), ids.uuid()),
            whole,
            by,
          );
        default:
          throw errors.destinationInvalid(destination);
      }
    } catch {
      count(event, "DestinationDeliveryFailures");
    }
  }

  async function invokeWithRecord(
    event: AsyncEvent,
    outcome: EventOutcome,
    destination: string,
    target: FunctionTarget,
  ): Promise<void> {
    const payload = writeRecord(event, outcome, clock.now());
    if (findQualified(store, target, target.name, target.qualifier) === undefined)
      throw errors.functionNotFound(target.name);
    const settings = settingsOf(event, outcome);
    const owner = { account: event.account, name: event.functionName, roleArn: settings?.roleArn ?? "" };
    if (!maySend(options.roleMay, owner, target.region, destination))
      throw errors.roleMayNotSend("InvokeFunction", destination);
    if (payload.length > LIMITS.asynchronousPayloadBytes)
      throw errors.requestTooLarge(LIMITS.asynchronousPayloadBytes, "InvokeFunction");
    const { account, region, name: functionName, qualifier } = target;
    const header = headerAfter(event, outcome);
    let traceHeader: string | undefined;
    try {
      traceHeader = extendLineage(store, target, target.name, header);
    } catch {
      return countOne(metrics, target, target.name, "RecursiveInvocationsDropped", clock.now());
    }
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

  async function bury(event: AsyncEvent, outcome: EventOutcome): Promise<void> {
    const settings = settingsOf(event, outcome);
    const target = settings?.deadLetterArn;
    if (settings === undefined || target === undefined) return;
    try {
      await sendDeadLetter(delivery, target, event, outcome, senderOf(event, outcome, settings, target));
    } catch {
      count(event, "DeadLetterErrors");
    }
  }

  return {
    limits(event) {
      const stopped = concurrency.of(event, event.functionName).reserved === 0;
      const config = configOf(event);
      if (config === undefined) return stopped ? { ...DEFAULT_EVENT_LIMITS, stopped } : undefined;
      const { maximumRetryAttempts, maximumEventAgeSeconds } = config;
      return {
        maxRetries: maximumRetryAttempts ?? DEFAULT_EVENT_LIMITS.maxRetries,
        maxAgeMs:
          maximumEventAgeSeconds === undefined
            ? DEFAULT_EVENT_LIMITS.maxAgeMs
            : maximumEventAgeSeconds * 1000,
        ...(stopped ? { stopped } : {}),
      };
    },

    deliver(event, outcome) {
      const config = configOf(event);
      if (outcome.condition === "Success")
        return config?.onSuccess === undefined ? undefined : sendRecord(event, outcome, config.onSuccess);
      const { onFailure } = config ?? {};
      return Promise.all([
        bury(event, outcome),
        onFailure === undefined ? undefined : sendRecord(event, outcome, onFailure),
      ]).then(() => undefined);
    },
  };
}
