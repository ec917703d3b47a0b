import type { CreateEventSourceMappingRequest } from "@aws-sdk/client-lambda";
import { parseArn } from "#core/arn";
import { errors } from "./errors.ts";
import { compileFilter } from "./mappings/filter.ts";
import type { MappingSettings } from "./records.ts";

type Setting = keyof CreateEventSourceMappingRequest;

/** What mappings of one kind of event source can be set to, and what they are without. */
export interface SourceKind {
  /** As ARNs name the service; `kafka` also for clusters that are not AWS's. */
  readonly service: "sqs" | "kinesis" | "dynamodb" | "kafka" | "mq" | "rds";
  readonly settings: ReadonlySet<Setting>;
  readonly defaults: MappingSettings;
  readonly maximumBatchSize: number;
  /** AWS words it in two ways (recorded). */
  readonly reason: "USER_INITIATED" | "User action";
  /** What GetEventSourceMapping says of records that were processed, where it says anything. */
  readonly firstResult: "No records processed" | undefined;
}

const COMMON = [
  "EventSourceArn",
  "FunctionName",
  "Enabled",
  "BatchSize",
  "FilterCriteria",
  "MetricsConfig",
  "LoggingConfig",
  "MaximumBatchingWindowInSeconds",
  "Tags",
] as const satisfies readonly Setting[];

const POSITION = ["StartingPosition", "StartingPositionTimestamp"] as const satisfies readonly Setting[];

const STREAM = [
  ...COMMON,
  ...POSITION,
  "ParallelizationFactor",
  "DestinationConfig",
  "MaximumRecordAgeInSeconds",
  "BisectBatchOnFunctionError",
  "MaximumRetryAttempts",
  "TumblingWindowInSeconds",
  "FunctionResponseTypes",
] as const satisfies readonly Setting[];

const KAFKA = [
  ...COMMON,
  ...POSITION,
  "Topics",
  "SourceAccessConfigurations",
  "DestinationConfig",
  "ProvisionedPollerConfig",
  "FunctionResponseTypes",
  "MaximumRecordAgeInSeconds",
  "BisectBatchOnFunctionError",
  "MaximumRetryAttempts",
] as const satisfies readonly Setting[];

const STREAM_DEFAULTS: MappingSettings = {
  BatchSize: 100,
  MaximumBatchingWindowInSeconds: 0,
  ParallelizationFactor: 1,
  DestinationConfig: { OnFailure: {} },
  MaximumRecordAgeInSeconds: -1,
  BisectBatchOnFunctionError: false,
  MaximumRetryAttempts: -1,
  TumblingWindowInSeconds: 0,
  FunctionResponseTypes: [],
};

function stream(service: "kinesis" | "dynamodb"): SourceKind {
  return {
    service,
    settings: new Set(STREAM),
    defaults: STREAM_DEFAULTS,
    maximumBatchSize: 10_000,
    reason: "User action",
    firstResult: "No records processed",
  };
}

function queueOrCluster(
  service: "kafka" | "mq" | "rds",
  settings: readonly Setting[],
  defaults: MappingSettings = {},
): SourceKind {
  return {
    service,
    settings: new Set(settings),
    defaults: { BatchSize: 100, MaximumBatchingWindowInSeconds: 0, ...defaults },
    maximumBatchSize: 10_000,
    reason: "USER_INITIATED",
    firstResult: "No records processed",
  };
}

function sqs(fifo: boolean): SourceKind {
  return {
    service: "sqs",
    settings: new Set([...COMMON, "ScalingConfig", "FunctionResponseTypes", "ProvisionedPollerConfig"]),
    defaults: { BatchSize: 10, MaximumBatchingWindowInSeconds: 0, FunctionResponseTypes: [] },
    maximumBatchSize: fifo ? 10 : 10_000,
    reason: "USER_INITIATED",
    firstResult: undefined,
  };
}

const SELF_MANAGED_KAFKA = queueOrCluster(
  "kafka",
  [...KAFKA, "SelfManagedEventSource", "SelfManagedKafkaEventSourceConfig"],
  { DestinationConfig: { OnFailure: {} } },
);
const KINDS: Readonly<Record<string, SourceKind>> = {
  sqs: sqs(false),
  kinesis: stream("kinesis"),
  dynamodb: stream("dynamodb"),
  kafka: queueOrCluster("kafka", [...KAFKA, "AmazonManagedKafkaEventSourceConfig"], {
    DestinationConfig: { OnFailure: {} },
  }),
  mq: queueOrCluster("mq", [...COMMON, "Queues", "SourceAccessConfigurations"]),
  rds: queueOrCluster("rds", [
    ...COMMON,
    ...POSITION,
    "SourceAccessConfigurations",
    "DocumentDBEventSourceConfig",
  ]),
};
const FIFO = sqs(true);

