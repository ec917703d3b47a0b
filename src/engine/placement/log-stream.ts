import type { FunctionSpec } from "../contract.ts";

/**
 * The stream that an environment logs to. In a group that was chosen it names the function, whose group others may share
 * (developer guide, "Configuring CloudWatch log groups").
 * @param now epoch milliseconds
 */
export function logStreamName(
  { name, version, logging }: Pick<FunctionSpec, "name" | "version" | "logging">,
  environmentId: string,
  now: number,
): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll("-", "/");
  const owner = logging.group === `/aws/lambda/${name}` ? "" : name;
  return `${day}/${owner}[${version}]${environmentId}`;
}
