import type {
  CreateFunctionRequest,
  LoggingConfig,
  UpdateFunctionConfigurationRequest,
} from "@aws-sdk/client-lambda";
import { parseArn } from "#core/arn";
import { deadLetterTarget } from "./dead-letters.ts";
import { errors } from "./errors.ts";
import { imageConfigOf, isImage, requireImageSettings } from "./images.ts";
import { DEFAULTS, LIMITS, NETWORK_VARIABLE, RESERVED_ENVIRONMENT } from "./limits.ts";
import type { FunctionSettings, LoggingSettings } from "./records.ts";
import { requireSupportedRuntime } from "./runtimes.ts";
import { requireSnapStartable } from "./snap-start.ts";
import { requireTenancyFits } from "./tenancy.ts";

type ConfigurationRequest = CreateFunctionRequest | UpdateFunctionConfigurationRequest;

/** Settings without what comes from the code or from the platform. */
export type ConfiguredSettings = Omit<FunctionSettings, "specId" | "code" | "architecture" | "layers">;

/**
 * The settings of a new function.
 * @throws AwsError InvalidParameterValueException in AWS's words
 */
export function settingsOfNewFunction(request: CreateFunctionRequest, name: string): ConfiguredSettings {
  refuseUnavailable(request);
  const start = startOfNewFunction(request);
  requireWithinLimits(request);
  const settings = requireSnapStartable({
    ...start,
    roleArn: request.Role ?? "",
    description: request.Description ?? "",
    memoryMb: request.MemorySize ?? DEFAULTS.memoryMb,
    timeoutSeconds: request.Timeout ?? DEFAULTS.timeoutSeconds,
    ephemeralStorageMb: request.EphemeralStorage?.Size ?? DEFAULTS.ephemeralStorageMb,
    environment: environmentOf(request),
    tracing: request.TracingConfig?.Mode ?? "PassThrough",
    deadLetterArn: deadLetterTarget(request.DeadLetterConfig),
    logging: mergeLogging({ format: "Text", group: `/aws/lambda/${name}` }, request.LoggingConfig),
    snapStart: request.SnapStart?.ApplyOn ?? "None",
    tenancy: request.TenancyConfig?.TenantIsolationMode,
  });
  return requireTenancyFits(settings);
}

/** What environments of a new function run. */
function startOfNewFunction(
  request: CreateFunctionRequest,
): Pick<FunctionSettings, "runtime" | "handler" | "imageConfig"> {
  const { Runtime, Handler, PackageType, ImageConfig } = request;
  const imageConfig = imageConfigOf(ImageConfig);
  if (PackageType === "Image") {
    requireImageSettings(request);
    return { runtime: "", handler: "", imageConfig };
  }
  if (imageConfig !== undefined) throw errors.imageConfigOnZip();
  if (Runtime === undefined || Handler === undefined) throw errors.runtimeAndHandlerRequired();
  return { runtime: requireSupportedRuntime(Runtime), handler: Handler };
}

/**
 * A function acts as its role, so a role of another account would be a way into that account.
 * @throws AwsError AccessDeniedException
 */
export function requireOwnRole(account: string, roleArn: string | undefined): void {
  if (roleArn !== undefined && parseArn(roleArn)?.account !== account) throw errors.foreignRole();
}

/** The settings after an update: what the request leaves out stays as it is. */
export function settingsAfterUpdate(
  request: UpdateFunctionConfigurationRequest,
  before: FunctionSettings,
): ConfiguredSettings {
  refuseUnavailable(request);
  requireWithinLimits(request);
  if (isImage(before)) requireImageSettings(request);
  else if (imageConfigOf(request.ImageConfig) !== undefined) throw errors.imageConfigOnZip();
  const settings = requireSnapStartable({
    runtime: request.Runtime === undefined ? before.runtime : requireSupportedRuntime(request.Runtime),
    handler: request.Handler ?? before.handler,
    imageConfig: request.ImageConfig === undefined ? before.imageConfig : imageConfigOf(request.ImageConfig),
    roleArn: request.Role ?? before.roleArn,
    description: request.Description ?? before.description,
    memoryMb: request.MemorySize ?? before.memoryMb,
    timeoutSeconds: request.Timeout ?? before.timeoutSeconds,
    ephemeralStorageMb: request.EphemeralStorage?.Size ?? before.ephemeralStorageMb,
    environment: request.Environment === undefined ? before.environment : environmentOf(request),
    tracing: request.TracingConfig?.Mode ?? before.tracing,
    deadLetterArn:
      request.DeadLetterConfig === undefined
        ? before.deadLetterArn
        : deadLetterTarget(request.DeadLetterConfig),
    logging: mergeLogging(before.logging, request.LoggingConfig),
    snapStart: request.SnapStart?.ApplyOn ?? before.snapStart ?? "None",
    // Chosen when the function is created, for good.
    tenancy: before.tenancy,
  });
  return requireTenancyFits(settings);
}

