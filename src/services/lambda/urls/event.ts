import { isUtf8 } from "node:buffer";
import { domainName } from "./address.ts";
import type { UrlCaller, UrlRequest } from "./types.ts";

export interface EventContext {
  readonly urlId: string;
  readonly region: string;
  /** Without what only leads to the function. */
  readonly path: string;
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly time: number;
  /** `Root=1-…` */
  readonly trace: string;
  /** The port that the request came in by, as its Host header tells. */
  readonly port: string;
  /** Undefined where the URL demands no signature. */
  readonly caller: UrlCaller | undefined;
}

/** Of one connection, and not the function's matter (recorded: test_lambda_url_echo_http_fixture_default has none of them). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Written by the platform: what a client says about itself there is not to be believed. */
const FORWARDED: ReadonlySet<string> = new Set(["x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"]);

/** The event that a function gets, payload format 2.0 (developer guide, "Invoking Lambda function URLs"). */
export function eventOf(request: UrlRequest, context: EventContext): Buffer {
  const { urlId, region, path, requestId, time, caller } = context;
  const sourceIp = request.remoteAddress.replace(/^::ffff:/, "");
  const cookies = request.headers["cookie"]?.split(/; */).filter((cookie) => cookie !== "");
  const text = request.body.length > 0 && isText(request);
  return Buffer.from(
    JSON.stringify({
      version: "2.0",
      routeKey: "$default",
      rawPath: path,
      rawQueryString: request.query,
      ...(cookies === undefined || cookies.length === 0 ? {} : { cookies }),
      headers: headersOf(request, context, sourceIp),
      ...(request.query === "" ? {} : { queryStringParameters: parametersOf(request.query) }),
      requestContext: {
        accountId: caller?.account ?? "anonymous",
        apiId: urlId,
        ...(caller === undefined ? {} : { authorizer: { iam: describeCaller(caller) } }),
        domainName: domainName(urlId, region),
        domainPrefix: urlId,
        http: {
          method: request.method,
          path,
          protocol: "HTTP/1.1",
          sourceIp,
          userAgent: request.headers["user-agent"] ?? "",
        },
        requestId,
        routeKey: "$default",
        stage: "$default",
        time: formatTime(time),
        timeEpoch: time,
      },
      ...(request.body.length === 0 ? {} : { body: request.body.toString(text ? "utf8" : "base64") }),
      isBase64Encoded: request.body.length > 0 && !text,
    }),
  );
}

function headersOf(
  { headers, baseUrl }: UrlRequest,
  { trace, port, caller }: EventContext,
  sourceIp: string,
): Record<string, string> {
  const kept = Object.entries(headers).filter(
    ([name, value]) =>
      value !== undefined &&
      name !== "cookie" &&
      !HOP_BY_HOP.has(name) &&
      !FORWARDED.has(name) &&
      // What proves who is calling has been looked at; functions are not shown it.
      (caller === undefined || name !== "authorization"),
  );
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, String(value)])),
    "x-amzn-trace-id": trace,
    "x-forwarded-for": sourceIp,
    "x-forwarded-port": port,
    "x-forwarded-proto": schemeOf(baseUrl),
  };
}

export function schemeOf(baseUrl: string): "http" | "https" {
  return baseUrl.startsWith("https:") ? "https" : "http";
}

/** Decoded; the values of a name that is repeated are joined with commas (recorded). */
function parametersOf(query: string): Record<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    const before = parameters.get(name);
    parameters.set(name, before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(parameters);
}

/** Other bodies are base64, forms among them (recorded: test_lambda_url_form_payload). */
const TEXT = /^(?:text\/|application\/(?:json|javascript|xml|[\w.-]+\+(?:json|xml))\s*(?:;|$))/i;

function isText({ headers, body }: UrlRequest): boolean {
  return TEXT.test(headers["content-type"] ?? "") && isUtf8(body);
}

function describeCaller({ accessKey, account, arn, userId }: UrlCaller) {
  return {
    accessKey,
    accountId: account,
    callerId: userId,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: arn,
    userId,
  };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `12/Mar/2020:19:03:58 +0000` */
function formatTime(time: number): string {
  const date = new Date(time);
  const [, , day] = date.toISOString().slice(0, 10).split("-");
  return `${day}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}:${date.toISOString().slice(11, 19)} +0000`;
}
