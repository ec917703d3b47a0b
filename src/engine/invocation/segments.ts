import type {
  LooseSubsegment,
  SegmentDocument,
  SubsegmentDocument,
  TracedException,
  TraceLink,
} from "../contract.ts";
import type { FunctionSpec } from "../contract.ts";

/** A larger error is not read: it would hold up the main thread, and a document may have 64 KB at most. */
const MOST_ERROR_BYTES = 64 * 1024;
const MOST_MESSAGE = 4096;
const MOST_TYPE = 256;

export interface SegmentIds {
  readonly trace: string;
  /** The caller's segment, where it told one. */
  readonly parent: string | undefined;
  /** Of the segment `AWS::Lambda`. */
  readonly service: string;
  /** What the function's segment lies under: the service's, or an attempt of it. */
  readonly run: string;
}

/** Epoch milliseconds. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** An invocation as Lambda itself sees it, from its acceptance to its answer. @param status of Invoke's answer */
export function serviceSegment(
  { name, arn }: Pick<FunctionSpec, "name" | "arn">,
  { trace, parent, service }: Omit<SegmentIds, "run">,
  requestId: string,
  span: Span,
  status: number,
  failed: boolean,
): SegmentDocument {
  return {
    id: service,
    name,
    ...times(span),
    trace_id: trace,
    ...(parent === undefined ? {} : { parent_id: parent }),
    http: { response: { status } },
    aws: { request_id: requestId },
    ...(failed || status >= 500 ? { fault: true } : {}),
    ...(status >= 400 && status < 500 ? { error: true } : {}),
    ...(status === 429 ? { throttle: true } : {}),
    origin: "AWS::Lambda",
    resource_arn: arn,
  };
}

export interface FunctionRun {
  readonly id: string;
  readonly span: Span;
  readonly subsegments: readonly SubsegmentDocument[];
  /** What the function failed with; undefined where it did not fail. */
  readonly error: TracedException | undefined;
  readonly links: readonly TraceLink[];
}

/** An invocation as its execution environment sees it. */
export function functionSegment(
  { name, arn, account }: Pick<FunctionSpec, "name" | "arn" | "account">,
  { trace, run: parent }: Pick<SegmentIds, "trace" | "run">,
  { id, span, subsegments, error, links }: FunctionRun,
): SegmentDocument {
  return {
    id,
    name,
    ...times(span),
    trace_id: trace,
    parent_id: parent,
    aws: { account_id: account, function_arn: arn, resource_names: [name] },
    ...(error === undefined ? {} : { fault: true, cause: { exceptions: [error] } }),
    origin: "AWS::Lambda::Function",
    ...(links.length === 0 ? {} : { links }),
    subsegments,
  };
}

/** A part of the segment `AWS::Lambda` of an asynchronous event. @param attempt the run's status and whether it failed */
export function eventSubsegment(
  { trace, service }: Pick<SegmentIds, "trace" | "service">,
  id: string,
  name: string,
  span: Span,
  attempt?: { readonly status: number; readonly failed: boolean },
): LooseSubsegment {
  return {
    id,
    name,
    ...times(span),
    type: "subsegment",
    trace_id: trace,
    parent_id: service,
    ...(attempt === undefined ? {} : { http: { response: { status: attempt.status } } }),
    ...(attempt?.failed === true ? { fault: true } : {}),
  };
}

/** A part of what an execution environment did. @param error what failed in it */
export function subsegment(
  id: string,
  name: "Initialization" | "Restore" | "Invocation" | "Overhead",
  span: Span,
  functionArn: string,
  error?: TracedException,
): SubsegmentDocument {
  return {
    id,
    name,
    ...times(span),
    aws: { function_arn: functionArn },
    ...(error === undefined ? {} : { fault: true, cause: { exceptions: [error] } }),
  };
}

/** What an error's document says, as far as it is one: a runtime may answer anything. */
export function exceptionIn(payload: Uint8Array, id: string): TracedException {
  const { errorType, errorMessage } = errorIn(payload);
  return {
    id,
    type: typeof errorType === "string" ? errorType.slice(0, MOST_TYPE) : "Unhandled",
    message: typeof errorMessage === "string" ? errorMessage.slice(0, MOST_MESSAGE) : "",
  };
}

function errorIn(payload: Uint8Array): { readonly errorType?: unknown; readonly errorMessage?: unknown } {
  if (payload.length > MOST_ERROR_BYTES) return {};
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString());
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function times({ start, end }: Span): { start_time: number; end_time: number } {
  return { start_time: start / 1000, end_time: Math.max(start, end) / 1000 };
}
