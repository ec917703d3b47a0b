import type { IncomingMessage } from "node:http";

/** A body that came whole, or why it did not. */
export type Body =
  | { readonly kind: "whole"; readonly bytes: Buffer }
  | { readonly kind: "too-large" }
  | { readonly kind: "cut-off" };

/**
 * Reads a body of at most `limit` bytes. What comes beyond is read and thrown away, so that a client that writes first and
 * reads afterwards still gets its answer. Memory is bounded by about twice the limit however small the pieces are that it
 * is sent in: each would otherwise hold a buffer of its own.
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Body> {
  return new Promise((resolve) => {
    let bytes = Buffer.allocUnsafe(0);
    let length = 0;
    if (Number(request.headers["content-length"] ?? 0) > limit) {
      request.resume();
      resolve({ kind: "too-large" });
      return;
    }
    request.on("data", (chunk: Buffer) => {
      if (length + chunk.length > limit) {
        bytes = Buffer.allocUnsafe(0);
        length = limit;
        resolve({ kind: "too-large" });
        return;
      }
      if (length + chunk.length > bytes.length) {
        const larger = Buffer.allocUnsafe(Math.min(limit, Math.max(4096, 2 * (length + chunk.length))));
        bytes.copy(larger, 0, 0, length);
        bytes = larger;
      }
      chunk.copy(bytes, length);
      length += chunk.length;
    });
    request.once("end", () => resolve({ kind: "whole", bytes: bytes.subarray(0, length) }));
    // An `end` has come before where the request was complete; then this does nothing.
    request.once("close", () => resolve({ kind: "cut-off" }));
    request.once("error", () => resolve({ kind: "cut-off" }));
  });
}
