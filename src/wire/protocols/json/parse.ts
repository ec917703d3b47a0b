import { isUtf8 } from "node:buffer";
import { serializationFailure } from "./failures.ts";

/**
 * Parses a request's JSON body; an empty body is an empty document. Deep nesting is harmless here, because V8's parser
 * keeps its own stack; readers of the result limit their depth.
 */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) return {};
  if (!isUtf8(body)) throw serializationFailure();
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw serializationFailure();
  }
}