/** @throws AwsError InvalidParameterValueException where nothing could be polled there */
export function kindOfSource(settings: {
  readonly EventSourceArn?: string | undefined;
  readonly SelfManagedEventSource?: object | undefined;
}): SourceKind {
  const { EventSourceArn, SelfManagedEventSource } = settings;
  if (SelfManagedEventSource !== undefined && EventSourceArn === undefined) return SELF_MANAGED_KAFKA;
  const kind = KINDS[parseArn(EventSourceArn ?? "")?.service ?? ""];
  if (kind === undefined || SelfManagedEventSource !== undefined) throw errors.unknownEventSource();
  return kind.service === "sqs" && EventSourceArn?.endsWith(".fifo") === true ? FIFO : kind;
}

/**
 * Checks what a caller chose against the kind of source, in the order that recordings show.
 * @param given what the request holds
 * @param merged that over the defaults, or over what there was
 * @throws AwsError InvalidParameterValueException
 */
export function requireFitting(
  kind: SourceKind,
  given: Partial<CreateEventSourceMappingRequest>,
  merged: MappingSettings,
): void {
  if (given.KMSKeyArn) throw errors.notAvailable("KMSKeyArn");
  if (given.DestinationConfig?.OnSuccess !== undefined)
    throw errors.unsupportedForSource("DestinationConfig");
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && name !== "KMSKeyArn" && !kind.settings.has(name as Setting))
      throw errors.unsupportedForSource(name);
  requirePosition(kind, merged);
  requireBatches(kind, merged);
  requireParts(kind, merged);
  compileFilter(given.FilterCriteria);
  requirePollers(kind, merged);
  if (merged.ScalingConfig?.MaximumConcurrency !== undefined && merged.ProvisionedPollerConfig !== undefined)
    throw errors.scalingAndPollers();
}

function requirePosition({ settings, service }: SourceKind, merged: MappingSettings): void {
  if (!settings.has("StartingPosition")) return;
  const { StartingPosition, startingTime } = merged;
  if (StartingPosition === undefined) throw errors.startingPositionMissing();
  if (StartingPosition === "AT_TIMESTAMP") {
    if (service === "dynamodb") throw errors.unsupportedStartingPosition(merged.EventSourceArn ?? "");
    if (startingTime === undefined) throw errors.startingTimeMissing();
  } else if (startingTime !== undefined) throw errors.unsupportedForSource("StartingPositionTimestamp");
}

function requireBatches({ service, maximumBatchSize }: SourceKind, merged: MappingSettings): void {
  const { BatchSize = 0, MaximumBatchingWindowInSeconds = 0, MaximumRecordAgeInSeconds = -1 } = merged;
  if (BatchSize > maximumBatchSize) throw errors.batchTooLarge(maximumBatchSize);
  if (service === "sqs" && BatchSize > 10 && MaximumBatchingWindowInSeconds === 0)
    throw errors.batchWindowMissing();
  if (MaximumRecordAgeInSeconds > -1 && MaximumRecordAgeInSeconds < 60) throw errors.recordAgeTooSmall();
}

/** What the wire's bounds, which are those of all sources together, let through (API reference, ProvisionedPollerConfig). */
function requirePollers({ service }: SourceKind, { ProvisionedPollerConfig = {} }: MappingSettings): void {
  const [least, most] = service === "sqs" ? [2, 10_000] : [1, 2000];
  const { MinimumPollers = least, MaximumPollers = most } = ProvisionedPollerConfig;
  if (MinimumPollers < least) throw errors.pollersOutOfRange("MinimumPollers", least, 200);
  if (MaximumPollers < least || MaximumPollers > most)
    throw errors.pollersOutOfRange("MaximumPollers", least, most);
  if (MinimumPollers > MaximumPollers) throw errors.pollersCrossed();
}

function requireParts(kind: SourceKind, merged: MappingSettings): void {
  const needed: readonly (readonly [Setting, boolean])[] = [
    ["SourceAccessConfigurations", kind === SELF_MANAGED_KAFKA || kind.service === "mq"],
    ["Topics", kind.service === "kafka"],
    ["Queues", kind.service === "mq"],
    ["DocumentDBEventSourceConfig", kind.service === "rds"],
  ];
  for (const [name, required] of needed)
    if (required && (merged as Partial<Record<Setting, unknown>>)[name] === undefined)
      throw errors.requiredForSource(name);
}
