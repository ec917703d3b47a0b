import type { UrlCors } from "./records.ts";
import type { ResponseHeaders, UrlRequest } from "./types.ts";

/** Whether a browser asks what it may send; AWS answers that itself where the URL has CORS settings. */
export function isPreflight({ method, headers }: UrlRequest): boolean {
  return (
    method === "OPTIONS" &&
    headers["origin"] !== undefined &&
    headers["access-control-request-method"] !== undefined
  );
}

/** The headers of a preflight's answer; none of them where the origin is not allowed. */
export function preflightHeaders(cors: UrlCors, origin: string | undefined): ResponseHeaders {
  const headers = corsHeaders(cors, origin);
  if (headers["access-control-allow-origin"] === undefined) return headers;
  delete headers["access-control-expose-headers"];
  const { AllowHeaders = [], AllowMethods = [], MaxAge } = cors;
  if (AllowHeaders.length > 0) headers["access-control-allow-headers"] = AllowHeaders.join(",");
  if (AllowMethods.length > 0) headers["access-control-allow-methods"] = AllowMethods.join(",");
  if (MaxAge !== undefined) headers["access-control-max-age"] = String(MaxAge);
  return headers;
}

/** The headers of every other answer. AWS names the origin that asked even where all are allowed, as its users' browsers show. */
export function corsHeaders(cors: UrlCors, origin: string | undefined): ResponseHeaders {
  if (origin === undefined) return {};
  const { AllowOrigins = [], AllowCredentials, ExposeHeaders = [] } = cors;
  const headers: ResponseHeaders = { vary: "Origin" };
  if (!AllowOrigins.some((allowed) => matches(allowed, origin))) return headers;
  headers["access-control-allow-origin"] = origin;
  if (AllowCredentials === true) headers["access-control-allow-credentials"] = "true";
  if (ExposeHeaders.length > 0) headers["access-control-expose-headers"] = ExposeHeaders.join(",");
  return headers;
}

/** An origin, `*`, or every origin of a scheme: `https://*`. */
function matches(allowed: string, origin: string): boolean {
  const [pattern, asked] = [allowed.toLowerCase(), origin.toLowerCase()];
  if (pattern === "http://*" || pattern === "https://*") return asked.startsWith(pattern.slice(0, -1));
  return pattern === "*" || pattern === asked;
}

/** A function's own headers stay beside the URL's, even the same ones: AWS sends both. */
export function merge(own: ResponseHeaders, added: ResponseHeaders): ResponseHeaders {
  const merged = { ...own };
  for (const [name, value] of Object.entries(added)) {
    const before = merged[name];
    merged[name] = before === undefined ? value : [before, value].flat();
  }
  return merged;
}
