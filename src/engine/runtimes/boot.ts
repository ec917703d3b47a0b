import { dirname, join } from "node:path";
import { AwsError } from "#core/errors";
import type { FunctionSpec, InitializationType, LoggingSpec, RoleCredentials } from "../contract.ts";
import type { GuestPaths, RuntimeApiListener, SandboxBackend } from "../sandbox/contract.ts";
import { managedRuntime } from "./catalogue.ts";
import type { ManagedRuntime } from "./catalogue.ts";
import { installHint } from "./discover.ts";
import type { RuntimeDiscovery } from "./discover.ts";
import { LANGUAGE_DIR } from "./guest-paths.ts";
import { language } from "./languages.ts";
import type { RuntimeLanguage } from "./language.ts";
import type { RuntimeParts } from "./parts.ts";
import { osRuntime, osRuntimeView, provided } from "./provided.ts";
import type { OsRuntime } from "./provided.ts";
import { imagePlan } from "./image.ts";
import { reachable } from "./reachable.ts";
import { runtimeVersionArn } from "./version-arn.ts";
import { runtimeView } from "./view.ts";
import type { RuntimeView } from "./view.ts";

/** All that is needed to start environments of one runtime. */
export interface BootPlan {
  readonly runtime: ManagedRuntime | OsRuntime;
  readonly language: RuntimeLanguage;
  readonly view: RuntimeView;
  /** As INIT_START names it, such as `nodejs:22.v11`. */
  readonly runtimeVersion: string;
  readonly runtimeVersionArn: string;
  /** An image's own environment variables, in place of a runtime's. */
  readonly imageVariables?: Readonly<Record<string, string>>;
}

export interface PlanOptions {
  readonly discovery: RuntimeDiscovery;
  readonly parts: RuntimeParts;
  readonly layout: SandboxBackend["layout"];
  readonly guestFolder: string;
}

/** @throws AwsError InvalidRuntimeException where the host has no interpreter for it */
export async function bootPlan(
  spec: Pick<FunctionSpec, "runtime" | "region" | "code">,
  { discovery, parts, layout, guestFolder }: PlanOptions,
): Promise<BootPlan> {
  if (spec.code.image !== undefined) {
    if (layout === "host")
      throw unavailable(
        "Functions of container images need the sandbox bubblewrap or oci, which this host does not have: see thaw doctor.",
      );
    return imagePlan(guestFolder);
  }
  const os = osRuntime(spec.runtime);
  if (os !== undefined)
    return {
      runtime: os,
      language: provided,
      view: osRuntimeView(layout, guestFolder),
      runtimeVersion: `${os.family}:${os.version}.v1`,
      runtimeVersionArn: runtimeVersionArn(spec.region, os.name),
    };
  const runtime = managedRuntime(spec.runtime);
  if (runtime === undefined)
    throw unavailable(`Thaw does not run functions of the runtime ${spec.runtime} yet.`);
  const interpreter = await discovery.find(runtime);
  if (interpreter === undefined)
    throw unavailable(
      `The runtime ${runtime.name} needs an interpreter that this host does not have: ${installHint(runtime)}.`,
    );
  const patch = interpreter.version.split(".")[runtime.family === "nodejs" ? 1 : 2] ?? "0";
  return {
    runtime,
    language: language(runtime.family),
    view: runtimeView({
      layout,
      family: runtime.family,
      interpreter,
      parts: await parts.of(runtime, interpreter),
      guestFolder,
    }),
    runtimeVersion: `${runtime.family}:${runtime.version}.v${patch}`,
    runtimeVersionArn: runtimeVersionArn(spec.region, runtime.name),
  };
}

function unavailable(message: string): AwsError {
  return new AwsError("InvalidRuntimeException", message, {
    status: 502,
    members: { Type: "Server", Message: message },
  });
}

export interface FunctionEnvironmentOptions {
  readonly spec: FunctionSpec;
  readonly plan: BootPlan;
  readonly paths: GuestPaths;
  readonly logStream: string;
  readonly initializationType: InitializationType;
  readonly credentials: RoleCredentials;
  /** Where the function reaches the platform. */
  readonly endpointUrl: string;
  /** Where everybody else reaches it: what a queue's URL begins with that was put into a variable. */
  readonly publicUrls: readonly string[];
}

/**
 * The environment variables of a function: AWS's (recorded by TestLambdaRuntimesCommon::test_introspection_invoke), with
 * the paths that its guest sees, then the function's own, which may replace all that is not reserved.
 */
