import { EventStreamError } from "./errors.ts";

/** A header's value with its wire type. Timestamps are epoch milliseconds, UUIDs lower case with hyphens. */
export type HeaderValue =
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "byte" | "short" | "integer"; readonly value: number }
  | { readonly type: "long"; readonly value: bigint }
  | { readonly type: "binary"; readonly value: Uint8Array }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "timestamp"; readonly value: number }
  | { readonly type: "uuid"; readonly value: string };

export type Headers = ReadonlyMap<string, HeaderValue>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const MAX_VALUE_BYTES = 32_767;

/** Writes headers: name length, name, type, value (Smithy, "Amazon Event Stream Specification"). */
export function encodeHeaders(headers: Headers): Buffer {
  const pieces: Buffer[] = [];
  for (const [name, header] of headers) {
    const bytes = Buffer.from(name);
    if (bytes.length === 0 || bytes.length > 255)
      throw new EventStreamError(`a header name has 1 to 255 bytes, not ${bytes.length}`);
    pieces.push(Buffer.of(bytes.length), bytes, encodeValue(header));
  }
  return Buffer.concat(pieces);
}

function encodeValue(header: HeaderValue): Buffer {
  switch (header.type) {
    case "boolean":
      return Buffer.of(header.value ? 0 : 1);
    case "byte":
      return fixed(2, 1, (out) => out.writeInt8(header.value, 1));
    case "short":
      return fixed(3, 2, (out) => out.writeInt16BE(header.value, 1));
    case "integer":
      return fixed(4, 4, (out) => out.writeInt32BE(header.value, 1));
    case "long":
      return fixed(5, 8, (out) => out.writeBigInt64BE(header.value, 1));
    case "binary":
      return sized(6, header.value);
    case "string":
      return sized(7, Buffer.from(header.value));
    case "timestamp":
      return fixed(8, 8, (out) => out.writeBigInt64BE(BigInt(Math.round(header.value)), 1));
    default:
      if (!UUID.test(header.value)) throw new EventStreamError(`not a UUID: ${header.value}`);
      return Buffer.concat([Buffer.of(9), Buffer.from(header.value.replaceAll("-", ""), "hex")]);
  }
}

function fixed(tag: number, size: number, write: (out: Buffer) => void): Buffer {
  const out = Buffer.alloc(1 + size);
  out[0] = tag;
  try {
    write(out);
  } catch (error) {
    if (error instanceof RangeError) throw new EventStreamError(error.message);
    throw error;
  }
  return out;
}

function sized(tag: number, value: Uint8Array): Buffer {
  if (value.length > MAX_VALUE_BYTES)
    throw new EventStreamError(`a header value has at most ${MAX_VALUE_BYTES} bytes, not ${value.length}`);
  const out = Buffer.alloc(3 + value.length);
  out[0] = tag;
  out.writeUInt16BE(value.length, 1);
  out.set(value, 3);
  return out;
}

/** Reads headers. Throws an EventStreamError where they are cut short, of an unknown type or repeated. */
export function decodeHeaders(bytes: Buffer): Map<string, HeaderValue> {
  const headers = new Map<string, HeaderValue>();
  const reader = new Reader(bytes);
  while (!reader.atEnd) {
    const name = reader.text(reader.take(1).readUInt8());
    if (name === "") throw new EventStreamError("a header has no name");
    if (headers.has(name)) throw new EventStreamError(`header ${name} is repeated`);
    headers.set(name, decodeValue(reader));
  }
  return headers;
}

function decodeValue(reader: Reader): HeaderValue {
  const tag = reader.take(1).readUInt8();
  switch (tag) {
    case 0:
    case 1:
      return { type: "boolean", value: tag === 0 };
    case 2:
      return { type: "byte", value: reader.take(1).readInt8() };
    case 3:
      return { type: "short", value: reader.take(2).readInt16BE() };
    case 4:
      return { type: "integer", value: reader.take(4).readInt32BE() };
    case 5:
      return { type: "long", value: reader.take(8).readBigInt64BE() };
    case 6:
      return { type: "binary", value: reader.take(reader.take(2).readUInt16BE()) };
    case 7:
      return { type: "string", value: reader.text(reader.take(2).readUInt16BE()) };
    case 8:
      return { type: "timestamp", value: Number(reader.take(8).readBigInt64BE()) };
    case 9: {
      const hex = reader.take(16).toString("hex");
      return { type: "uuid", value: hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-") };
    }
    default:
      throw new EventStreamError(`header type ${tag} is not known`);
  }
}

/** A cursor that never reads past its end. */
class Reader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  take(size: number): Buffer {
    const end = this.#position + size;
    if (end > this.#bytes.length) throw new EventStreamError("headers are cut short");
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }

  text(size: number): string {
    const bytes = this.take(size);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new EventStreamError("a header is not UTF-8");
    }
  }
}
