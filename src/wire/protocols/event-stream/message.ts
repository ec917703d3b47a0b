import { crc32 } from "node:zlib";
import { EventStreamError } from "./errors.ts";
import { decodeHeaders, encodeHeaders, type Headers } from "./headers.ts";

export interface Message {
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** Total length, length of headers, and the checksum of these two. */
const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const OVERHEAD_BYTES = PRELUDE_BYTES + CHECKSUM_BYTES;
/** Limits of Smithy's "Amazon Event Stream Specification": 128 KiB of headers, 24 MiB of payload. */
const MAX_HEADER_BYTES = 128 * 1024;
const MAX_BODY_BYTES = 24 * 1024 * 1024;

/** Frames one message. Throws an EventStreamError where it is beyond the format's limits. */
export function encodeMessage({ headers, body }: Message): Buffer {
  const head = encodeHeaders(headers);
  requireLengths(head.length, body.length);
  const out = Buffer.alloc(OVERHEAD_BYTES + head.length + body.length);
  out.writeUInt32BE(out.length, 0);
  out.writeUInt32BE(head.length, 4);
  out.writeUInt32BE(crc32(out.subarray(0, 8)), 8);
  out.set(head, PRELUDE_BYTES);
  out.set(body, PRELUDE_BYTES + head.length);
  const end = out.length - CHECKSUM_BYTES;
  out.writeUInt32BE(crc32(out.subarray(0, end)), end);
  return out;
}

/** Reads exactly one message. Throws an EventStreamError for anything else. */
export function decodeMessage(bytes: Uint8Array): Message {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (message.length < OVERHEAD_BYTES) throw new EventStreamError("a message is cut short");
  const total = message.readUInt32BE(0);
  const headerLength = message.readUInt32BE(4);
  if (message.readUInt32BE(8) !== crc32(message.subarray(0, 8)))
    throw new EventStreamError("the prelude's checksum is wrong");
  if (total !== message.length)
    throw new EventStreamError(`a message of ${total} bytes came with ${message.length}`);
  requireLengths(headerLength, total - OVERHEAD_BYTES - headerLength);
  const end = total - CHECKSUM_BYTES;
  if (message.readUInt32BE(end) !== crc32(message.subarray(0, end)))
    throw new EventStreamError("the message's checksum is wrong");
  const bodyStart = PRELUDE_BYTES + headerLength;
  return {
    headers: decodeHeaders(message.subarray(PRELUDE_BYTES, bodyStart)),
    body: message.subarray(bodyStart, end),
  };
}

function requireLengths(headerLength: number, bodyLength: number): void {
  if (headerLength > MAX_HEADER_BYTES)
    throw new EventStreamError(`headers of ${headerLength} bytes are too long`);
  if (bodyLength < 0 || bodyLength > MAX_BODY_BYTES)
    throw new EventStreamError(`a payload of ${bodyLength} bytes is too long`);
}
