import type { ClientConfig } from "#config/client";
import { OperatorError } from "#core/errors";
import { lambdaClient } from "../../aws.ts";
import { printable } from "../../printable.ts";

/** What a request is held against, and where its log is. */
export interface FunctionLimits {
  readonly name: string;
  readonly timeoutMs: number | undefined;
  readonly group: string;
  /** Whether a stream of that group is the function's: others may log to the same group. */
  readonly owns: (stream: string) => boolean;
  /** Whether it is traced. */
  readonly traced: boolean;
  /** Whether there is no such function. */
  readonly missing: boolean;
}

/** Where Lambda puts a function's log of which nothing else is said. */
export function standardGroup(name: string): string {
  return `/aws/lambda/${name}`;
}

/** A function's settings; only what its name tells where there is no such function any more, or they may not be read. */
export async function limitsOf(name: string, config: ClientConfig): Promise<FunctionLimits> {
  const { GetFunctionConfigurationCommand, ResourceNotFoundException } =
    await import("@aws-sdk/client-lambda");
  try {
    const client = await lambdaClient(config);
    const found = await client.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    const { FunctionName = name, Timeout, LoggingConfig, TracingConfig } = found;
    const group = LoggingConfig?.LogGroup ?? standardGroup(FunctionName);
    return {
      name: FunctionName,
      timeoutMs: Timeout === undefined ? undefined : Timeout * 1000,
      group,
      owns: group === standardGroup(FunctionName) ? all : (stream) => isStreamOf(FunctionName, stream),
      traced: TracingConfig?.Mode === "Active",
      missing: false,
    };
  } catch (error) {
    const denied = (error as Error).name === "AccessDeniedException";
    if (!denied && !(error instanceof ResourceNotFoundException)) throw error;
    return {
      name,
      timeoutMs: undefined,
      group: standardGroup(name),
      owns: all,
      traced: false,
      missing: !denied,
    };
  }
}

/** @throws OperatorError where there is no such function, for commands that have found nothing of it */
export async function requireFunction(name: string, config: ClientConfig): Promise<void> {
  if ((await limitsOf(name, config)).missing)
    throw new OperatorError(
      `There is no function ${printable(name)} in ${config.region} at ${config.endpoint}.`,
    );
}

const all = () => true;

/** In a group of the user's choice streams are named `2026/01/31/function[version]…` (developer guide, "Configuring CloudWatch log groups"). */
function isStreamOf(name: string, stream: string): boolean {
  return /^\d{4}\/\d\d\/\d\d\/([^[]*)\[/.exec(stream)?.[1] === name;
}
