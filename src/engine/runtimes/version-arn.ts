import { createHash } from "node:crypto";
import { partitionOf } from "#core/arn";

/**
 * The ARN of a runtime's version, as FunctionConfiguration shows it and INIT_START logs it. AWS names versions by a
 * SHA-256; here a runtime has one version at a time, whose interpreter's own version INIT_START tells beside it.
 */
export function runtimeVersionArn(region: string, runtime: string): string {
  const version = createHash("sha256").update(runtime).digest("hex");
  return `arn:${partitionOf(region)}:lambda:${region}::runtime:${version}`;
}
