import type * as client from "@aws-sdk/client-xray";
import type { Handler, OperationsOf } from "#wire/operation";
import type { XRayDeps } from "../deps.ts";
import { LIMITS } from "../limits.ts";
import { BadSegment, isTimeless, parseSegment, timeOfTrace } from "../segments/parse.ts";

type XRay = typeof client;

export function segmentOperations({ segments, clock, onTaken }: XRayDeps) {
  /** What cannot be read is told of each document; the others are taken. */
  const PutTraceSegments: Handler<XRay, "PutTraceSegments"> = async (input, call) => {
    const accepted: { traceId: string; document: string }[] = [];
    const refused: client.UnprocessedTraceSegment[] = [];
    for (const document of input.TraceSegmentDocuments ?? []) {
      try {
        accepted.push({ traceId: traceOf(document), document });
      } catch (error) {
        if (!(error instanceof BadSegment)) throw error;
        const { segmentId, code, message } = error;
        refused.push({
          ...(segmentId === undefined ? {} : { Id: segmentId }),
          ErrorCode: code,
          Message: message,
        });
      }
    }
    if (accepted.length > 0) {
      await segments.append(call, accepted);
      onTaken?.({
        scope: call,
        principal: call.principal,
        documents: accepted.map(({ document }) => document),
      });
    }
    return { UnprocessedTraceSegments: refused };
  };

  /** @throws BadSegment */
  function traceOf(document: string): string {
    const { traceId = "", id } = parseSegment(document);
    const began = timeOfTrace(traceId) ?? 0;
    const now = clock.now();
    const known = began >= now - LIMITS.retention && began <= now + LIMITS.ahead;
    if (!known && !isTimeless(document))
      throw new BadSegment("InvalidTraceId", "The trace id's time is not within the last 30 days", id);
    return traceId;
  }

  /** What daemons tell of themselves; AWS shows it to nobody, either. */
  const PutTelemetryRecords: Handler<XRay, "PutTelemetryRecords"> = () => ({});

  return { PutTraceSegments, PutTelemetryRecords } satisfies OperationsOf<XRay>;
}
