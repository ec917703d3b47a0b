import { join } from "node:path";
import type { FunctionSpec } from "../contract.ts";
import type { GuestProtocol } from "../environment/contract.ts";
import { MAX_EXTENSIONS } from "../runtime-api/extensions.ts";
import type { LaunchPlan } from "../runtime-api/launch.ts";
import type { BootPlan } from "../runtimes/boot.ts";
import { externalExtensions, findBootstrap } from "../runtimes/provided.ts";
import type { Bootstrap, ExtensionFile } from "../runtimes/provided.ts";
import type { ImageRun } from "../runtimes/image.ts";
import { tool } from "../sandbox/tools.ts";
import type { GuestPaths, Specialisation } from "../sandbox/contract.ts";

/** How a function's environments are started, as its code and layers have it. */
export interface GuestSetup {
  readonly protocol: GuestProtocol;
  readonly extensions: readonly ExtensionFile[];
  /** What an OS-only runtime runs. */
  readonly bootstrap: Bootstrap | undefined;
  /** AWS_LAMBDA_EXEC_WRAPPER, which OS-only runtimes do not know. */
  readonly wrapper: string | undefined;
  /** What a function of an image runs. */
  readonly image: ImageRun | undefined;
}

/** @param image what the function's image runs, where its code is one */
export async function guestSetup(
  spec: FunctionSpec,
  plan: BootPlan,
  specialisation: Specialisation,
  image?: ImageRun,
): Promise<GuestSetup> {
  if (image !== undefined)
    return {
      protocol: { launched: true, runtime: "http" },
      extensions: image.extensions.map((name) => ({ name, interpreter: [] })),
      bootstrap: undefined,
      wrapper: undefined,
      image,
    };
  const osOnly = plan.runtime.family === "provided";
  const extensions = await externalExtensions(specialisation);
  const bootstrap = osOnly ? await findBootstrap(specialisation) : undefined;
  const wrapper = osOnly ? undefined : spec.environment["AWS_LAMBDA_EXEC_WRAPPER"] || undefined;
  return {
    protocol: {
      launched: osOnly || extensions.length > 0 || wrapper !== undefined,
      runtime: osOnly ? "http" : "frames",
    },
    extensions,
    bootstrap,
    wrapper,
    image: undefined,
  };
}

export interface LaunchOptions {
  readonly setup: GuestSetup;
  readonly paths: GuestPaths;
  /** The command line of the managed runtime. */
  readonly command: { readonly command: string; readonly args: readonly string[] };
  /** The function's variables. */
  readonly variables: Readonly<Record<string, string>>;
}

export function launchPlan({ setup, paths, command, variables }: LaunchOptions): LaunchPlan {
  const { bootstrap, extensions, wrapper, image } = setup;
  const entry = join((bootstrap?.root === "opt" ? paths.opt : undefined) ?? paths.task, "bootstrap");
  const managed =
    bootstrap === undefined ? [command.command, ...command.args] : [...bootstrap.interpreter, entry];
  const runtime = image?.argv ?? managed;
  const opt = paths.opt ?? "/opt";
  return {
    extensions: extensions.map(({ name, interpreter }) => ({
      argv: [...interpreter, join(opt, "extensions", name)],
      environment: withoutRuntimeVariables(variables),
    })),
    runtime: { argv: wrapper === undefined ? runtime : [wrapper, ...runtime], environment: variables },
    cwd: image?.cwd ?? paths.task,
    ...(image === undefined ? {} : { env: tool("env") }),
    wrapper,
    fault:
      extensions.length > MAX_EXTENSIONS
        ? TOO_MANY_EXTENSIONS
        : bootstrap === undefined
          ? image?.fault
          : bootstrapFault(bootstrap, entry, paths),
  };
}

/** As AWS's emulator says it. */
const TOO_MANY_EXTENSIONS = { errorType: "Extension.LaunchError", message: "ErrTooManyExtensions" };

/** In the words of AWS's supervisor, whose open runtime interface emulator says the same. */
function bootstrapFault(
  { root, problem }: Bootstrap,
  path: string,
  { task, opt }: GuestPaths,
): LaunchPlan["fault"] {
  const errorType = "Runtime.InvalidEntrypoint";
  if (root === undefined)
    return {
      errorType,
      message: `Couldn't find valid bootstrap(s): [${join(task, "bootstrap")} ${join(opt ?? "/opt", "bootstrap")}]`,
    };
  return problem === undefined ? undefined : { errorType, message: `fork/exec ${path}: ${problem}` };
}

/** AWS Lambda Developer Guide, "Using the Lambda Extensions API: Permissions and configuration". */
const RUNTIME_VARIABLES = new Set([
  "AWS_EXECUTION_ENV",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_XRAY_CONTEXT_MISSING",
  "AWS_XRAY_DAEMON_ADDRESS",
  "LAMBDA_RUNTIME_DIR",
  "LAMBDA_TASK_ROOT",
  "_AWS_XRAY_DAEMON_ADDRESS",
  "_AWS_XRAY_DAEMON_PORT",
  "_HANDLER",
]);

function withoutRuntimeVariables(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !RUNTIME_VARIABLES.has(name)));
}
