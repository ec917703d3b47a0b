import { LIMITS } from "../limits.ts";
import type { Annotation, Json, Segment, SegmentHttp, Subsegment, Timed } from "./segment.ts";

/** A document that X-Ray does not take; `code` is what PutTraceSegments answers of it. */
export class BadSegment extends Error {
  readonly code: string;
  readonly segmentId: string | undefined;

  constructor(code: string, message: string, segmentId?: string) {
    super(message);
    this.name = "BadSegment";
    this.code = code;
    this.segmentId = segmentId;
  }
}

type Fields = Readonly<Record<string, Json>>;

const TRACE_ID = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/u;
/** OpenTelemetry's form of the same: 32 digits without dashes. */
const W3C_TRACE_ID = /^([0-9a-f]{8})([0-9a-f]{24})$/u;
const SEGMENT_ID = /^[0-9a-f]{16}$/u;
/** Subsegments within one another at most: the reader calls itself for each level. */
const MOST_NESTED = 64;
/** Seconds since the epoch: answers tell times as dates, and none is later. */
const LATEST = 8.64e12;

/** When a trace began, by its id, in epoch milliseconds; undefined where it is no trace id. */
export function timeOfTrace(traceId: string): number | undefined {
  const seconds = TRACE_ID.exec(traceId)?.[1];
  return seconds === undefined ? undefined : Number.parseInt(seconds, 16) * 1000;
}

/** Whether a segment's trace id is OpenTelemetry's: random as a whole, so that it tells no time. */
export function isTimeless(document: string): boolean {
  const id = text(asFields(parseJson(document))?.["trace_id"]);
  return id !== undefined && W3C_TRACE_ID.test(id);
}

/** A trace id in X-Ray's own form. */
export function canonicalTraceId(id: string): string | undefined {
  if (TRACE_ID.test(id)) return id;
  const [, seconds, rest] = W3C_TRACE_ID.exec(id) ?? [];
  return seconds === undefined ? undefined : `1-${seconds}-${rest}`;
}

/**
 * Reads a segment document ("AWS X-Ray segment documents"), of a segment or of a subsegment that was sent by itself.
 * @throws BadSegment
 */
export function parseSegment(document: string): Segment | Subsegment {
  if (Buffer.byteLength(document) > LIMITS.segmentBytes)
    throw new BadSegment("SegmentTooLarge", "Segment documents are 64 kB at most");
  const fields = asFields(parseJson(document));
  if (fields === undefined) throw new BadSegment("ParseError", "Invalid segment. ErrorCode: ParseError");
  const id = text(fields["id"]);
  const traceId = canonicalTraceId(text(fields["trace_id"]) ?? "");
  if (traceId === undefined) throw new BadSegment("InvalidTraceId", "Invalid trace id", id);
  if (id === undefined || !SEGMENT_ID.test(id)) throw new BadSegment("InvalidId", "Invalid segment id", id);
  const timed = readTimed(fields, 0);
  const parentId = text(fields["parent_id"]);
  if (text(fields["type"]) === "subsegment") {
    if (parentId === undefined) throw new BadSegment("MissingParentId", "A subsegment needs a parent_id", id);
    return { ...timed, ...subsegmentFields(fields), kind: "subsegment", traceId, parentId };
  }
  const aws = asFields(fields["aws"]);
  return {
    ...timed,
    kind: "segment",
    traceId,
    parentId,
    origin: text(fields["origin"]),
    user: text(fields["user"]),
    resourceArn: text(fields["resource_arn"]) ?? text(aws?.["resource_arn"]),
    instanceId: text(asFields(aws?.["ec2"])?.["instance_id"]),
    availabilityZone: text(asFields(aws?.["ec2"])?.["availability_zone"]),
    links: readLinks(fields["links"]),
  };
}

function parseJson(document: string): Json {
  try {
    return JSON.parse(document) as Json;
  } catch {
    return undefined;
  }
}

function readTimed(fields: Fields, depth: number): Timed {
  const id = text(fields["id"]) ?? "";
  if (depth > MOST_NESTED) throw new BadSegment("ParseError", "Subsegments are nested too deeply", id);
  const name = text(fields["name"]);
  if (name === undefined || name === "" || name.length > 200)
    throw new BadSegment("InvalidName", "Invalid name", id);
  const start = number(fields["start_time"]);
  if (start === undefined || start < 0 || start > LATEST)
    throw new BadSegment("InvalidStartTime", "Invalid start_time", id);
  const end = number(fields["end_time"]);
  if (end !== undefined && end > LATEST) throw new BadSegment("InvalidEndTime", "Invalid end_time", id);
  if (end === undefined && fields["in_progress"] !== true)
    throw new BadSegment("InvalidEndTime", "Either end_time or in_progress is needed", id);
  const inner = fields["subsegments"];
  return {
    id,
    name,
    start,
    end: end === undefined ? undefined : Math.max(start, end),
    fault: fields["fault"] === true,
    error: fields["error"] === true,
    throttle: fields["throttle"] === true,
    http: readHttp(asFields(fields["http"])),
    annotations: readAnnotations(asFields(fields["annotations"])),
    exceptions: readExceptions(asFields(fields["cause"])),
    subsegments: Array.isArray(inner)
      ? inner.flatMap((one: Json) => {
          const of = asFields(one);
          if (of === undefined) return [];
          return [
            {
              ...readTimed(of, depth + 1),
              ...subsegmentFields(of),
              kind: "subsegment" as const,
              traceId: undefined,
              parentId: undefined,
            },
          ];
        })
      : [],
  };
}

function subsegmentFields(fields: Fields): Pick<Subsegment, "namespace" | "operation" | "resource"> {
  const aws = asFields(fields["aws"]);
  const resource = ["table_name", "queue_url", "topic_arn", "function_name", "bucket_name"]
    .map((name) => text(aws?.[name]))
    .find((value) => value !== undefined);
  return { namespace: text(fields["namespace"]), operation: text(aws?.["operation"]), resource };
}

function readHttp(http: Fields | undefined): SegmentHttp | undefined {
  if (http === undefined) return undefined;
  const [request, response] = [asFields(http["request"]), asFields(http["response"])];
  return {
    url: text(request?.["url"]),
    method: text(request?.["method"]),
    userAgent: text(request?.["user_agent"]),
    clientIp: text(request?.["client_ip"]),
    status: number(response?.["status"]),
  };
}

function readAnnotations(annotations: Fields | undefined): ReadonlyMap<string, Annotation> {
  const found = new Map<string, Annotation>();
  for (const [key, value] of Object.entries(annotations ?? {})) {
    if (found.size >= LIMITS.annotations) break;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      found.set(key, value);
  }
  return found;
}

function readExceptions(cause: Fields | undefined): Timed["exceptions"] {
  const exceptions = cause?.["exceptions"];
  if (!Array.isArray(exceptions)) return [];
  return exceptions.flatMap((one: Json) => {
    const fields = asFields(one);
    return fields === undefined ? [] : [{ type: text(fields["type"]), message: text(fields["message"]) }];
  });
}

function readLinks(links: Json): readonly string[] {
  if (!Array.isArray(links)) return [];
  return links.flatMap((link: Json) => canonicalTraceId(text(asFields(link)?.["trace_id"]) ?? "") ?? []);
}

function asFields(value: Json): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function text(value: Json): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function number(value: Json): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
