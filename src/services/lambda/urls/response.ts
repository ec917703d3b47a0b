import { validateHeaderName, validateHeaderValue } from "node:http";
import type { ResponseHead, ResponseHeaders, UrlResponse } from "./types.ts";

/**
 * What a function's return value says to answer. A value that is not a response is the body itself, as JSON; a string is
 * it without its quotes (recorded: test_lambda_url_invocation).
 * @returns undefined where it is not JSON, or claims to be a response and is none
 */
export function responseOf(payload: Uint8Array): UrlResponse | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  if (!isObject(value) || value["statusCode"] === undefined)
    return {
      status: 200,
      headers: { "content-type": "application/json" },
      body: typeof value === "string" ? value : bytes,
    };
  const head = headOf(value);
  const { body, isBase64Encoded } = value;
  if (head === undefined || (body !== undefined && body !== null && typeof body !== "string"))
    return undefined;
  return {
    ...head,
    body: isBase64Encoded === true ? Buffer.from(body ?? "", "base64") : (body ?? undefined),
  };
}

/** Status, headers and cookies, of a whole response or of what a streaming function sends ahead of its body. */
export function headOf(value: Readonly<Record<string, unknown>>): ResponseHead | undefined {
  const status = statusOf(value["statusCode"] ?? 200);
  const headers = headersOf(value["headers"] ?? {});
  const cookies: unknown = value["cookies"] ?? [];
  if (status === undefined || headers === undefined || !Array.isArray(cookies)) return undefined;
  if (!cookies.every((cookie): cookie is string => typeof cookie === "string" && isValue(cookie)))
    return undefined;
  headers["content-type"] ??= "application/json";
  if (cookies.length > 0) headers["set-cookie"] = [...[headers["set-cookie"] ?? []].flat(), ...cookies];
  return { status, headers };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function statusOf(value: unknown): number | undefined {
  const status = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  if (typeof status !== "number" || !Number.isInteger(status)) return undefined;
  // An informational response is not an answer.
  return status >= 200 && status <= 599 ? status : undefined;
}

/** The platform's own to write; a function's go out under another name, as AWS does it. */
const REMAPPED: ReadonlySet<string> = new Set(["connection", "content-length", "date", "keep-alive"]);
/** They would change how the body is read. */
const DROPPED: ReadonlySet<string> = new Set(["transfer-encoding", "trailer", "upgrade"]);

function headersOf(value: unknown): ResponseHeaders | undefined {
  if (!isObject(value)) return undefined;
  const headers: ResponseHeaders = {};
  for (const [given, content] of Object.entries(value)) {
    if (content === null) continue;
    const text = scalar(content);
    if (text === undefined || !isName(given) || !isValue(text)) return undefined;
    const name = given.toLowerCase();
    if (DROPPED.has(name)) continue;
    headers[REMAPPED.has(name) ? `x-amzn-remapped-${name}` : name] = text;
  }
  return headers;
}

function scalar(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function isName(name: string): boolean {
  try {
    validateHeaderName(name);
    return name !== "__proto__";
  } catch {
    return false;
  }
}

function isValue(value: string): boolean {
  try {
    validateHeaderValue("x", value);
    return true;
  } catch {
    return false;
  }
}
