import { isUtf8 } from "node:buffer";
import { serializationFailure, tooDeep } from "./failures.ts";

/** Bodies up to this size are parsed at once: whatever is in them, the parser is done within milliseconds. */
const HARMLESS_BYTES = 64 * 1024;

/** Over four times what readers accept (`maxDepth`), so that theirs is the error that an honest client sees. */
const MAX_DEPTH = 512;

/** PutLogEvents at its own limit of 10,000 events has 50,000 commas and braces; the largest honest body is one long string. */
const MAX_SEPARATORS = 500_000;

/**
 * Parses a request's JSON body; an empty body is an empty document.
 * @throws AwsError SerializationException, also for bodies that would hold up every other request: measured, V8 takes
 * 25 s for 70 MB of `[` and 9 s for an object of two million members.
 */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) return {};
  if (body.length > HARMLESS_BYTES) requireParsable(body);
  if (!isUtf8(body)) throw serializationFailure();
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw serializationFailure();
  }
}

/** Counts what costs a parser time. Strings, which is what large bodies are made of, are skipped at memchr's speed. */
function requireParsable(body: Buffer): void {
  let depth = 0;
  let separators = 0;
  for (let at = 0; at < body.length; at++) {
    switch (body[at]) {
      case 0x22: // "
        at = endOfString(body, at + 1);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > MAX_DEPTH) throw tooDeep();
        separators++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x2c: // ,
        if (++separators > MAX_SEPARATORS) throw serializationFailure("Document has too many values");
        break;
      default:
    }
  }
}

/** Where the quote stands that ends the string whose text begins at `from`; the body's length where none does. */
function endOfString(body: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const quote = body.indexOf(0x22, at);
    if (quote === -1) return body.length;
    let backslashes = 0;
    while (quote - backslashes > from && body[quote - backslashes - 1] === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return quote;
    at = quote + 1;
  }
}
