/** One element of a key. */
export type Element = string | number;

const NUMBER = 0x10;
const STRING = 0x20;

/**
 * Encodes a tuple so that comparing bytes compares tuples: element by element, numbers before strings, strings by code
 * point. A string ends in 00, and a 00 inside it is written 00 FF (no element begins with FF), so the encoding of a
 * prefix is where the encodings of all tuples under it start, and `prefixEnd` is just behind them.
 * @throws TypeError for what is neither a well-formed string nor a non-negative safe integer: a lone surrogate has no
 * UTF-8 form, and two of them would silently become one key.
 */
export function encodeTuple(tuple: readonly (Element | undefined)[]): Buffer {
  return encodePlain(tuple) ?? encodeAny(tuple);
}

/** Nearly all keys are plain ASCII, which one allocation holds: several keys are encoded for every message of a queue. */
function encodePlain(tuple: readonly (Element | undefined)[]): Buffer | undefined {
  let text = "";
  for (const element of tuple) {
    // eslint-disable-next-line no-control-regex -- a zero would have to be escaped
    if (typeof element !== "string" || !/^[\u0001-\u007f]*$/.test(element)) return undefined;
    text += `\u0020${element}\u0000`;
  }
  return Buffer.from(text, "latin1");
}

function encodeAny(tuple: readonly (Element | undefined)[]): Buffer {
  const parts: Buffer[] = [];
  for (const element of tuple) {
    if (typeof element === "string") {
      if (!element.isWellFormed())
        throw new TypeError(`key element is not well-formed Unicode: ${JSON.stringify(element)}`);
      parts.push(Buffer.from([STRING]), escapeZeros(Buffer.from(element)), Buffer.from([0]));
    } else if (typeof element === "number" && Number.isSafeInteger(element) && element >= 0) {
      parts.push(Buffer.from([NUMBER]), u64(element));
    } else {
      throw new TypeError(`key element must be a string or a non-negative safe integer: ${String(element)}`);
    }
  }
  return Buffer.concat(parts);
}

function escapeZeros(text: Buffer): Buffer {
  if (!text.includes(0)) return text;
  return Buffer.from([...text].flatMap((byte) => (byte === 0 ? [0, 0xff] : [byte])));
}

export function decodeTuple(bytes: Buffer): Element[] {
  const tuple: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at++] === NUMBER) {
      tuple.push(readU64(bytes, at));
      at += 8;
      continue;
    }
    let text: Buffer = Buffer.alloc(0);
    for (;;) {
      const zero = bytes.indexOf(0, at);
      const escaped = bytes[zero + 1] === 0xff;
      const piece = bytes.subarray(at, escaped ? zero + 1 : zero);
      text = text.length === 0 ? piece : Buffer.concat([text, piece]);
      at = zero + (escaped ? 2 : 1);
      if (!escaped) break;
    }
    tuple.push(text.toString());
  }
  return tuple;
}

/** The first key behind all that begin with `encoded`. */
export function prefixEnd(encoded: Buffer): Buffer {
  return Buffer.concat([encoded, Buffer.from([0xff])]);
}

/** Non-negative safe integers, eight bytes each, ordered as bytes. */
export function u64(...numbers: number[]): Buffer {
  const bytes = Buffer.allocUnsafe(numbers.length * 8);
  numbers.forEach((number, index) => {
    bytes.writeUInt32BE(Math.floor(number / 2 ** 32), index * 8);
    bytes.writeUInt32BE(number % 2 ** 32, index * 8 + 4);
  });
  return bytes;
}

export function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
