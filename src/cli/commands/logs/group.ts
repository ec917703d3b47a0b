import type { ClientConfig } from "#config/client";
import { lambdaClient } from "../../aws.ts";
import { readPermissions } from "../iam/permissions.ts";
import { type FunctionLimits, limitsOf } from "../requests/limits.ts";

/** The log group that was named, whole, or where a function logs. */
export async function logOf(
  name: string,
  config: ClientConfig,
): Promise<Pick<FunctionLimits, "group" | "owns">> {
  return name.startsWith("/") ? { group: name, owns: () => true } : limitsOf(name, config);
}

/** Why there is no log group, and whether it comes by itself: a function's does with its first invocation. */
export async function explainMissing(
  name: string,
  group: string,
  config: ClientConfig,
): Promise<{ readonly message: string; readonly comes: boolean }> {
  const where = `in ${config.region} at ${config.endpoint}`;
  if (name.startsWith("/")) return { message: `There is no log group ${group} ${where}.`, comes: false };
  const { GetFunctionConfigurationCommand, ResourceNotFoundException } =
    await import("@aws-sdk/client-lambda");
  try {
    const client = await lambdaClient(config);
    await client.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    return { message: `The function ${name} has logged nothing yet.`, comes: true };
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    return { message: `There is no function ${name}, and no log group ${group}, ${where}.`, comes: false };
  }
}

/** Why the platform does not keep what a function logs, where it told of that last; it tells that on its own machine alone. */
export async function whyNotKept(group: string, config: ClientConfig): Promise<string | undefined> {
  const { uses } = await readPermissions(config).catch(() => ({ uses: [] }));
  const about = uses.filter(({ resource }) => resource.includes(`:log-group:${group}:`));
  const refused = about.find(
    ({ action, allowed, last }) =>
      action.startsWith("logs:") &&
      !allowed &&
      !about.some(
        (other) => other.allowed && other.last > last && [action, "logs:PutLogEvents"].includes(other.action),
      ),
  );
  return refused === undefined
    ? undefined
    : `What is logged to ${group} is not kept: ${refused.holder} may not ${refused.action}. The policy AWSLambdaBasicExecutionRole lets it.`;
}
