import { AwsError } from "#core/errors";
import type { PutTraceSegmentsResult } from "@aws-sdk/client-xray";
import { createTraceSink, type BatchingTraceSink } from "#telemetry/trace-sink";
import { rolePrincipal } from "./identity.ts";
import type { SharedByServices } from "./shared.ts";

/** Sends the segments of traced functions to X-Ray, as each function's own role: one that may not do so traces nothing. */
export function createTraces({ storage, clock, log, caller }: SharedByServices): BatchingTraceSink {
  const actAs = rolePrincipal(storage.documents, clock);
  return createTraceSink({
    clock,
    async send(owner, documents) {
      const input = { TraceSegmentDocuments: documents };
      const by = { principal: actAs(owner), region: owner.region };
      const output = (await caller.call("xray", "PutTraceSegments", input, by)) as PutTraceSegmentsResult;
      return output.UnprocessedTraceSegments?.length ?? 0;
    },
    onDropped(segments, { name, roleArn }, error) {
      const lost = { function: name, roleArn, segments };
      // A role without the permission is its owner's choice, and AWS tells nobody of it.
      if (error instanceof AwsError && error.status === 403)
        log.debug(lost, "the role may not write segments of traces");
      else
        log.warn({ ...lost, ...(error === undefined ? {} : { err: error }) }, "dropped segments of traces");
    },
  });
}
