import { createHash } from "node:crypto";
import type {
  CreateEventSourceMappingRequest,
  EventSourceMappingConfiguration,
} from "@aws-sdk/client-lambda";
import { formatArn, parseArn } from "#core/arn";
import { AwsError } from "#core/errors";
import type { Change, Document } from "#storage/documents";
import type { CallContext, OperationsOf } from "#wire/operation";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { kindOfSource, requireFitting, type SourceKind } from "../event-sources.ts";
import { visibilityTimeout } from "../mappings/sqs-source.ts";
import { functionArn, parseFunctionName, type FunctionName, type Scope } from "../names.ts";
import { readMarker, takePage, writeMarker } from "../pages.ts";
import { findQualified } from "../qualified.ts";
import type { EventSourceMappingRecord, MappingSettings } from "../records.ts";
import { requirePolling } from "../role-permissions.ts";
import { addTags } from "../settings.ts";
import { commitDecision, keys } from "../store.ts";

type Request = Partial<CreateEventSourceMappingRequest>;

/** API reference, ListEventSourceMappings. */
const PAGE = 100;

/**
 * Event source mappings as they are configured. There is nothing to set up for one, so it is ready once it is stored:
 * answers tell of the transition (`Creating`), the next read of its end (`Enabled`). Where nothing polls the source, the
 * mapping says so in LastProcessingResult.
 */
