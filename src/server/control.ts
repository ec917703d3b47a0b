import type { Readable } from "node:stream";
import { jsonResponse } from "./json.ts";
import type { HttpRequest, HttpResponse } from "./listener.ts";

/** What the platform's own addresses, below `/_thaw/`, stand on. */
export interface ControlOptions {
  readonly version: string;
  readonly health: () => object;
  /** Undefined where `--allow-reset` was not given. */
  readonly reset: (() => Promise<void>) | undefined;
  /** A deployment package for a signed link; undefined where the link is forged or has expired. */
  readonly download: (path: string, query: string) => Promise<Readable> | undefined;
  /** In OpenMetrics' format. */
  readonly metrics: () => Promise<string>;
  /** What would have been sent to people and devices. */
  readonly outbox: () => readonly object[];
  /** What roles and users asked permission for, and what was refused. */
  readonly permissions: () => object;
  /** What AWS would bill, as a query asks for it. Resolves with undefined where the query cannot be read. */
  readonly cost: (query: string) => Promise<object | undefined>;
  /** What the issuer of an account's tokens publishes at a path. */
  readonly issuer: (path: string) => object | undefined;
}

/**
 * Answers `/_thaw/health`, `/_thaw/metrics`, `/_thaw/reset`, `/_thaw/outbox`, `/_thaw/permissions`,
 * `/_thaw/cost`, `/_thaw/code/…`, `/_thaw/issuers/…`, and whoever looks at `/` with a browser or curl; undefined
 * for every request that is AWS's.
 */
export function control(options: ControlOptions, request: HttpRequest): Promise<HttpResponse> | undefined {
  if (request.path.startsWith("/_thaw/")) return answer(options, request);
  return isVisit(request) ? Promise.resolve(greeting(options, request)) : undefined;
}

/**
 * `GET /` is S3's ListBuckets too: signed in the header or in the query, or unsigned by clients that were told so. Browsers,
 * curl and wget all say what they accept, which AWS's clients do not.
 */
function isVisit({ method, path, query, headers }: HttpRequest): boolean {
  return (
    path === "/" &&
    query === "" &&
    (method === "GET" || method === "HEAD") &&
    headers["accept"] !== undefined &&
    headers["authorization"] === undefined &&
    headers["upgrade"] === undefined
  );
}

function greeting({ version }: ControlOptions, request: HttpRequest): HttpResponse {
  // The client's own words, in a command that is there to be copied.
  const baseUrl = /^https?:\/\/[\w.:[\]-]+$/.test(request.baseUrl)
    ? request.baseUrl
    : "http://127.0.0.1:4566";
  const text = `Thaw ${version} runs AWS Lambda functions here, through AWS's own APIs.

This address is for AWS's tools. Point them at it with
  eval "$(thaw env --endpoint ${baseUrl})"
or with AWS_ENDPOINT_URL=${baseUrl} and the credentials that the platform was started with, and try
  aws lambda list-functions

State of the platform: ${baseUrl}/_thaw/health
How to go on: README.md, docs/ and \`thaw --help\`
`;
  return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: text };
}

async function answer(options: ControlOptions, request: HttpRequest): Promise<HttpResponse> {
  const { method, path, query } = request;
  if (path === "/_thaw/health" && (method === "GET" || method === "HEAD"))
    return jsonResponse(200, options.health());
  if (path === "/_thaw/reset" && method === "POST") {
    if (options.reset === undefined)
      return jsonResponse(403, { message: "Reset is off. Start the platform with --allow-reset." });
    if (!request.fromThisHost)
      return jsonResponse(403, { message: "Reset is allowed from this machine alone." });
    // A page in a browser on this machine may send a POST; it cannot do so without saying where it is from.
    if (request.headers["origin"] !== undefined)
      return jsonResponse(403, { message: "Reset is not for web pages." });
    await options.reset();
    return jsonResponse(200, { status: "reset" });
  }
  if (path === "/_thaw/metrics" && (method === "GET" || method === "HEAD")) {
    const refusal = onlyHere(request, "The state of the platform");
    if (refusal !== undefined) return refusal;
    const type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    return { status: 200, headers: { "content-type": type }, body: await options.metrics() };
  }
  if (path === "/_thaw/outbox" && method === "GET")
    return onlyHere(request, "The outbox") ?? jsonResponse(200, { messages: options.outbox() });
  if (path === "/_thaw/permissions" && method === "GET")
    return onlyHere(request, "The use of permissions") ?? jsonResponse(200, options.permissions());
  if (path === "/_thaw/cost" && method === "GET") {
    const refusal = onlyHere(request, "The cost");
    if (refusal !== undefined) return refusal;
    const message = "from and to are days such as 2026-01-31, by is day or month";
    const cost = await options.cost(query);
    return cost === undefined ? jsonResponse(400, { message }) : jsonResponse(200, cost);
  }
  if (path.startsWith("/_thaw/code/") && method === "GET") {
    const body = await options.download(path, query);
    if (body === undefined)
      return jsonResponse(403, { message: "The link has expired or was not signed here." });
    return { status: 200, headers: { "content-type": "application/zip" }, body };
  }
  const published = method === "GET" ? options.issuer(path) : undefined;
  if (published !== undefined) return jsonResponse(200, published);
  return jsonResponse(404, { message: `Nothing at ${method} ${path}` });
}

/** A refusal of whoever asks from elsewhere, or is a page in a browser. */
function onlyHere(request: HttpRequest, what: string): HttpResponse | undefined {
  if (!request.fromThisHost) return jsonResponse(403, { message: `${what} is shown on this machine alone.` });
  if (request.headers["origin"] !== undefined)
    return jsonResponse(403, { message: `${what} is not for web pages.` });
  return undefined;
}
