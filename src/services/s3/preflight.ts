import { AwsError } from "#core/errors";
import type { Ids } from "#core/ids";
import type { Documents } from "#storage/documents";
import type { WireResponse } from "#wire/protocols/protocol";
import { s3ErrorResponse, s3RequestIds } from "#wire/protocols/xml/rest-xml";
import { bucketOfHost } from "#wire/routing/virtual-host";
import { corsHeaders, matchingRule } from "./cors.ts";
import { findBucket } from "./store.ts";

/** An HTTP request, as much of it as a preflight looks at. */
export interface PreflightRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Answers a browser's question whether it may ask ("OPTIONS object"): no operation of the schemas, and never signed. */
export function answerPreflight(documents: Documents, ids: Ids, request: PreflightRequest): WireResponse {
  const requestId = ids.uuid();
  try {
    const headers = { ...allowed(documents, request), ...s3RequestIds(requestId) };
    return { status: 200, headers, body: undefined };
  } catch (problem) {
    if (!(problem instanceof AwsError)) throw problem;
    return s3ErrorResponse(problem, requestId);
  }
}

function allowed(documents: Documents, { path, headers }: PreflightRequest): Record<string, string> {
  const { origin, "access-control-request-method": method } = headers;
  if (origin === undefined)
    throw new AwsError("BadRequest", "Insufficient information. Origin request header needed.");
  if (method === undefined || !METHODS.has(method))
    throw new AwsError("BadRequest", `Invalid Access-Control-Request-Method: ${method ?? "null"}`);
  const inHost = bucketOfHost(headers["host"]);
  const [first = "", ...rest] = path.slice(1).split("/");
  const name = inHost ?? first;
  const key = inHost === undefined ? rest.join("/") : path.slice(1);
  const bucket = findBucket(documents, name)?.value;
  if (bucket === undefined) throw forbidden("Bucket not found", "OPTIONS", "BUCKET");
  const kind = key === "" ? "BUCKET" : "OBJECT";
  const { cors } = bucket.settings;
  if (cors === undefined) throw forbidden("CORS is not enabled for this bucket.", method, kind);
  const asked = (headers["access-control-request-headers"] ?? "")
    .split(",")
    .map((header) => header.trim().toLowerCase())
    .filter((header) => header !== "");
  const request = { origin, method, headers: asked };
  const rule = matchingRule(cors, request);
  if (rule === undefined)
    throw forbidden(
      "This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
      method,
      kind,
    );
  return corsHeaders(rule, request);
}

const METHODS: ReadonlySet<string> = new Set(["GET", "PUT", "POST", "DELETE", "HEAD"]);

function forbidden(message: string, Method: string, ResourceType: string): AwsError {
  return new AwsError("AccessForbidden", `CORSResponse: ${message}`, {
    status: 403,
    members: { Method, ResourceType },
  });
}
