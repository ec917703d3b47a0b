import type { MetricSink } from "#engine/contract";
import type { Scope } from "./names.ts";

/** Counts one occurrence of what a function's metrics tell of (developer guide, "Types of metrics for Lambda functions"). */
export function countOne(
  metrics: MetricSink | undefined,
  { account, region }: Scope,
  functionName: string,
  name:
    | "DeadLetterErrors"
    | "DestinationDeliveryFailures"
    | "RecursiveInvocationsDropped"
    | "SignatureValidationErrors",
  now: number,
): void {
  const series = metrics?.series({
    account,
    region,
    namespace: "AWS/Lambda",
    name,
    unit: "Count",
    dimensions: { FunctionName: functionName },
  });
  series?.record(1, now);
  series?.close();
}
