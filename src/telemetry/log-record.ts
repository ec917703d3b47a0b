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
  const { ingestionTime, timestamp, message } = new LogRecordView(bytes, 0, bytes.length);
  return { ingestionTime, timestamp, message };
}

/** An encoded event that lies among others: its parts are decoded when they are asked for. */
export class LogRecordView implements LogRecord {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  #message: string | undefined;

  /** @param start of the event in `bytes` @param end behind it */
  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  get ingestionTime(): number {
    return this.#bytes.readUIntBE(this.#start, 6);
  }

  get timestamp(): number {
    return this.#bytes.readUIntBE(this.#start + 6, 6);
  }

  get message(): string {
    this.#message ??= this.#bytes.toString("utf8", this.#start + HEADER_BYTES, this.#end);
    return this.#message;
  }

  /** The bytes of its message, in UTF-8. */
  get messageBytes(): number {
    return this.#end - this.#start - HEADER_BYTES;
  }
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
