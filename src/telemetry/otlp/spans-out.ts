import { keyValues, listOf, nanosecondsOf, numberOf, textOf, fieldsOf } from "./values.ts";
import type { Fields, Plain } from "./values.ts";

/** A segment document that X-Ray took. */
export interface SegmentOut {
  readonly account: string;
  readonly region: string;
  /** Whose program sent it: names the service of subsegments that come by themselves. */
  readonly sender: string;
  readonly document: string;
}

const INTERNAL = 1;
const SERVER = 2;
const CLIENT = 3;
const ERROR = 2;
/** Deeper than any document that X-Ray takes. */
const MOST_NESTED = 70;
/** Seconds: more nanoseconds than 64 bits hold. */
const END_OF_TIME = 2 ** 64 / 1e9;
const SPAN_ID = /^[0-9a-f]{16}$/;
const TRACE_ID = /^[0-9a-f]{32}$/;

/**
 * Segments, and what lies in them, as spans. What is still in progress is told once it has ended. What OTLP has no form for,
 * such as other ids, is left out: a collector would refuse all that came with it, too.
 */
export function encodeSpans(segments: readonly SegmentOut[]): Fields {
  return {
    resourceSpans: segments.flatMap((segment) => {
      const top = JSON.parse(segment.document) as Fields;
      const spans = [...spansOf(top, idOf(top["trace_id"]), textOf(top["parent_id"]), 0)];
      if (spans.length === 0) return [];
      return [{ resource: resourceOf(segment, top), scopeSpans: [{ scope: { name: "thaw" }, spans }] }];
    }),
  };
}

function resourceOf({ account, region, sender }: SegmentOut, top: Fields): Fields {
  const origin = textOf(top["origin"]);
  const own = textOf(top["type"]) === "subsegment" ? sender : textOf(top["name"]);
  const ofFunction = origin.startsWith("AWS::Lambda");
  return {
    attributes: keyValues({
      "service.name": own || "unknown_service",
      "cloud.provider": "aws",
      "cloud.account.id": account,
      "cloud.region": region,
      "cloud.platform": ofFunction ? "aws_lambda" : undefined,
      "faas.name": ofFunction ? own : undefined,
      "aws.xray.origin": origin || undefined,
    }),
  };
}

function* spansOf(part: Fields, traceId: string, parent: string, depth: number): Generator<Fields> {
  const id = textOf(part["id"]);
  const [start, end] = [timeOf(part["start_time"]), timeOf(part["end_time"])];
  if (start !== undefined && end !== undefined && SPAN_ID.test(id) && TRACE_ID.test(traceId))
    yield spanOf(part, traceId, parent, start, end);
  if (depth === MOST_NESTED) return;
  const within = SPAN_ID.test(id) ? id : parent;
  for (const inner of listOf(part["subsegments"])) yield* spansOf(inner, traceId, within, depth + 1);
}

/** Seconds since the epoch. */
function timeOf(value: unknown): number | undefined {
  const seconds = numberOf(value);
  return seconds === undefined || seconds < 0 || seconds >= END_OF_TIME ? undefined : seconds;
}

function spanOf(part: Fields, traceId: string, parent: string, start: number, end: number): Fields {
  const failed = part["fault"] === true || part["error"] === true;
  return {
    traceId,
    spanId: part["id"],
    ...(SPAN_ID.test(parent) ? { parentSpanId: parent } : {}),
    name: textOf(part["name"]),
    kind: kindOf(part),
    startTimeUnixNano: nanosecondsOf(start),
    endTimeUnixNano: nanosecondsOf(end),
    attributes: attributesOf(part),
    ...(failed ? { status: { code: ERROR } } : {}),
    ...eventsOf(part, end),
    ...linksOf(part),
  };
}

function kindOf(part: Fields): number {
  if (textOf(part["namespace"]) !== "") return CLIENT;
  return part["trace_id"] !== undefined && textOf(part["type"]) !== "subsegment" ? SERVER : INTERNAL;
}

function attributesOf(part: Fields): readonly Fields[] {
  const http = fieldsOf(part["http"]);
  const [request, response] = [fieldsOf(http["request"]), fieldsOf(http["response"])];
  const aws = fieldsOf(part["aws"]);
  const some = (value: unknown): Plain | undefined =>
    typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
  const annotations = Object.entries(fieldsOf(part["annotations"])).map(([key, value]) => [key, some(value)]);
  return keyValues({
    ...(Object.fromEntries(annotations) as Record<string, Plain | undefined>),
    "http.request.method": some(request["method"]),
    "url.full": some(request["url"]),
    "http.response.status_code": some(response["status"]),
    "aws.request_id": some(aws["request_id"]),
    "rpc.method": some(aws["operation"]),
    "faas.invoked_name": some(aws["function_name"]),
    "cloud.resource_id": some(part["resource_arn"]) ?? some(aws["function_arn"]),
  });
}

function eventsOf(part: Fields, end: number): Fields {
  const events = listOf(fieldsOf(part["cause"])["exceptions"]).map((exception) => ({
    name: "exception",
    timeUnixNano: nanosecondsOf(end),
    attributes: keyValues({
      "exception.type": textOf(exception["type"]),
      "exception.message": textOf(exception["message"]),
    }),
  }));
  return events.length === 0 ? {} : { events };
}

function linksOf(part: Fields): Fields {
  const links = listOf(part["links"]).flatMap((link) => {
    const [spanId, traceId] = [textOf(link["id"]), idOf(link["trace_id"])];
    return SPAN_ID.test(spanId) && TRACE_ID.test(traceId) ? [{ traceId, spanId }] : [];
  });
  return links.length === 0 ? {} : { links };
}

/** X-Ray's `1-5759e988-bd86…` is OpenTelemetry's id without what divides it. */
function idOf(traceId: unknown): string {
  return textOf(traceId).replace(/^1-/, "").replaceAll("-", "");
}
