/** What the log and the Telemetry API tell of a traced invocation. */
export interface TraceContext {
  readonly traceId: string;
  /** Of the function's segment, which all that the function does lies under. */
  readonly segmentId: string;
  /** Of the subsegment `Invocation`. */
  readonly spanId: string;
  /** The header that the function was given. */
  readonly header: string;
}

/** "TraceContext" of the Lambda Developer Guide's "Lambda Telemetry API Event schema reference", as a part of a record. */
export function tracingRecord(trace: TraceContext | undefined): { readonly tracing?: object } {
  if (trace === undefined) return {};
  return { tracing: { spanId: trace.spanId, type: "X-Amzn-Trace-Id", value: trace.header } };
}
