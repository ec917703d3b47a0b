import { attributesOf, fieldsOf, hexOf, listOf, numberOf, secondsOf, textOf } from "./values.ts";
import type { Fields, Plain } from "./values.ts";

const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;
const ERROR = 2;

/** Names of segments have no other characters, and 200 of them at most ("AWS X-Ray segment documents"). */
const NOT_IN_NAMES = /[^\p{L}\p{N}\p{Z}_.:/%&#=+\-@]/gu;
/** Keys of annotations have no others. */
const NOT_IN_KEYS = /[^A-Za-z0-9_]/g;
const MOST_ANNOTATIONS = 50;

type Attributes = { readonly [key: string]: Plain };

export interface SpansIn {
  /** Segment documents of X-Ray, as JSON. */
  readonly documents: readonly string[];
  /** Spans without an id, a time or a trace. */
  readonly rejected: number;
}

/**
 * Spans as X-Ray's segments: what serves a request, and what nothing of the same service called, is a segment; all else is a
 * subsegment within its parent (developer guide, "OpenTelemetry Protocol (OTLP) Endpoint", and the exporter for X-Ray that
 * OpenTelemetry's collector has).
 */
export function readSpans(request: Fields): SpansIn {
  const documents: string[] = [];
  let rejected = 0;
  for (const { resource, scopeSpans } of listOf(request["resourceSpans"])) {
    const about = attributesOf(fieldsOf(resource)["attributes"]);
    const spans = listOf(scopeSpans).flatMap((scope) => listOf(scope["spans"]));
    const own = new Set(spans.map(({ spanId }) => hexOf(spanId)));
    for (const span of spans) {
      const document = documentOf(span, about, own);
      if (document === undefined) rejected++;
      else documents.push(JSON.stringify(document));
    }
  }
  return { documents, rejected };
}

/** @param own ids of the spans that came with it, of the same service */
function documentOf(span: Fields, resource: Attributes, own: ReadonlySet<string>): object | undefined {
  const id = hexOf(span["spanId"]);
  const traceId = hexOf(span["traceId"]);
  const start = secondsOf(span["startTimeUnixNano"]);
  const end = secondsOf(span["endTimeUnixNano"]);
  if (!/^[0-9a-f]{16}$/.test(id) || !/^[0-9a-f]{32}$/.test(traceId)) return undefined;
  if (start === undefined || end === undefined) return undefined;
  const parent = hexOf(span["parentSpanId"]);
  const kind = numberOf(span["kind"]);
  const entry = kind === SERVER || parent === "" || (kind === CONSUMER && !own.has(parent));
  const attributes = attributesOf(span["attributes"]);
  const calls = kind === CLIENT || kind === PRODUCER;
  const service = textOf(resource["service.name"]) || "unknown_service";
  return {
    id,
    trace_id: traceId,
    ...(parent === "" ? {} : { parent_id: parent }),
    ...(entry ? {} : { type: "subsegment" }),
    name: nameOf(entry ? service : calledBy(attributes) || textOf(span["name"])),
    start_time: start,
    end_time: Math.max(start, end),
    ...(entry || !calls
      ? {}
      : { namespace: textOf(attributes["rpc.system"]) === "aws-api" ? "aws" : "remote" }),
    ...outcomeOf(span, attributes, id),
    ...httpOf(attributes),
    annotations: annotationsOf(attributes),
    metadata: { default: { "span.name": textOf(span["name"]), ...attributes }, resource },
    ...linksOf(span),
    ...(entry ? originOf(resource) : {}),
  };
}

function nameOf(text: string): string {
  return text.replaceAll(NOT_IN_NAMES, "_").slice(0, 200) || "unnamed";
}

/** Whom a call went to. */
function calledBy(attributes: Attributes): string {
  const names = ["peer.service", "rpc.service", "server.address", "net.peer.name", "db.system"];
  return names.map((name) => textOf(attributes[name])).find((name) => name !== "") ?? "";
}

function outcomeOf(span: Fields, attributes: Attributes, id: string): object {
  const { code, message } = fieldsOf(span["status"]);
  const status = statusOf(attributes);
  const exceptions = listOf(span["events"])
    .filter(({ name }) => name === "exception")
    .map((event) => attributesOf(event["attributes"]))
    .map((about) => ({
      id,
      type: textOf(about["exception.type"]),
      message: textOf(about["exception.message"]).slice(0, 4096),
    }));
  const failed = numberOf(code) === ERROR;
  if (failed && exceptions.length === 0 && textOf(message) !== "")
    exceptions.push({ id, type: "", message: textOf(message).slice(0, 4096) });
  const clients = status !== undefined && status >= 400 && status < 500;
  return {
    ...(clients ? { error: true } : failed ? { fault: true } : {}),
    ...(status === 429 ? { throttle: true } : {}),
    ...(exceptions.length === 0 ? {} : { cause: { exceptions } }),
  };
}

function statusOf(attributes: Attributes): number | undefined {
  return numberOf(attributes["http.response.status_code"] ?? attributes["http.status_code"]);
}

function httpOf(attributes: Attributes): object {
  const method = textOf(attributes["http.request.method"] ?? attributes["http.method"]);
  const url = textOf(
    attributes["url.full"] ?? attributes["http.url"] ?? attributes["url.path"] ?? attributes["http.target"],
  );
  const status = statusOf(attributes);
  if (method === "" && url === "" && status === undefined) return {};
  const agent = textOf(attributes["user_agent.original"] ?? attributes["http.user_agent"]);
  const client = textOf(attributes["client.address"] ?? attributes["http.client_ip"]);
  return {
    http: {
      request: {
        ...(method === "" ? {} : { method }),
        ...(url === "" ? {} : { url }),
        ...(agent === "" ? {} : { user_agent: agent }),
        ...(client === "" ? {} : { client_ip: client }),
      },
      ...(status === undefined ? {} : { response: { status } }),
    },
  };
}

/** Attributes are indexed, as AWS's endpoint does it. */
function annotationsOf(attributes: Attributes): { readonly [key: string]: Plain } {
  return Object.fromEntries(
    Object.entries(attributes)
      .filter(([, value]) => ["string", "number", "boolean"].includes(typeof value))
      .slice(0, MOST_ANNOTATIONS)
      .map(([key, value]) => [key.replaceAll(NOT_IN_KEYS, "_"), value]),
  );
}

function linksOf(span: Fields): object {
  const links = listOf(span["links"]).map((link) => ({
    trace_id: hexOf(link["traceId"]),
    id: hexOf(link["spanId"]),
  }));
  return links.length === 0 ? {} : { links };
}

const ORIGINS: ReadonlyMap<string, string> = new Map([
  ["aws_lambda", "AWS::Lambda::Function"],
  ["aws_ec2", "AWS::EC2::Instance"],
  ["aws_ecs", "AWS::ECS::Container"],
  ["aws_eks", "AWS::EKS::Container"],
]);

function originOf(resource: Attributes): object {
  const origin = ORIGINS.get(textOf(resource["cloud.platform"]));
  return origin === undefined ? {} : { origin };
}
