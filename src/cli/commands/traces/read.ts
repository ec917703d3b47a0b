import type { XRayClient } from "@aws-sdk/client-xray";
import { spansOf, type Span } from "./spans.ts";
import { rowsOf } from "./waterfall.ts";

/** A trace by its id; undefined where there is none. */
export async function readTrace(client: XRayClient, id: string): Promise<readonly Span[] | undefined> {
  const { paginateBatchGetTraces } = await import("@aws-sdk/client-xray");
  const spans: Span[] = [];
  for await (const { Traces = [] } of paginateBatchGetTraces({ client }, { TraceIds: [id] }))
    for (const trace of Traces) spans.push(...spansOf(trace));
  return spans.length === 0 ? undefined : spans;
}

/** X-Ray's own form of an id: out of a header, or of the 32 digits that W3C's trace context has. */
export function traceIdIn(text: string): string | undefined {
  const [, x] = /^(?:Root=)?(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;.*)?$/i.exec(text) ?? [];
  if (x !== undefined) return x.toLowerCase();
  const [, seconds, rest] = /^(?:00-)?([0-9a-f]{8})([0-9a-f]{24})(?:-.*)?$/i.exec(text) ?? [];
  return seconds === undefined ? undefined : `1-${seconds}-${rest}`.toLowerCase();
}

/** The requests of Lambda that a trace tells of, with their functions, in the order of their time. */
export function requestsOf(
  spans: readonly Span[],
): { readonly requestId: string; readonly functionArn: string; readonly span: Span }[] {
  const found = new Map<string, { requestId: string; functionArn: string; span: Span }>();
  for (const { span } of rowsOf(spans)) {
    const { requestId, resourceArn, kind } = span;
    if (kind !== "AWS::Lambda" || requestId === undefined || resourceArn === undefined) continue;
    if (!found.has(requestId)) found.set(requestId, { requestId, functionArn: resourceArn, span });
  }
  return [...found.values()];
}

/** Whether anything in a trace went wrong. */
export function hasFailed(spans: readonly Span[]): boolean {
  return rowsOf(spans).some(({ span }) => span.fault || span.error || span.throttle);
}
