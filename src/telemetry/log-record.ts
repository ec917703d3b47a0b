/** A log event as the journal keeps it. Times are epoch milliseconds. */
export interface LogRecord {
  readonly ingestionTime: number;
  /** The event's own time. The journal raises a record's time to keep its order; this is never raised. */
  readonly timestamp: number;
  readonly message: string;
}

/** Two unsigned 48-bit times, good until the year 10889. */
const HEADER_BYTES = 12;

/** Encodes a log event: ingestion time and timestamp (48 bits each, big endian), then the message in UTF-8. */
export function encodeLogRecord(ingestionTime: number, timestamp: number, message: string): Buffer {
  const body = Buffer.allocUnsafe(HEADER_BYTES + Buffer.byteLength(message));
  body.writeUIntBE(ingestionTime, 0, 6);
  body.writeUIntBE(timestamp, 6, 6);
  body.write(message, HEADER_BYTES);
  return body;
}

/** The bytes of an encoded event's message, in UTF-8. */
export function messageBytes(body: Uint8Array): number {
  return body.length - HEADER_BYTES;
}

/** Decodes what `encodeLogRecord` wrote. @throws RangeError where the body is shorter than its header */
export function decodeLogRecord(body: Uint8Array): LogRecord {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return {
    ingestionTime: bytes.readUIntBE(0, 6),
    timestamp: bytes.readUIntBE(6, 6),
    message: bytes.toString("utf8", HEADER_BYTES),
  };
}

/** Logs' journal stream of a log stream. */
export function logJournalStream(
  account: string,
  region: string,
  group: string,
  stream: string,
): readonly [string, string, string, string, string] {
  return [account, region, "logs", group, stream];
}
