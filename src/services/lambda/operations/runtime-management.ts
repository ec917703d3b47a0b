import { runtimeVersionArn } from "#engine/runtimes/version-arn";
import type { OperationsOf } from "#wire/operation";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { functionArn, kindOfQualifier, parseFunctionName, type FunctionName } from "../names.ts";
import type { RuntimeManagementRecord, VersionRecord } from "../records.ts";
import { keys, unchanged } from "../store.ts";

/**
 * When a function moves to a newer version of its runtime. A runtime has one version at a time here, so a function can
 * be pinned (`Manual`) to the one it runs on and to no other; nothing updates a runtime behind a function's back.
 */
export function runtimeManagementOperations(context: LambdaContext) {
  const { store } = context;

  return {
    GetRuntimeManagementConfig(input, call) {
      const name = parseFunctionName(call, "GetRuntimeManagementConfig", input.FunctionName, input.Qualifier);
      requireVersion(name);
      const key = keys.runtimeManagement(name, name.name, name.qualifier ?? "$LATEST");
      return describe(name, store.documents.get<RuntimeManagementRecord>(key)?.value);
    },

    async PutRuntimeManagementConfig(input, call) {
      const name = parseFunctionName(call, "PutRuntimeManagementConfig", input.FunctionName, input.Qualifier);
      const { UpdateRuntimeOn, RuntimeVersionArn } = input;
      if (UpdateRuntimeOn === "Manual" && RuntimeVersionArn === undefined)
        throw errors.runtimeVersionRequired();
      if (UpdateRuntimeOn !== "Manual" && RuntimeVersionArn !== undefined)
        throw errors.runtimeVersionNotAllowed();
      const record = await store.updateFunction(name, (found) => {
        const { settings } = requireVersion(name);
        if (
          RuntimeVersionArn !== undefined &&
          RuntimeVersionArn !== runtimeVersionArn(name.region, settings.runtime)
        )
          throw errors.runtimeVersionUnknown(RuntimeVersionArn);
        const key = keys.runtimeManagement(name, name.name, name.qualifier ?? "$LATEST");
        const value: RuntimeManagementRecord | undefined =
          UpdateRuntimeOn === "Manual" || UpdateRuntimeOn === "FunctionUpdate"
            ? {
                updateRuntimeOn: UpdateRuntimeOn,
                ...(RuntimeVersionArn === undefined ? {} : { runtimeVersionArn: RuntimeVersionArn }),
              }
            : undefined;
        return {
          changes: [unchanged(found), value === undefined ? { key, delete: true } : { key, value }],
          result: value,
        };
      });
      return describe(name, record);
    },
  } satisfies OperationsOf<LambdaClientModule>;

  /** Aliases have no runtime of their own (API reference, PutRuntimeManagementConfig). */
  function requireVersion(name: FunctionName): VersionRecord {
    const qualifier = name.qualifier ?? "$LATEST";
    store.requireFunction(name, name.name, name.qualifier);
    const kind = kindOfQualifier(qualifier);
    const found =
      kind === "latest" || kind === "version" ? store.version(name, name.name, qualifier) : undefined;
    if (found === undefined) throw errors.functionNotFound(functionArn(name, name.name, qualifier));
    return found.value;
  }
}

function describe(name: FunctionName, record: RuntimeManagementRecord | undefined) {
  return {
    UpdateRuntimeOn: record?.updateRuntimeOn ?? ("Auto" as const),
    FunctionArn: functionArn(name, name.name, name.qualifier ?? "$LATEST"),
    ...(record?.runtimeVersionArn === undefined ? {} : { RuntimeVersionArn: record.runtimeVersionArn }),
  };
}
