import type { ClientConfig } from "#config/client";
import { lambdaClient } from "../../aws.ts";
import { groupOf } from "../logs/group.ts";

/** What a request is held against, and where its log is. */
export interface FunctionLimits {
  readonly name: string;
  readonly timeoutMs: number | undefined;
  readonly group: string;
  /** Whether it is traced. */
  readonly traced: boolean;
}

/** A function's settings; only what its name tells where there is no such function any more. */
export async function limitsOf(name: string, config: ClientConfig): Promise<FunctionLimits> {
  const { GetFunctionConfigurationCommand, ResourceNotFoundException } =
    await import("@aws-sdk/client-lambda");
  try {
    const client = await lambdaClient(config);
    const found = await client.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    const { FunctionName = name, Timeout, LoggingConfig, TracingConfig } = found;
    return {
      name: FunctionName,
      timeoutMs: Timeout === undefined ? undefined : Timeout * 1000,
      group: LoggingConfig?.LogGroup ?? groupOf(FunctionName),
      traced: TracingConfig?.Mode === "Active",
    };
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    return { name, timeoutMs: undefined, group: groupOf(name), traced: false };
  }
}
