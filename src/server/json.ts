import type { HttpResponse } from "./listener.ts";

/** An answer in JSON, a line of its own for those who look at it in a terminal. */
export function jsonResponse(status: number, body: object): HttpResponse {
  return { status, headers: { "content-type": "application/json" }, body: `${JSON.stringify(body)}\n` };
}
