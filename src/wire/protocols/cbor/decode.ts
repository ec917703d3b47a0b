import { isUtf8 } from "node:buffer";

/** Bytes that are not the CBOR (RFC 8949) that they claim to be. */
export class CborError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "CborError";
  }
}

/** A tag that the reader does not resolve itself; Smithy uses tag 1, epoch seconds. */
export class CborTag {
  readonly tag: number;
  readonly value: unknown;

  constructor(tag: number, value: unknown) {
    this.tag = tag;
    this.value = value;
  }
}

const maxDepth = 128;
const endOfIndefinite = Symbol("break");

/**
 * Decodes one data item that fills `bytes`: maps become Map, byte strings Buffer (a view, no copy), integers number, or
 * bigint beyond 2^53. Safe on hostile input: lengths are checked against what is left before anything is allocated, and
 * nesting is limited. Throws CborError.
 */
export function decodeCbor(bytes: Buffer): unknown {
  const decoder = new Decoder(bytes);
  const value = decoder.item(0);
  if (value === endOfIndefinite) throw new CborError("break outside of an indefinite item");
  if (!decoder.atEnd) throw new CborError("bytes after the end");
  return value;
}

class Decoder {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  item(depth: number): unknown {
    if (depth > maxDepth) throw new CborError("nested too deeply");
    const initial = this.#take(1)[0] ?? 0;
    const major = initial >> 5;
    const info = initial & 31;
    if (major === 7) return this.#simple(info);
    if (info === 31) return this.#indefinite(major, depth);
    const argument = this.#argument(info);
    switch (major) {
      case 0:
        return argument;
      case 1:
        return typeof argument === "bigint" ? -1n - argument : -1 - argument;
      case 2:
        return this.#take(length(argument));
      case 3:
        return this.#text(length(argument));
      case 4:
        return this.#list(length(argument), depth);
      case 5:
        return this.#map(length(argument), depth);
      default:
        return new CborTag(Number(argument), this.#value(depth + 1));
    }
  }

  #take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new CborError("ends too early");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #argument(info: number): number | bigint {
    if (info < 24) return info;
    if (info === 24) return this.#take(1).readUInt8();
    if (info === 25) return this.#take(2).readUInt16BE();
    if (info === 26) return this.#take(4).readUInt32BE();
    if (info !== 27) throw new CborError("reserved length");
    const wide = this.#take(8).readBigUInt64BE();
    return wide <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wide) : wide;
  }

  #simple(info: number): unknown {
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
      case 23:
        return null;
      case 25:
        return halfFloat(this.#take(2).readUInt16BE());
      case 26:
        return this.#take(4).readFloatBE();
      case 27:
        return this.#take(8).readDoubleBE();
      case 31:
        return endOfIndefinite;
      default:
        throw new CborError("unknown simple value");
    }
  }

  #text(count: number): string {
    const bytes = this.#take(count);
    if (!isUtf8(bytes)) throw new CborError("text is not UTF-8");
    return bytes.toString("utf8");
  }

  #value(depth: number): unknown {
    const value = this.item(depth);
    if (value === endOfIndefinite) throw new CborError("break where a value belongs");
    return value;
  }

  #list(count: number, depth: number): unknown[] {
    // Every element takes a byte at least.
    if (count > this.#bytes.length - this.#at) throw new CborError("ends too early");
    const list: unknown[] = [];
    for (let index = 0; index < count; index++) list.push(this.#value(depth + 1));
    return list;
  }

  #map(count: number, depth: number): Map<string, unknown> {
    if (count > this.#bytes.length - this.#at) throw new CborError("ends too early");
    const map = new Map<string, unknown>();
    for (let index = 0; index < count; index++) this.#entry(map, this.#value(depth + 1), depth);
    return map;
  }

  #entry(map: Map<string, unknown>, key: unknown, depth: number): void {
    if (typeof key !== "string") throw new CborError("a map's key is not text");
    map.set(key, this.#value(depth + 1));
  }

  #indefinite(major: number, depth: number): unknown {
    switch (major) {
      case 2:
        return Buffer.concat(this.#chunks((chunk) => Buffer.isBuffer(chunk), depth) as Buffer[]);
      case 3:
        return this.#chunks((chunk) => typeof chunk === "string", depth).join("");
      case 4:
        return this.#chunks(() => true, depth);
      case 5: {
        const map = new Map<string, unknown>();
        for (let key = this.item(depth + 1); key !== endOfIndefinite; key = this.item(depth + 1))
          this.#entry(map, key, depth);
        return map;
      }
      default:
        throw new CborError("no such indefinite item");
    }
  }

  #chunks(belongs: (chunk: unknown) => boolean, depth: number): unknown[] {
    const chunks: unknown[] = [];
    for (let chunk = this.item(depth + 1); chunk !== endOfIndefinite; chunk = this.item(depth + 1)) {
      if (!belongs(chunk)) throw new CborError("a chunk of another type");
      chunks.push(chunk);
    }
    return chunks;
  }
}

function length(argument: number | bigint): number {
  if (typeof argument === "bigint") throw new CborError("ends too early");
  return argument;
}

/** IEEE 754 binary16. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
