/** Writes ASN.1 values in DER (ITU-T X.690), as far as certificates need it. */

const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  boolean: 0x01,
  sequence: 0x30,
  set: 0x31,
} as const;

function value(tag: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export function sequence(...members: readonly Uint8Array[]): Buffer {
  return value(TAG.sequence, Buffer.concat(members));
}

export function set(...members: readonly Uint8Array[]): Buffer {
  return value(TAG.set, Buffer.concat(members));
}

/** A non-negative integer from its bytes, most significant first. */
export function integer(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.from([0]) : Buffer.from(bytes.subarray(start));
  // A first bit of 1 would make it negative.
  const positive = (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits;
  return value(TAG.integer, positive);
}

export function boolean(truth: boolean): Buffer {
  return value(TAG.boolean, Buffer.from([truth ? 0xff : 0x00]));
}

/** @param dotted such as `1.2.840.113549.1.1.11` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return value(TAG.objectIdentifier, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(number: number): number[] {
  const bytes = [number % 128];
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128))
    bytes.unshift(0x80 | (rest % 128));
  return bytes;
}

export function utf8String(text: string): Buffer {
  return value(TAG.utf8String, Buffer.from(text));
}

/** Whole bytes. */
export function bitString(bytes: Uint8Array): Buffer {
  return value(TAG.bitString, Buffer.concat([Buffer.from([0]), bytes]));
}

/** Named bits, the first of which is the most significant: the trailing zeros are left out. */
export function namedBits(byte: number): Buffer {
  let unused = 0;
  while (unused < 7 && ((byte >> unused) & 1) === 0) unused++;
  return value(TAG.bitString, Buffer.from([unused, byte]));
}

export function octetString(bytes: Uint8Array): Buffer {
  return value(TAG.octetString, bytes);
}

/** UTCTime up to 2049, GeneralizedTime from then on (RFC 5280, 4.1.2.5). @param time epoch milliseconds */
export function time(time: number): Buffer {
  const digits = new Date(time).toISOString().replaceAll(/[-:T]|\.\d+/gu, "");
  return Number(digits.slice(0, 4)) < 2050
    ? value(TAG.utcTime, Buffer.from(digits.slice(2)))
    : value(TAG.generalizedTime, Buffer.from(digits));
}

/** A value under a context-specific tag. @param constructed whether `content` is DER itself */
export function tagged(number: number, content: Uint8Array, constructed = true): Buffer {
  return value((constructed ? 0xa0 : 0x80) | number, content);
}
