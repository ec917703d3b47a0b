import { CborTag } from "./decode.ts";

/**
 * Encodes strings, numbers, bigints, booleans, null, bytes, arrays, Maps and CborTags. Whole numbers become integers and
 * others doubles, as Smithy's RPC v2 CBOR clients expect.
 */
export function encodeCbor(value: unknown): Buffer {
  const parts: Buffer[] = [];
  write(parts, value);
  return Buffer.concat(parts);
}

function write(parts: Buffer[], value: unknown): void {
  switch (typeof value) {
    case "string":
      writeText(parts, value);
      return;
    case "number":
      writeNumber(parts, value);
      return;
    case "bigint":
      writeInteger(parts, value);
      return;
    case "boolean":
      parts.push(Buffer.of(value ? 0xf5 : 0xf4));
      return;
    default:
      writeObject(parts, value);
  }
}

function writeObject(parts: Buffer[], value: unknown): void {
  if (value === null || value === undefined) parts.push(Buffer.of(0xf6));
  else if (value instanceof Uint8Array) parts.push(head(2, value.byteLength), Buffer.from(value));
  else if (Array.isArray(value)) {
    parts.push(head(4, value.length));
    for (const entry of value) write(parts, entry);
  } else if (value instanceof Map) {
    parts.push(head(5, value.size));
    for (const [key, entry] of value) {
      writeText(parts, String(key));
      write(parts, entry);
    }
  } else if (value instanceof CborTag) {
    parts.push(head(6, value.tag));
    write(parts, value.value);
  } else throw new TypeError("no CBOR form for this value");
}

function writeText(parts: Buffer[], text: string): void {
  const bytes = Buffer.from(text, "utf8");
  parts.push(head(3, bytes.length), bytes);
}

function writeNumber(parts: Buffer[], value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    writeInteger(parts, value);
    return;
  }
  const bytes = Buffer.allocUnsafe(9);
  bytes[0] = 0xfb;
  bytes.writeDoubleBE(value, 1);
  parts.push(bytes);
}

function writeInteger(parts: Buffer[], value: number | bigint): void {
  if (value >= 0) parts.push(head(0, value));
  else parts.push(head(1, typeof value === "bigint" ? -1n - value : -1 - value));
}

/** An item's first byte and its argument in the fewest bytes. */
function head(major: number, argument: number | bigint): Buffer {
  const type = major << 5;
  if (argument < 24) return Buffer.of(type | Number(argument));
  if (argument < 0x100) return Buffer.of(type | 24, Number(argument));
  if (argument < 0x1_0000) {
    const bytes = Buffer.of(type | 25, 0, 0);
    bytes.writeUInt16BE(Number(argument), 1);
    return bytes;
  }
  if (argument < 0x1_0000_0000) {
    const bytes = Buffer.of(type | 26, 0, 0, 0, 0);
    bytes.writeUInt32BE(Number(argument), 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = type | 27;
  bytes.writeBigUInt64BE(BigInt(argument), 1);
  return bytes;
}
