import type { DestinationConfig, FunctionEventInvokeConfig } from "@aws-sdk/client-lambda";
import type { Document } from "#storage/documents";
import type { CallContext, OperationsOf } from "#wire/operation";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { absentDestinations, requireDestinations, type Destinations } from "../destinations.ts";
import { errors } from "../errors.ts";
import { functionArn, parseFunctionName, parseUnqualifiedName, type FunctionName } from "../names.ts";
import { pageSize, readMarker, takePage, writeMarker } from "../pages.ts";
import { findQualified } from "../qualified.ts";
import type { EventInvokeRecord } from "../records.ts";
import { requireSending } from "../role-permissions.ts";
import { commitDecision, keys, unchanged } from "../store.ts";

interface Settings {
  readonly FunctionName: string | undefined;
  readonly Qualifier?: string | undefined;
  readonly MaximumRetryAttempts?: number | undefined;
  readonly MaximumEventAgeInSeconds?: number | undefined;
  readonly DestinationConfig?: DestinationConfig | undefined;
}

/** How often and how long asynchronous events are tried, and where their outcomes go: see async-events.ts. */
export function eventInvokeConfigOperations(context: LambdaContext) {
  const { store, clock, delivery } = context;
  const { documents } = store;

  return {
    PutFunctionEventInvokeConfig(input, call) {
      const name = nameOf(call, "PutFunctionEventInvokeConfig", input);
      return write(call, name, input, () => undefined);
    },

    UpdateFunctionEventInvokeConfig(input, call) {
      const name = nameOf(call, "UpdateFunctionEventInvokeConfig", input);
      return write(call, name, input, (before) => {
        if (before === undefined) throw missing(name);
        return before;
      });
    },

    GetFunctionEventInvokeConfig(input, call) {
      const name = nameOf(call, "GetFunctionEventInvokeConfig", input);
      // Recorded: the same answer whether or not there is such a function.
      const found = recordOf(name);
      if (found === undefined) throw missing(name);
      return describe(name, found.value);
    },

    async DeleteFunctionEventInvokeConfig(input, call) {
      const name = nameOf(call, "DeleteFunctionEventInvokeConfig", input);
      await commitDecision(documents, () => {
        const found = recordOf(name);
        if (found === undefined) throw missing(name);
        const change = { key: found.key, delete: true as const, expected: found.revision };
        return { changes: [change], result: undefined };
      });
      return {};
    },

    ListFunctionEventInvokeConfigs(input, call) {
      const name = parseUnqualifiedName(call, "ListFunctionEventInvokeConfigs", input.FunctionName);
      if (store.function(name, name.name) === undefined) throw errors.noFunction();
      const after = readMarker<[string]>(input.Marker, ["string"])?.[0];
      const size = pageSize(input.MaxItems);
      const { page, more } = takePage(
        documents.list<EventInvokeRecord>([name.account, name.region, "function-event-invoke", name.name], {
          limit: size + 1,
          ...(after === undefined ? {} : { after: keys.eventInvoke(name, name.name, after) }),
        }),
        size,
      );
      const last = page.at(-1);
      return {
        FunctionEventInvokeConfigs: page.map(({ key, value }) =>
          describe({ ...name, qualifier: String(key[4]) }, value),
        ),
        ...(more && last !== undefined ? { NextMarker: writeMarker([String(last.key[4])]) } : {}),
      };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function recordOf(name: FunctionName): Document<EventInvokeRecord> | undefined {
    return documents.get<EventInvokeRecord>(keys.eventInvoke(name, name.name, name.qualifier ?? "$LATEST"));
  }

  /** @param base what the settings that are not given keep */
  async function write(
    call: CallContext,
    name: FunctionName,
    settings: Settings,
    base: (before: EventInvokeRecord | undefined) => EventInvokeRecord | undefined,
  ): Promise<FunctionEventInvokeConfig> {
    const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = settings;
    if (
      MaximumRetryAttempts === undefined &&
      MaximumEventAgeInSeconds === undefined &&
      DestinationConfig === undefined
    )
      throw errors.nothingToConfigure();
    if (findQualified(store, name, name.name, name.qualifier) === undefined) throw errors.noFunction();
    const destinations = DestinationConfig === undefined ? undefined : destinationsOf(DestinationConfig);
    const absent =
      destinations === undefined
        ? new Set<string>()
        : await absentDestinations(delivery, destinations, {
            principal: call.principal,
            region: call.region,
          });
    const record = await store.updateFunction(name, (found) => {
      // Again: a version or an alias may have gone in between.
      if (findQualified(store, name, name.name, name.qualifier) === undefined) throw errors.noFunction();
      if (destinations !== undefined) {
        requireDestinations(store, name, name.name, destinations, absent);
        const owner = { ...name, roleArn: found.value.settings.roleArn };
        for (const arn of [destinations.onSuccess, destinations.onFailure])
          if (arn !== undefined) requireSending(context.roleMay, owner, name.region, arn);
      }
      const before = recordOf(name);
      const kept = base(before?.value);
      const value = compact({
        maximumRetryAttempts: MaximumRetryAttempts ?? kept?.maximumRetryAttempts,
        maximumEventAgeSeconds: MaximumEventAgeInSeconds ?? kept?.maximumEventAgeSeconds,
        onSuccess: destinations === undefined ? kept?.onSuccess : destinations.onSuccess,
        onFailure: destinations === undefined ? kept?.onFailure : destinations.onFailure,
        lastModified: clock.now(),
      });
      const key = keys.eventInvoke(name, name.name, name.qualifier ?? "$LATEST");
      return {
        changes: [unchanged(found), { key, value, expected: before?.revision ?? 0 }],
        result: value,
      };
    });
    return describe(name, record);
  }
}

function nameOf(call: CallContext, action: string, input: Settings): FunctionName {
  return parseFunctionName(call, action, input.FunctionName, input.Qualifier);
}

function missing(name: FunctionName): Error {
  return errors.noEventInvokeConfig(functionArn(name, name.name, name.qualifier ?? "$LATEST"));
}

/** An empty ARN is none, as its pattern allows. */
function destinationsOf({ OnSuccess, OnFailure }: DestinationConfig): Destinations {
  return { onSuccess: OnSuccess?.Destination || undefined, onFailure: OnFailure?.Destination || undefined };
}

/** Members without a value are not stored, nor shown. */
function compact(record: { [Name in keyof EventInvokeRecord]: EventInvokeRecord[Name] | undefined }) {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => value !== undefined),
  ) as unknown as EventInvokeRecord;
}

function describe(name: FunctionName, record: EventInvokeRecord): FunctionEventInvokeConfig {
  const { maximumRetryAttempts, maximumEventAgeSeconds, onSuccess, onFailure, lastModified } = record;
  return {
    LastModified: new Date(lastModified),
    FunctionArn: functionArn(name, name.name, name.qualifier ?? "$LATEST"),
    ...(maximumRetryAttempts === undefined ? {} : { MaximumRetryAttempts: maximumRetryAttempts }),
    ...(maximumEventAgeSeconds === undefined ? {} : { MaximumEventAgeInSeconds: maximumEventAgeSeconds }),
    DestinationConfig: {
      OnSuccess: onSuccess === undefined ? {} : { Destination: onSuccess },
      OnFailure: onFailure === undefined ? {} : { Destination: onFailure },
    },
  };
}
