export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** Everything after the fifth colon, such as `function:name:alias`. */
  readonly resource: string;
}

/** Splits an ARN; `undefined` where `text` does not have the six parts. */
export function parseArn(text: string): Arn | undefined {
  const [scheme, partition, service, region, account, ...rest] = text.split(":");
  if (scheme !== "arn" || !partition || !service || region === undefined || account === undefined)
    return undefined;
  if (rest.length === 0) return undefined;
  return { partition, service, region, account, resource: rest.join(":") };
}

/** Writes an ARN of the `aws` partition unless the region says another. */
export function formatArn(service: string, region: string, account: string, resource: string): string {
  return `arn:${partitionOf(region)}:${service}:${region}:${account}:${resource}`;
}

/** The partition that a region belongs to (AWS documentation, "AWS partitions"). */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  return "aws";
}
