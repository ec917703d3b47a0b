import { dirname, join } from "node:path";
import { AwsError } from "#core/errors";
import { createHash } from "node:crypto";
import type { FunctionSpec, RoleCredentials } from "../contract.ts";
import { managedRuntime } from "./catalogue.ts";
import type { ManagedRuntime } from "./catalogue.ts";
import { installHint } from "./discover.ts";
import type { Interpreter, RuntimeDiscovery } from "./discover.ts";
import type { RuntimeParts } from "./parts.ts";

/** All that is needed to start environments of one runtime. */
export interface BootPlan {
  readonly runtime: ManagedRuntime;
  readonly interpreter: Interpreter;
  /** LAMBDA_RUNTIME_DIR. */
  readonly runtimePath: string;
  /** As INIT_START names it, such as `nodejs:22.v11`. */
  readonly runtimeVersion: string;
  readonly runtimeVersionArn: string;
}

/** @throws AwsError InvalidRuntimeException where the host has no interpreter for it */
export async function bootPlan(
  spec: FunctionSpec,
  discovery: RuntimeDiscovery,
  parts: RuntimeParts,
): Promise<BootPlan> {
  const runtime = managedRuntime(spec.runtime);
  if (runtime === undefined)
    throw unavailable(`Thaw does not run functions of the runtime ${spec.runtime} yet.`);
  const interpreter = await discovery.find(runtime);
  if (interpreter === undefined)
    throw unavailable(
      `The runtime ${runtime.name} needs an interpreter that this host does not have: ${installHint(runtime)}.`,
    );
  const patch = interpreter.version.split(".")[runtime.family === "nodejs" ? 1 : 2] ?? "0";
  const hash = createHash("sha256").update(`${runtime.name} ${interpreter.version}`).digest("hex");
  return {
    runtime,
    interpreter,
    runtimePath: await parts.path(runtime, interpreter),
    runtimeVersion: `${runtime.family}:${runtime.version}.v${patch}`,
    runtimeVersionArn: `arn:aws:lambda:${spec.region}::runtime:${hash}`,
  };
}

function unavailable(message: string): AwsError {
  return new AwsError("InvalidRuntimeException", message, {
    status: 502,
    members: { Type: "Server", Message: message },
  });
}

/** The command line of an environment's first process. */
export function bootCommand(
  plan: BootPlan,
  guestFolder: string,
  memoryMb: number,
): { command: string; args: string[] } {
  const command = plan.interpreter.path;
  if (plan.runtime.family === "python")
    // -B: code is shared by environments and never written to; -s: the operator's own packages are not the function's.
    return { command, args: ["-B", "-s", join(guestFolder, "python", "bootstrap.py")] };
  return {
    command,
    args: [
      // AWS's bootstrap gives the heap nine tenths of the memory, so that garbage is collected before the limit kills.
      `--max-old-space-size=${Math.floor(memoryMb * 0.9)}`,
      "--max-http-header-size=81920",
      join(guestFolder, "nodejs", "bootstrap.mjs"),
    ],
  };
}

export interface FunctionEnvironmentOptions {
  readonly spec: FunctionSpec;
  readonly plan: BootPlan;
  readonly taskRoot: string;
  readonly layerPaths: readonly string[];
  readonly logStream: string;
  readonly credentials: RoleCredentials;
  readonly endpointUrl: string;
}

/**
 * The environment variables of a function: AWS's (recorded by TestLambdaRuntimesCommon::test_introspection_invoke), with
 * the paths of this host, then the function's own, which may replace all that is not reserved.
 */
export function functionEnvironment(options: FunctionEnvironmentOptions): Record<string, string> {
  const { spec, plan, taskRoot, layerPaths, credentials } = options;
  const { runtimePath } = plan;
  const { family, version } = plan.runtime;
  const environment: Record<string, string> = {
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    PATH: [
      dirname(plan.interpreter.path),
      "/usr/local/bin",
      "/usr/bin/",
      "/bin",
      ...layerPaths.map((layer) => join(layer, "bin")),
    ].join(":"),
    LD_LIBRARY_PATH: [taskRoot, join(taskRoot, "lib"), ...layerPaths.map((layer) => join(layer, "lib"))].join(
      ":",
    ),
    PWD: taskRoot,
    SHLVL: "0",
    // What makes every AWS SDK of a function call the platform instead of AWS.
    AWS_ENDPOINT_URL: options.endpointUrl,
  };
  if (family === "nodejs")
    environment["NODE_PATH"] = [
      ...layerPaths.flatMap((layer) => [
        join(layer, "nodejs", `node${version}`, "node_modules"),
        join(layer, "nodejs", "node_modules"),
      ]),
      join(runtimePath, "node_modules"),
      runtimePath,
      taskRoot,
    ].join(":");
  else {
    environment["LC_CTYPE"] = "C.UTF-8";
    environment["PYTHONPATH"] = runtimePath;
  }
  Object.assign(environment, spec.environment, {
    AWS_REGION: spec.region,
    AWS_DEFAULT_REGION: spec.region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${spec.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: spec.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: spec.version,
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: spec.logging.group,
    AWS_LAMBDA_LOG_STREAM_NAME: options.logStream,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_XRAY_CONTEXT_MISSING: "LOG_ERROR",
    AWS_XRAY_DAEMON_ADDRESS: "127.0.0.1:2000",
    _AWS_XRAY_DAEMON_ADDRESS: "127.0.0.1",
    _AWS_XRAY_DAEMON_PORT: "2000",
    LAMBDA_RUNTIME_DIR: runtimePath,
    LAMBDA_TASK_ROOT: taskRoot,
    _HANDLER: spec.handler,
  });
  if (spec.logging.format === "JSON") {
    environment["AWS_LAMBDA_LOG_FORMAT"] = "JSON";
    if (spec.logging.applicationLevel !== undefined)
      environment["AWS_LAMBDA_LOG_LEVEL"] = spec.logging.applicationLevel;
  }
  return environment;
}
