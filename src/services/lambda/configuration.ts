import type { AliasConfiguration, FunctionConfiguration } from "@aws-sdk/client-lambda";
import type { FunctionSpec } from "#engine/contract";
import { runtimeVersionArn } from "#engine/runtimes/version-arn";
import { describePackage, isImage } from "./images.ts";
import { NETWORK_VARIABLE } from "./limits.ts";
import { functionArn, type Scope } from "./names.ts";
import type { AliasRecord, FunctionSettings, VersionRecord } from "./records.ts";
import { isSnapStarted } from "./snap-start.ts";

/**
 * A version as AWS shows it; members without a value are left out, as recorded.
 * @param qualifier what the ARN ends with: the caller's own qualifier where there was one
 */
export function describeFunction(
  scope: Scope,
  record: VersionRecord,
  qualifier: string | undefined,
): FunctionConfiguration {
  const { state, update, settings } = record;
  return {
    ...describeInList(scope, record, qualifier),
    ...(isImage(settings)
      ? {}
      : { RuntimeVersionConfig: { RuntimeVersionArn: runtimeVersionArn(scope.region, settings.runtime) } }),
    State: state.name,
    ...(state.reason === undefined ? {} : { StateReason: state.reason }),
    ...(state.reasonCode === undefined ? {} : { StateReasonCode: state.reasonCode }),
    ...(update === undefined ? {} : { LastUpdateStatus: update.name }),
    ...(update?.reason === undefined ? {} : { LastUpdateStatusReason: update.reason }),
    ...(update?.reasonCode === undefined
      ? {}
      : { LastUpdateStatusReasonCode: updateReasonCode(update.reasonCode) }),
  };
}

/** Lists leave out states and the runtime's version (API reference, ListFunctions). */
export function describeInList(
  scope: Scope,
  record: VersionRecord,
  qualifier: string | undefined,
): FunctionConfiguration {
  const { settings } = record;
  return {
    FunctionName: record.name,
    FunctionArn: functionArn(scope, record.name, qualifier),
    Role: settings.roleArn,
    CodeSize: settings.code.bytes,
    Description: settings.description,
    Timeout: settings.timeoutSeconds,
    MemorySize: settings.memoryMb,
    LastModified: formatLastModified(record.lastModified),
    CodeSha256: settings.code.sha256,
    Version: record.version,
    ...(settings.environment === undefined ? {} : { Environment: { Variables: settings.environment } }),
    ...(settings.layers === undefined || settings.layers.length === 0
      ? {}
      : { Layers: settings.layers.map(({ arn, code }) => ({ Arn: arn, CodeSize: code.bytes })) }),
    ...(settings.deadLetterArn === undefined
      ? {}
      : { DeadLetterConfig: { TargetArn: settings.deadLetterArn } }),
    TracingConfig: { Mode: settings.tracing },
    RevisionId: record.revisionId,
    ...describePackage(settings),
    Architectures: [settings.architecture],
    EphemeralStorage: { Size: settings.ephemeralStorageMb },
    SnapStart: {
      ApplyOn: settings.snapStart ?? "None",
      OptimizationStatus: isSnapStarted(record) ? "On" : "Off",
    },
    LoggingConfig: describeLogging(settings),
    ...(settings.tenancy === undefined ? {} : { TenancyConfig: { TenantIsolationMode: settings.tenancy } }),
  };
}

export function describeAlias(scope: Scope, alias: AliasRecord): AliasConfiguration {
  const { weight } = alias;
  return {
    AliasArn: functionArn(scope, alias.functionName, alias.name),
    Name: alias.name,
    FunctionVersion: alias.version,
    Description: alias.description,
    ...(weight === undefined
      ? {}
      : { RoutingConfig: { AdditionalVersionWeights: { [weight.version]: weight.share } } }),
    RevisionId: alias.revisionId,
  };
}

/** What the engine needs to run `settings` as `version` of a function. */
/** Checked when it was set; what older platforms took was nothing but a variable. */
function networkOf({ environment }: FunctionSettings): FunctionSpec["network"] {
  const chosen = environment?.[NETWORK_VARIABLE];
  return chosen === "egress" || chosen === "none" ? chosen : undefined;
}

export function toFunctionSpec(
  scope: Scope,
  name: string,
  version: string,
  settings: FunctionSettings,
): FunctionSpec {
  return {
    id: settings.specId,
    account: scope.account,
    region: scope.region,
    name,
    version,
    arn: functionArn(scope, name),
    runtime: settings.runtime,
    handler: settings.handler,
    code: settings.code,
    layers: (settings.layers ?? []).map(({ code }) => code),
    imageConfig: settings.imageConfig,
    memoryMb: settings.memoryMb,
    timeoutMs: settings.timeoutSeconds * 1000,
    ephemeralStorageMb: settings.ephemeralStorageMb,
    architecture: settings.architecture,
    environment: settings.environment ?? {},
    network: networkOf(settings),
    roleArn: settings.roleArn,
    tracing: settings.tracing,
    snapStart: isSnapStarted({ version, settings }),
    tenancy: settings.tenancy,
    logging: {
      group: settings.logging.group,
      format: settings.logging.format,
      applicationLevel: settings.logging.applicationLevel,
      systemLevel: settings.logging.systemLevel,
    },
  };
}

/** AWS answers `Creating` here (recorded), though the client's enum does not list it. */
function updateReasonCode(code: string): NonNullable<FunctionConfiguration["LastUpdateStatusReasonCode"]> {
  return code as NonNullable<FunctionConfiguration["LastUpdateStatusReasonCode"]>;
}

function describeLogging(settings: FunctionSettings): NonNullable<FunctionConfiguration["LoggingConfig"]> {
  const { format, group, applicationLevel, systemLevel } = settings.logging;
  return {
    LogFormat: format,
    ...(applicationLevel === undefined ? {} : { ApplicationLogLevel: applicationLevel }),
    ...(systemLevel === undefined ? {} : { SystemLogLevel: systemLevel }),
    LogGroup: group,
  };
}

/** Lambda's own form of ISO 8601: `2026-01-31T12:00:00.000+0000`. */
export function formatLastModified(time: number): string {
  return new Date(time).toISOString().replace("Z", "+0000");
}