export function functionEnvironment(options: FunctionEnvironmentOptions): Record<string, string> {
  const { spec, plan, paths, credentials } = options;
  const { view } = plan;
  return {
    ...runtimeEnvironment(plan, paths),
    // What makes every AWS SDK of a function call the platform instead of AWS.
    AWS_ENDPOINT_URL: options.endpointUrl,
    AWS_XRAY_CONTEXT_MISSING: "LOG_ERROR",
    ...daemonVariables(NO_DAEMON),
    ...reachable(spec.environment, options.publicUrls, options.endpointUrl),
    AWS_REGION: spec.region,
    AWS_DEFAULT_REGION: spec.region,
    AWS_LAMBDA_FUNCTION_NAME: spec.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: spec.version,
    AWS_LAMBDA_INITIALIZATION_TYPE: options.initializationType,
    // Developer guide, "Monitoring for Lambda SnapStart": they are not available there.
    ...(options.initializationType === "snap-start" ? {} : logVariables(spec, options.logStream)),
    ...credentialVariables(credentials),
    LAMBDA_RUNTIME_DIR: view.runtimePath,
    LAMBDA_TASK_ROOT: paths.task,
    // An image's command says what it runs.
    ...(plan.imageVariables === undefined ? { _HANDLER: spec.handler } : {}),
    // Recorded, and in the developer guide's "Defined runtime environment variables": not where the function brings its runtime.
    ...(plan.imageVariables === undefined && plan.runtime.family !== "provided"
      ? { AWS_EXECUTION_ENV: `AWS_Lambda_${spec.runtime}` }
      : {}),
    ...(spec.logging.format === "JSON" ? jsonLogging(spec.logging) : {}),
  };
}

/** Where X-Ray's SDKs send by default; in an environment nobody listens there. */
const NO_DAEMON = "127.0.0.1:2000";

/**
 * Variables that tell a guest of its listener. X-Ray's daemon has the Runtime API's address, where datagrams come through.
 */
export function listenerVariables({
  address,
  datagrams,
}: Pick<RuntimeApiListener, "address" | "datagrams">): Record<string, string> {
  return { AWS_LAMBDA_RUNTIME_API: address, ...(datagrams ? daemonVariables(address) : {}) };
}

function daemonVariables(address: string): Record<string, string> {
  const [host = "", port = ""] = address.split(":");
  return {
    AWS_XRAY_DAEMON_ADDRESS: address,
    _AWS_XRAY_DAEMON_ADDRESS: host,
    _AWS_XRAY_DAEMON_PORT: port,
  };
}

/** Where AWS SDKs find a role's credentials. */
export function credentialVariables(credentials: RoleCredentials): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
  };
}

function logVariables(spec: FunctionSpec, logStream: string): Record<string, string> {
  return { AWS_LAMBDA_LOG_GROUP_NAME: spec.logging.group, AWS_LAMBDA_LOG_STREAM_NAME: logStream };
}

function jsonLogging({ applicationLevel }: LoggingSpec): Record<string, string> {
  return {
    AWS_LAMBDA_LOG_FORMAT: "JSON",
    ...(applicationLevel === undefined ? {} : { AWS_LAMBDA_LOG_LEVEL: applicationLevel }),
  };
}

/** The variables that a runtime has whatever function it runs: what a stem environment boots with. */
export function runtimeEnvironment(
  { runtime, language: family, view, imageVariables }: BootPlan,
  paths: GuestPaths,
): Record<string, string> {
  if (imageVariables !== undefined) return { ...imageVariables };
  const { task, opt } = paths;
  return {
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    PATH: [
      dirname(view.command),
      "/usr/local/bin",
      "/usr/bin/",
      "/bin",
      ...(opt === undefined ? [] : [join(opt, "bin")]),
    ].join(":"),
    LD_LIBRARY_PATH: [
      // An interpreter that was built for another place finds its own library before the host's of the same name.
      ...(view.command.startsWith(`${LANGUAGE_DIR}/`) ? [join(LANGUAGE_DIR, "lib")] : []),
      "/lib64",
      "/usr/lib64",
      view.runtimePath,
      join(view.runtimePath, "lib"),
      task,
      join(task, "lib"),
      ...(opt === undefined ? [] : [join(opt, "lib")]),
    ].join(":"),
    PWD: task,
    SHLVL: "0",
    ...family.environment(view, paths, runtime.version),
  };
}
