import { setImmediate as nextTurn } from "node:timers/promises";
import { parseArn } from "#core/arn";
import type { Principal } from "#core/principal";
import type { QueueMapping, QueueSource, ScalingPlan } from "#engine/pollers/contract";
import type { MappingState, Pollers } from "#engine/pollers/pollers";
import { QUEUE_SCALING } from "#engine/pollers/scaling";
import type { AwsCaller, CallerIdentity } from "#wire/operation";
import { errors } from "../errors.ts";
import { registeredScopes } from "../lifecycle.ts";
import { functionTarget } from "../destinations.ts";
import { functionArn, type FunctionName, type RoleOwner, type Scope } from "../names.ts";
import type { EventSourceMappingRecord } from "../records.ts";
import { keys } from "../store.ts";
import { compileFilter } from "./filter.ts";
import { mappingMeter } from "./meter.ts";
import { createSqsSource } from "./sqs-source.ts";
import { createTarget, type TargetOptions } from "./target.ts";

/** What polls event sources: the engine's pollers, and who tells when a queue may hold messages. */
export interface Polling {
  /** Services, as ARNs name them, whose event sources are polled. */
  readonly services: ReadonlySet<string>;
  readonly pollers: Pollers;
  /** @param arn of a queue */
  readonly ready: (arn: string) => QueueSource["ready"];
}

/** Event source mappings at work. */
export interface Mappings {
  /** Whether anything polls sources of this kind. */
  polls(service: string): boolean;
  /** Polls for a mapping as it is stored now; call after each commit that may have changed it, deletions included. */
  apply(scope: Scope, uuid: string): void;
  /** After a start: polls for every mapping that is enabled. Resolves once it does; there may be very many. */
  resume(): Promise<void>;
  state(scope: Scope, uuid: string): MappingState;
  /** The role of a mapping's function, as which its source is read. */
  role(name: FunctionName): CallerIdentity;
  /** Stops all, as when the storage was emptied. */
  reset(): void;
  /** Takes up nothing more. */
  close(): void;
}

export interface MappingsOptions extends TargetOptions {
  readonly caller: AwsCaller;
  readonly rolePrincipal: (owner: RoleOwner) => Principal;
  /** Without it nothing is polled. */
  readonly polling: Polling | undefined;
  /** Told of a mapping that cannot be taken up: the others are all the same. */
  readonly onProblem: (problem: unknown) => void;
}

/** Mappings that are taken up in one turn of the event loop: a look at the queue of each takes some 20 µs. */
const AT_ONCE = 50;

const UNPOLLED: MappingState = { busy: false, problem: undefined };

export function createMappings(options: MappingsOptions): Mappings {
  const { store, caller, rolePrincipal, polling, metrics, clock } = options;
  let closed = false;

  function role(name: FunctionName): CallerIdentity {
    const { account, region } = name;
    const found = store.function(name, name.name);
    if (found === undefined) throw errors.functionNotFound(functionArn(name, name.name));
    const { roleArn } = found.value.settings;
    return { principal: rolePrincipal({ account, name: name.name, roleArn }), region };
  }

  function planOf(scope: Scope, record: EventSourceMappingRecord, ready: Polling["ready"]): QueueMapping {
    const { settings, uuid } = record;
    const { EventSourceArn: arn = "", BatchSize = 10, MaximumBatchingWindowInSeconds = 0 } = settings;
    const name = functionTarget(record.functionArn) ?? {
      ...scope,
      name: record.functionName,
      qualifier: undefined,
    };
    return {
      id: idOf(scope, uuid),
      source: createSqsSource({
        caller,
        arn,
        by: () => role(name),
        ready: ready(arn),
        windowed: MaximumBatchingWindowInSeconds > 0,
      }),
      target: createTarget(options, name),
      batchSize: BatchSize,
      windowMs: MaximumBatchingWindowInSeconds * 1000,
      ordered: arn.endsWith(".fifo"),
      partial: settings.FunctionResponseTypes?.includes("ReportBatchItemFailures") ?? false,
      scaling: scalingOf(record),
      accepts: compileFilter(settings.FilterCriteria),
      count: settings.MetricsConfig?.Metrics?.includes("EventCount")
        ? mappingMeter(metrics, scope, uuid, clock)
        : undefined,
    };
  }

  function run(scope: Scope, record: EventSourceMappingRecord): void {
    if (polling === undefined || !isPolled(record)) return;
    if (record.enabled) polling.pollers.start(planOf(scope, record, polling.ready));
    else polling.pollers.stop(idOf(scope, record.uuid));
  }

  function apply(scope: Scope, uuid: string): void {
    const found = store.documents.get<EventSourceMappingRecord>(keys.eventSourceMapping(scope, uuid));
    if (found === undefined) polling?.pollers.stop(idOf(scope, uuid));
    else run(scope, found.value);
  }

  return {
    polls: (service) => polling?.services.has(service) ?? false,

    apply,

    async resume() {
      if (polling === undefined) return;
      const mappings = [...registeredScopes(store.documents)].flatMap((scope) =>
        Array.from(
          store.documents.list([scope.account, scope.region, "event-source-mapping"]),
          ({ key }) => [scope, String(key[3])] as const,
        ),
      );
      for (const [index, [scope, uuid]] of mappings.entries()) {
        if (index % AT_ONCE === 0) await nextTurn();
        if (closed) return;
        try {
          apply(scope, uuid);
        } catch (problem) {
          options.onProblem(problem);
        }
      }
    },

    state: (scope, uuid) => polling?.pollers.state(idOf(scope, uuid)) ?? UNPOLLED,
    role,
    reset: () => polling?.pollers.clear(),
    close: () => (closed = true),
  };
}

function idOf({ account, region }: Scope, uuid: string): string {
  return `${account}/${region}/${uuid}`;
}

function isPolled({ settings }: EventSourceMappingRecord): boolean {
  return parseArn(settings.EventSourceArn ?? "")?.service === "sqs";
}

/** "Configuring provisioned mode": each poller runs up to 10 batches at once, and pollers are added three times as fast. */
const BATCHES_OF_A_POLLER = 10;
const PROVISIONED_PER_MINUTE = 1000;
const DEFAULT_POLLERS = { least: 2, most: 200 };

function scalingOf({ settings }: EventSourceMappingRecord): ScalingPlan {
  const { ScalingConfig, ProvisionedPollerConfig } = settings;
  if (ProvisionedPollerConfig !== undefined) {
    const { MinimumPollers = DEFAULT_POLLERS.least, MaximumPollers = DEFAULT_POLLERS.most } =
      ProvisionedPollerConfig;
    return {
      first: MinimumPollers * BATCHES_OF_A_POLLER,
      perMinute: PROVISIONED_PER_MINUTE,
      most: MaximumPollers * BATCHES_OF_A_POLLER,
    };
  }
  return { ...QUEUE_SCALING, most: ScalingConfig?.MaximumConcurrency ?? QUEUE_SCALING.most };
}
