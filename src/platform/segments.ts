import type { PutTraceSegmentsResult } from "@aws-sdk/client-xray";
import type { CallerIdentity } from "#wire/operation";
import type { SharedByServices } from "./shared.ts";

/** @returns how many documents X-Ray did not take */
export async function putSegments(
  { caller }: Pick<SharedByServices, "caller">,
  documents: readonly string[],
  by: CallerIdentity,
): Promise<number> {
  const input = { TraceSegmentDocuments: documents };
  const output = (await caller.call("xray", "PutTraceSegments", input, by)) as PutTraceSegmentsResult;
  return output.UnprocessedTraceSegments?.length ?? 0;
}
