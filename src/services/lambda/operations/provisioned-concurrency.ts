import type { GetProvisionedConcurrencyConfigResponse } from "@aws-sdk/client-lambda";
import type { CallContext, OperationsOf } from "#wire/operation";
import { pointsTo, totalProvisioned, withoutProvisioned } from "../concurrency.ts";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import {
  functionArn,
  kindOfQualifier,
  parseFunctionName,
  parseUnqualifiedName,
  type FunctionName,
} from "../names.ts";
import { pageSize, readMarker, takePage, writeMarker } from "../pages.ts";
import type { AliasRecord, ConcurrencyRecord, ProvisionedRecord } from "../records.ts";
import { isSnapStarted } from "../snap-start.ts";
import { unchanged } from "../store.ts";

/** A name whose qualifier was given. */
interface QualifiedName extends FunctionName {
  readonly qualifier: string;
}

/** Provisioned concurrency: environments of an alias or a version that are initialised ahead of invocations. */
export function provisionedConcurrencyOperations(context: LambdaContext) {
  const { store, concurrency, engine, clock } = context;

  return {
    async PutProvisionedConcurrencyConfig(input, call) {
      const name = qualified(call, "PutProvisionedConcurrencyConfig", input);
      if (name.qualifier === "$LATEST") throw errors.provisionedOnUnpublished();
      const alias = requireTarget(name);
      const requested = input.ProvisionedConcurrentExecutions ?? 0;
      const record: ProvisionedRecord = { requested, lastModified: clock.now() };
      await store.updateFunction(name, (found) => {
        const before = concurrency.of(name, name.name);
        const after = { ...before, provisioned: { ...before.provisioned, [name.qualifier]: record } };
        requireSuitable(name, alias === undefined ? undefined : requireTarget(name));
        if (found.value.settings.tenancy !== undefined)
          throw errors.notWithTenancy("Provisioned Concurrency");
        if (after.reserved !== undefined && totalProvisioned(after) > after.reserved)
          throw errors.provisionedAboveReserved();
        concurrency.requireRoom(name, name.name, after, "provisioned");
        requireUnprovisioned(name, before);
        const changes = [unchanged(found), ...concurrency.change(name, name.name, after)];
        return { changes, result: undefined };
      });
      concurrency.apply(name, name.name);
      // Recorded: what was just put is in progress, however soon it is done.
      return { ...describe(name, record), Status: "IN_PROGRESS" };
    },

    GetProvisionedConcurrencyConfig(input, call) {
      const name = qualified(call, "GetProvisionedConcurrencyConfig", input);
      if (name.qualifier === "$LATEST") throw errors.notAliasOrVersion();
      requireTarget(name);
      const record = concurrency.of(name, name.name).provisioned[name.qualifier];
      if (record === undefined) throw errors.noProvisionedConfig();
      return describe(name, record);
    },

    ListProvisionedConcurrencyConfigs(input, call) {
      const name = parseUnqualifiedName(call, "ListProvisionedConcurrencyConfigs", input.FunctionName);
      store.requireFunction(name, name.name);
      const after = readMarker<[string]>(input.Marker, ["string"])?.[0];
      const all = Object.entries(concurrency.of(name, name.name).provisioned)
        .filter(([qualifier]) => after === undefined || qualifier > after)
        .toSorted(([a], [b]) => (a < b ? -1 : 1));
      const { page, more } = takePage(all, pageSize(input.MaxItems));
      const last = page.at(-1);
      return {
        ProvisionedConcurrencyConfigs: page.map(([qualifier, record]) => ({
          FunctionArn: functionArn(name, name.name, qualifier),
          ...describe({ ...name, qualifier }, record),
        })),
        ...(more && last !== undefined ? { NextMarker: writeMarker([last[0]]) } : {}),
      };
    },

    async DeleteProvisionedConcurrencyConfig(input, call) {
      const name = qualified(call, "DeleteProvisionedConcurrencyConfig", input);
      if (name.qualifier === "$LATEST") throw errors.notAliasOrVersion();
      requireTarget(name);
      await store.updateFunction(name, (found) => {
        const after = withoutProvisioned(concurrency.of(name, name.name), name.qualifier);
        const changes = concurrency.change(name, name.name, after);
        return { changes: [unchanged(found), ...changes], result: undefined };
      });
      concurrency.apply(name, name.name);
      return {};
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function qualified(
    call: CallContext,
    action: string,
    input: { readonly FunctionName: string | undefined; readonly Qualifier: string | undefined },
  ): QualifiedName {
    const name = parseFunctionName(call, action, input.FunctionName, input.Qualifier);
    return { ...name, qualifier: name.qualifier ?? "$LATEST" };
  }

  /** The alias, where the qualifier is one; undefined for a version. @throws AwsError where there is no such thing */
  function requireTarget(name: QualifiedName): AliasRecord | undefined {
    const arn = functionArn(name, name.name, name.qualifier);
    if (kindOfQualifier(name.qualifier) === "alias") {
      const alias = store.alias(name, name.name, name.qualifier)?.value;
      if (alias === undefined) throw errors.cannotFindAlias(arn);
      return alias;
    }
    if (store.version(name, name.name, name.qualifier) === undefined) throw errors.functionNotFound(arn);
    return undefined;
  }

  function requireSuitable(name: QualifiedName, alias: AliasRecord | undefined): void {
    if (alias === undefined) requireTarget(name);
    if (alias?.version === "$LATEST") throw errors.provisionedOnUnpublished();
    if (alias?.weight !== undefined) throw errors.provisionedOnWeights();
    // Developer guide, "Improving startup performance with Lambda SnapStart": one or the other.
    const version = store.version(name, name.name, alias?.version ?? name.qualifier)?.value;
    if (version !== undefined && isSnapStarted(version))
      throw errors.withoutSnapStart("Provisioned Concurrency");
  }

  /** A version's environments belong to one configuration alone: its own, or that of one alias that points to it. */
  function requireUnprovisioned(name: QualifiedName, { provisioned }: ConcurrencyRecord): void {
    const alias = store.alias(name, name.name, name.qualifier)?.value;
    const version = alias?.version ?? name.qualifier;
    const others = [...store.aliases(name, name.name)].filter(
      ({ value }) =>
        value.name !== alias?.name && provisioned[value.name] !== undefined && pointsTo(value, version),
    );
    if (alias === undefined && others.length > 0) throw errors.versionHasProvisionedAlias();
    if (alias !== undefined && (provisioned[version] !== undefined || others.length > 0))
      throw errors.versionAlreadyProvisioned();
  }

  function describe(
    name: QualifiedName,
    { requested, lastModified }: ProvisionedRecord,
  ): GetProvisionedConcurrencyConfigResponse {
    const state = engine.provisioned(functionArn(name, name.name), name.qualifier);
    return {
      RequestedProvisionedConcurrentExecutions: requested,
      AvailableProvisionedConcurrentExecutions: state?.available ?? 0,
      AllocatedProvisionedConcurrentExecutions: state?.allocated ?? 0,
      Status: state?.status ?? "IN_PROGRESS",
      ...(state?.statusReason === undefined ? {} : { StatusReason: state.statusReason }),
      // AWS's own examples show whole seconds here, unlike a function's LastModified (AWS CLI, put-provisioned-concurrency-config).
      LastModified: new Date(lastModified).toISOString().replace(/\.\d{3}Z$/, "+0000"),
    };
  }
}