export function eventSourceMappingOperations(context: LambdaContext) {
  const { store, clock, ids, mappings } = context;
  const { documents } = store;

  return {
    async CreateEventSourceMapping(input, call) {
      const { FunctionName, Enabled = true, Tags, StartingPositionTimestamp, ...chosen } = input;
      const given = withoutAbsent({ ...chosen, StartingPositionTimestamp });
      const kind = kindOfSource(chosen);
      const settings = compact({
        ...kind.defaults,
        ...withoutAbsent(chosen),
        startingTime: StartingPositionTimestamp?.getTime(),
      });
      requireFitting(kind, given, settings);
      const tags = addTags({}, Tags);
      const target = requireTarget(call, "CreateEventSourceMapping", FunctionName);
      await requireSource(target, settings);
      const record: EventSourceMappingRecord = {
        uuid: ids.uuid(),
        functionName: target.name,
        functionArn: functionArn(target, target.name, target.qualifier),
        enabled: Enabled,
        lastModified: clock.now(),
        settings,
        tags,
      };
      await commitDecision(documents, () => ({
        changes: [
          { key: keys.eventSourceMapping(call, record.uuid), value: record, expected: 0 },
          ...claimPair(call, record, undefined),
        ],
        result: undefined,
      }));
      mappings.apply(call, record.uuid);
      return { ...describe(call, record), State: "Creating" };
    },

    GetEventSourceMapping(input, call) {
      return describe(call, find(call, input.UUID).value);
    },

    ListEventSourceMappings(input, call) {
      const { EventSourceArn, FunctionName } = input;
      const name =
        FunctionName === undefined
          ? undefined
          : parseFunctionName(call, "ListEventSourceMappings", FunctionName);
      const after = readMarker<[string]>(input.Marker, ["string"])?.[0];
      const matching = mappingsAfter(
        call,
        after,
        ({ functionName, functionArn: arn, settings }) =>
          (EventSourceArn === undefined || settings.EventSourceArn === EventSourceArn) &&
          (name === undefined ||
            (name.qualifier === undefined
              ? functionName === name.name
              : arn === functionArn(name, name.name, name.qualifier))),
      );
      const { page, more } = takePage(matching, Math.min(input.MaxItems ?? PAGE, PAGE));
      const last = page.at(-1);
      return {
        EventSourceMappings: page.map((record) => describe(call, record)),
        ...(more && last !== undefined ? { NextMarker: writeMarker([last.uuid]) } : {}),
      };
    },

    async UpdateEventSourceMapping(input, call) {
      const { UUID, FunctionName, Enabled, ...chosen } = input;
      const given = withoutAbsent(chosen);
      find(call, UUID);
      const target =
        FunctionName === undefined
          ? undefined
          : requireTarget(call, "UpdateEventSourceMapping", FunctionName);
      if (target !== undefined) await requireSource(target, find(call, UUID).value.settings);
      const { before, after } = await commitDecision(documents, () => {
        const found = find(call, UUID);
        const settings = compact({ ...found.value.settings, ...given });
        requireFitting(kindOfSource(settings), given, settings);
        const value: EventSourceMappingRecord = {
          ...found.value,
          ...(target === undefined
            ? {}
            : {
                functionName: target.name,
                functionArn: functionArn(target, target.name, target.qualifier),
              }),
          enabled: Enabled ?? found.value.enabled,
          lastModified: clock.now(),
          settings,
        };
        return {
          changes: [
            { key: found.key, value, expected: found.revision },
            ...claimPair(call, value, found.value),
          ],
          result: { before: found.value, after: value },
        };
      });
      mappings.apply(call, after.uuid);
      const switched = after.enabled ? "Enabling" : "Disabling";
      const State = after.enabled === before.enabled ? "Updating" : switched;
      return { ...describe(call, after), State };
    },

    async DeleteEventSourceMapping(input, call) {
      const deleted = await commitDecision(documents, () => {
        const found = find(call, input.UUID);
        const changes: Change[] = [
          { key: found.key, delete: true, expected: found.revision },
          ...releasePair(call, found.value),
        ];
        return { changes, result: found.value };
      });
      mappings.apply(call, deleted.uuid);
      return { ...describe(call, deleted), State: "Deleting" };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function find(scope: Scope, uuid = ""): Document<EventSourceMappingRecord> {
    const found = documents.get<EventSourceMappingRecord>(keys.eventSourceMapping(scope, uuid));
    if (found === undefined) throw errors.resourceMissing();
    return found;
  }

  function* mappingsAfter(
    scope: Scope,
    after: string | undefined,
    fits: (record: EventSourceMappingRecord) => boolean,
  ): Generator<EventSourceMappingRecord> {
    const all = documents.list<EventSourceMappingRecord>(
      [scope.account, scope.region, "event-source-mapping"],
      after === undefined ? {} : { after: keys.eventSourceMapping(scope, after) },
    );
    for (const { value } of all) if (fits(value)) yield value;
  }

  function requireTarget(call: CallContext, action: string, text: string | undefined): FunctionName {
    const name = parseFunctionName(call, action, text);
    if (findQualified(store, name, name.name, name.qualifier) === undefined)
      throw errors.mappedFunctionMissing();
    // No event of a source names a tenant.
    if (store.function(name, name.name)?.value.settings.tenancy !== undefined)
      throw errors.notWithTenancy("An event source mapping");
    return name;
  }

  /**
   * Checks a queue that is to be polled as AWS does, as the function's role.
   * @throws AwsError InvalidParameterValueException
   */
  async function requireSource(target: FunctionName, settings: MappingSettings): Promise<void> {
    const { EventSourceArn: arn = "" } = settings;
    if (parseArn(arn)?.service !== "sqs" || !mappings.polls("sqs")) return;
    const roleArn = store.function(target, target.name)?.value.settings.roleArn ?? "";
    requirePolling(context.roleMay, { ...target, roleArn }, target.region, arn);
    const hidden = await visibilityTimeout(context.caller, arn, mappings.role(target)).catch(
      (error: unknown) => {
        if (!(error instanceof AwsError)) throw error;
        throw MISSING_QUEUE.has(error.code)
          ? errors.sourceQueueMissing(error.message)
          : errors.roleMayNot("ReceiveMessage", "SQS");
      },
    );
    const timeout = store.function(target, target.name)?.value.settings.timeoutSeconds ?? 0;
    if (hidden !== undefined && hidden < timeout) throw errors.queueVisibilityTooShort(hidden, timeout);
  }

  /** One event source and one function are joined by one mapping. */
  function claimPair(
    scope: Scope,
    record: EventSourceMappingRecord,
    before: EventSourceMappingRecord | undefined,
  ): Change[] {
    const key = pairKey(scope, record);
    if (key === undefined || before?.functionArn === record.functionArn) return [];
    const taken = documents.get<string>(key);
    if (taken !== undefined) throw alreadyMapped(record, taken.value);
    return [
      ...(before === undefined ? [] : releasePair(scope, before)),
      { key, value: record.uuid, expected: 0 },
    ];
  }

  /** What LastProcessingResult says of a mapping that is enabled. */
  function resultOf({ service, firstResult }: SourceKind, problem: string | undefined): string | undefined {
    if (!mappings.polls(service))
      return `PROBLEM: nothing polls event sources of ${service} on this platform yet.`;
    return problem === undefined ? firstResult : `PROBLEM: ${problem}`;
  }

  function describe(scope: Scope, record: EventSourceMappingRecord): EventSourceMappingConfiguration {
    const { uuid, enabled, settings } = record;
    const { startingTime, FilterCriteria, ...shown } = settings;
    const kind = kindOfSource(settings);
    const { busy, problem } = mappings.state(scope, uuid);
    const result = enabled ? resultOf(kind, problem) : kind.firstResult;
    return {
      ...shown,
      ...(FilterCriteria?.Filters === undefined || FilterCriteria.Filters.length === 0
        ? {}
        : { FilterCriteria }),
      ...(startingTime === undefined ? {} : { StartingPositionTimestamp: new Date(startingTime) }),
      UUID: uuid,
      EventSourceMappingArn: formatArn("lambda", scope.region, scope.account, `event-source-mapping:${uuid}`),
      FunctionArn: record.functionArn,
      LastModified: new Date(record.lastModified),
      ...(result === undefined ? {} : { LastProcessingResult: result }),
      State: enabled ? "Enabled" : busy ? "Disabling" : "Disabled",
      StateTransitionReason: kind.reason,
    };
  }
}

/** Those of SQS, by its two protocols. */
const MISSING_QUEUE: ReadonlySet<string> = new Set([
  "QueueDoesNotExist",
  "AWS.SimpleQueueService.NonExistentQueue",
]);

function releasePair(scope: Scope, record: EventSourceMappingRecord): Change[] {
  const key = pairKey(scope, record);
  return key === undefined ? [] : [{ key, delete: true }];
}

/** Hashed, because ARNs of event sources are longer than a key may be. Clusters that are not AWS's have no ARN. */
function pairKey(scope: Scope, { settings, functionArn: arn }: EventSourceMappingRecord) {
  const { EventSourceArn } = settings;
  if (EventSourceArn === undefined) return undefined;
  return keys.eventSourcePair(scope, createHash("sha256").update(`${EventSourceArn}\n${arn}`).digest("hex"));
}

function alreadyMapped({ settings, functionName }: EventSourceMappingRecord, uuid: string): Error {
  const { EventSourceArn = "" } = settings;
  return parseArn(EventSourceArn)?.service === "sqs"
    ? errors.queueAlreadyMapped(EventSourceArn, functionName, uuid)
    : errors.sourceAlreadyMapped(EventSourceArn, functionName, uuid);
}

/** Members that a client did not send are no choices. */
function withoutAbsent<Value extends Request>(value: Value): Value {
  return compact(value);
}

function compact<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Value;
}
