import type { Readable } from "node:stream";
import type { HttpRequest, HttpResponse } from "./listener.ts";

/** What the platform's own addresses, below `/_thaw/`, stand on. */
export interface ControlOptions {
  readonly health: () => object;
  /** Undefined where `--allow-reset` was not given. */
  readonly reset: (() => Promise<void>) | undefined;
  /** A deployment package for a signed link; undefined where the link is forged or has expired. */
  readonly download: (path: string, query: string) => Promise<Readable> | undefined;
  readonly isLoopback: (remoteAddress: string) => boolean;
}

/** Answers `/_thaw/health`, `/_thaw/reset` and `/_thaw/code/…`; undefined for every path that is AWS's. */
export function control(options: ControlOptions, request: HttpRequest): Promise<HttpResponse> | undefined {
  return request.path.startsWith("/_thaw/") ? answer(options, request) : undefined;
}

async function answer(options: ControlOptions, request: HttpRequest): Promise<HttpResponse> {
  const { method, path, query } = request;
  if (path === "/_thaw/health" && (method === "GET" || method === "HEAD")) return json(200, options.health());
  if (path === "/_thaw/reset" && method === "POST") {
    if (options.reset === undefined)
      return json(403, { message: "Reset is off. Start the platform with --allow-reset." });
    if (!options.isLoopback(request.remoteAddress))
      return json(403, { message: "Reset is allowed from this machine alone." });
    // A page in a browser on this machine may send a POST; it cannot do so without saying where it is from.
    if (request.headers["origin"] !== undefined) return json(403, { message: "Reset is not for web pages." });
    await options.reset();
    return json(200, { status: "reset" });
  }
  if (path.startsWith("/_thaw/code/") && method === "GET") {
    const body = await options.download(path, query);
    if (body === undefined) return json(403, { message: "The link has expired or was not signed here." });
    return { status: 200, headers: { "content-type": "application/zip" }, body };
  }
  return json(404, { message: `Nothing at ${method} ${path}` });
}

function json(status: number, body: object): HttpResponse {
  return { status, headers: { "content-type": "application/json" }, body: `${JSON.stringify(body)}\n` };
}