type Tags = Readonly<Record<string, string>>;

/**
 * A resource's tags and those that a caller gives it.
 * @throws AwsError where they are more than a resource may have, or a key is of those that AWS keeps for itself
 */
export function addTags(current: Tags, given: Tags = {}): Tags {
  if (Object.keys(given).some((key) => /^aws:/i.test(key))) throw errors.reservedTag();
  const tags = { ...current, ...given };
  if (Object.keys(tags).length > LIMITS.tags) throw errors.tooManyTags();
  return tags;
}

/**
 * Refuses what is not built, so that nobody relies on a setting that nothing obeys. Empty values pass: Terraform
 * sends them for blocks that its user never wrote.
 */
function refuseUnavailable(request: ConfigurationRequest): void {
  const unavailable: readonly (readonly [member: string, present: boolean])[] = [
    ["VpcConfig", filled(request.VpcConfig?.SubnetIds) || filled(request.VpcConfig?.SecurityGroupIds)],
    ["KMSKeyArn", filled(request.KMSKeyArn)],
    ["FileSystemConfigs", filled(request.FileSystemConfigs)],
    ["CapacityProviderConfig", request.CapacityProviderConfig !== undefined],
    ["DurableConfig", request.DurableConfig !== undefined],
    ...createOnly(request),
  ];
  for (const [member, present] of unavailable) if (present) throw errors.notAvailable(member);
}

function createOnly(request: ConfigurationRequest): (readonly [string, boolean])[] {
  if (!("Code" in request)) return [];
  return [["PublishTo", request.PublishTo !== undefined]];
}

function filled(value: string | readonly unknown[] | undefined): boolean {
  return value !== undefined && value.length > 0;
}

/** The service model's own limits are wider than those of functions that run on demand. */
function requireWithinLimits(request: ConfigurationRequest): void {
  if ((request.MemorySize ?? 0) > LIMITS.memoryMb) throw errors.valueTooLarge("MemorySize", LIMITS.memoryMb);
  if ((request.Timeout ?? 0) > LIMITS.timeoutSeconds)
    throw errors.valueTooLarge("Timeout", LIMITS.timeoutSeconds);
  if ((request.EphemeralStorage?.Size ?? 0) > LIMITS.ephemeralStorageMb)
    throw errors.valueTooLarge("EphemeralStorage.Size", LIMITS.ephemeralStorageMb);
}

function environmentOf(request: ConfigurationRequest): Readonly<Record<string, string>> | undefined {
  if (request.Environment === undefined) return undefined;
  const variables = request.Environment.Variables ?? {};
  const reserved = Object.keys(variables).filter((name) => RESERVED_ENVIRONMENT.has(name));
  if (reserved.length > 0) throw errors.reservedEnvironment(reserved);
  const network = variables[NETWORK_VARIABLE];
  if (network !== undefined && network !== "egress" && network !== "none")
    throw errors.networkNotValid(network);
  // AWS measures the variables as compact JSON and shows that JSON in its message (recorded).
  const measured = JSON.stringify(variables);
  if (Buffer.byteLength(measured) > LIMITS.environmentBytes) throw errors.environmentTooLarge(measured);
  return variables;
}

/** Levels exist in JSON format alone, where both default to INFO (recorded). */
function mergeLogging(before: LoggingSettings, change: LoggingConfig | undefined): LoggingSettings {
  if (change === undefined) return before;
  const format = change.LogFormat ?? before.format;
  const group = change.LogGroup ?? before.group;
  if (format === "JSON")
    return {
      format,
      group,
      applicationLevel: change.ApplicationLogLevel ?? before.applicationLevel ?? "INFO",
      systemLevel: change.SystemLogLevel ?? before.systemLevel ?? "INFO",
    };
  if (change.ApplicationLogLevel !== undefined || change.SystemLogLevel !== undefined)
    throw errors.logLevelNeedsJson();
  return { format, group };
}
