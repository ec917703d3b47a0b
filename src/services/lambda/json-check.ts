import { isUtf8 } from "node:buffer";

/**
 * Checks that bytes are one JSON value without keeping what it is: Lambda passes events on as the bytes that came.
 * Problems are worded as Jackson, which AWS's front end uses, words them.
 */

/** Bytes checked at a stretch, about one millisecond of work; larger payloads let other requests run in between. */
const SLICE = 256 * 1024;

/** Undefined where `bytes` are JSON, else what is wrong. Answers at once for all but large payloads. */
export function findJsonProblem(bytes: Uint8Array): string | undefined | Promise<string | undefined> {
  const scanner = new JsonScanner(bytes);
  if (bytes.length <= SLICE) {
    scanner.scan(bytes.length);
    return scanner.problem();
  }
  return scanInSlices(scanner, bytes.length);
}

async function scanInSlices(scanner: JsonScanner, length: number): Promise<string | undefined> {
  for (let end = SLICE; !scanner.stopped && end < length + SLICE; end += SLICE) {
    scanner.scan(Math.min(end, length));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  return scanner.problem();
}

/** What may come next. Strings and scalars are consumed whole by one step each. */
const VALUE = 0;
const VALUE_OR_END = 1;
const NAME = 2;
const NAME_OR_END = 3;
const COLON = 4;
const COMMA_OR_END = 5;
const END = 6;

const OBJECT = 1;
const ARRAY = 2;

const LITERALS: ReadonlyMap<number, string> = new Map([
  [0x74, "true"],
  [0x66, "false"],
  [0x6e, "null"],
]);

const ANY_VALUE = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

class JsonScanner {
  readonly #bytes: Uint8Array;
  #at = 0;
  #expect = VALUE;
  /** The open objects and arrays. Not the call stack: a payload may nest three million deep. */
  #open = new Uint8Array(64);
  #depth = 0;
  #problem: string | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get stopped(): boolean {
    return this.#problem !== undefined;
  }

  /** Goes on to `limit`; a string or number that begins before it is finished. */
  scan(limit: number): void {
    const bytes = this.#bytes;
    while (this.#at < limit && this.#problem === undefined) {
      const byte = bytes[this.#at] as number;
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) this.#at++;
      else this.#step(byte);
    }
  }

  /** To be asked once everything was scanned. */
  problem(): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    if (this.#expect !== END) return this.#endOfInput();
    return isUtf8(this.#bytes) ? undefined : this.#badUtf8();
  }

  #step(byte: number): void {
    switch (this.#expect) {
      case VALUE_OR_END:
        if (byte === 0x5d) return this.#close(ARRAY);
        return this.#value(byte);
      case VALUE:
        return this.#value(byte);
      case NAME_OR_END:
        if (byte === 0x7d) return this.#close(OBJECT);
        return this.#name(byte);
      case NAME:
        return this.#name(byte);
      case COLON:
        if (byte !== 0x3a)
          return this.#unexpected(byte, "was expecting a colon to separate field name and value");
        this.#at++;
        this.#expect = VALUE;
        return;
      case COMMA_OR_END:
        return this.#commaOrEnd(byte);
      default:
        return this.#unexpected(byte, "Expected space separating root-level values");
    }
  }

  #commaOrEnd(byte: number): void {
    const inside = this.#open[this.#depth - 1];
    if (byte === 0x2c) {
      this.#at++;
      this.#expect = inside === OBJECT ? NAME : VALUE;
    } else if (byte === (inside === OBJECT ? 0x7d : 0x5d)) {
      this.#close(inside === OBJECT ? OBJECT : ARRAY);
    } else {
      const kind = inside === OBJECT ? "Object" : "Array";
      this.#unexpected(byte, `was expecting comma to separate ${kind} entries`);
    }
  }

  #value(byte: number): void {
    if (byte === 0x22) return this.#string(COMMA_OR_END);
    if (byte === 0x7b) return this.#descend(OBJECT, NAME_OR_END);
    if (byte === 0x5b) return this.#descend(ARRAY, VALUE_OR_END);
    if (byte === 0x2d || isDigit(byte)) return this.#number();
    const literal = LITERALS.get(byte);
    if (literal !== undefined) return this.#literal(literal);
    if (isWordByte(byte)) return this.#unknownToken();
    this.#unexpected(byte, `expected a valid value ${ANY_VALUE}`);
  }

  #name(byte: number): void {
    if (byte === 0x22) return this.#string(COLON);
    this.#unexpected(byte, "was expecting double-quote to start field name");
  }

  #descend(kind: number, expect: number): void {
    if (this.#depth === this.#open.length) {
      const larger = new Uint8Array(this.#open.length * 2);
      larger.set(this.#open);
      this.#open = larger;
    }
    this.#open[this.#depth++] = kind;
    this.#at++;
    this.#expect = expect;
  }

  #close(kind: number): void {
    if (this.#open[this.#depth - 1] !== kind) return;
    this.#depth--;
    this.#at++;
    this.#expect = this.#depth === 0 ? END : COMMA_OR_END;
  }

  #string(next: number): void {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte === 0x22) {
        this.#at = at + 1;
        this.#expect = next === COMMA_OR_END && this.#depth === 0 ? END : next;
        return;
      }
      if (byte < 0x20) {
        this.#at = at;
        this.#fail(
          `Illegal unquoted character ((CTRL-CHAR, code ${byte})): has to be escaped using backslash to be included in string value`,
        );
        return;
      }
      if (byte === 0x5c) {
        const after = this.#escape(at);
        if (after === undefined) return;
        at = after;
      }
    }
    this.#at = bytes.length;
    this.#fail("Unexpected end-of-input in VALUE_STRING");
  }

  /** The last byte of the escape that begins at `at`; undefined, with the problem noted, where it is none. */
  #escape(at: number): number | undefined {
    const bytes = this.#bytes;
    const byte = bytes[at + 1];
    if (byte === undefined) return at;
    if (byte === 0x75) {
      for (let digit = at + 2; digit < at + 6; digit++) {
        if (digit >= bytes.length) return bytes.length;
        if (isHexDigit(bytes[digit] as number)) continue;
        this.#at = digit;
        this.#unexpected(bytes[digit] as number, "expected a hex-digit for character escape sequence");
        return undefined;
      }
      return at + 5;
    }
    if (`"\\/bfnrt`.includes(String.fromCharCode(byte))) return at + 1;
    this.#at = at + 1;
    this.#fail(`Unrecognized character escape ${describe(byte)}`);
    return undefined;
  }

  #number(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    if (bytes[at] === 0x2d) at++;
    const first = bytes[at];
    if (first === undefined || !isDigit(first)) return this.#failAt(at, "No digit following minus sign");
    at++;
    if (first === 0x30 && at < bytes.length && isDigit(bytes[at] as number))
      return this.#failAt(at, "Invalid numeric value: Leading zeroes not allowed");
    at = skipDigits(bytes, at);
    if (bytes[at] === 0x2e) {
      const fraction = skipDigits(bytes, at + 1);
      if (fraction === at + 1) return this.#failAt(fraction, "Decimal point not followed by a digit");
      at = fraction;
    }
    if (bytes[at] === 0x65 || bytes[at] === 0x45) {
      at++;
      if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++;
      const exponent = skipDigits(bytes, at);
      if (exponent === at) return this.#failAt(at, "Exponent indicator not followed by a digit");
      at = exponent;
    }
    this.#at = at;
    this.#afterScalar();
  }

  #literal(literal: string): void {
    const bytes = this.#bytes;
    for (let index = 1; index < literal.length; index++)
      if (bytes[this.#at + index] !== literal.charCodeAt(index)) return this.#unknownToken();
    const after = bytes[this.#at + literal.length];
    if (after !== undefined && isWordByte(after)) return this.#unknownToken();
    this.#at += literal.length;
    this.#afterScalar();
  }

  #afterScalar(): void {
    const next = this.#bytes[this.#at];
    if (this.#depth > 0) this.#expect = COMMA_OR_END;
    else if (next === undefined || next <= 0x20) this.#expect = END;
    else this.#unexpected(next, "Expected space separating root-level values");
  }

  #unknownToken(): void {
    const start = this.#at;
    let end = start;
    while (end < this.#bytes.length && end - start < 256 && isWordByte(this.#bytes[end] as number)) end++;
    // The byte that ended the token has been read, too.
    this.#at = Math.min(end + 1, this.#bytes.length);
    const token = Buffer.from(this.#bytes.subarray(start, end)).toString();
    this.#fail(`Unrecognized token '${token}': was expecting ${ANY_VALUE}`);
  }

  #unexpected(byte: number, expectation: string): void {
    this.#at++;
    this.#fail(`Unexpected character (${describe(byte)}): ${expectation}`);
  }

  #endOfInput(): string {
    this.#at = this.#bytes.length;
    if (this.#depth === 0) this.#fail("No content to map due to end-of-input");
    else {
      const kind = this.#open[this.#depth - 1] === OBJECT ? "Object" : "Array";
      this.#fail(`Unexpected end-of-input: expected close marker for ${kind}`);
    }
    return this.#problem ?? "";
  }

  /** Only what no legal sequence can hold is searched for; it is the first byte of it that Jackson names. */
  #badUtf8(): string {
    const bytes = this.#bytes;
    let at = 0;
    let length = 1;
    for (; at < bytes.length; at += length) {
      const byte = bytes[at] as number;
      length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      if (length > 1 && !isUtf8(bytes.subarray(at, at + length))) break;
    }
    const byte = bytes[at] ?? 0;
    const start = byte >= 0xc2 && byte <= 0xf4;
    const culprit = start ? (bytes[at + 1] ?? 0) : byte;
    this.#at = at + 1;
    this.#fail(`Invalid UTF-8 ${start ? "middle" : "start"} byte 0x${culprit.toString(16)}`);
    return this.#problem ?? "";
  }

  #failAt(at: number, what: string): void {
    this.#at = at;
    this.#fail(what);
  }

  /** Jackson names the place one past what it has read, with the first 500 bytes of the source. */
  #fail(what: string): void {
    const bytes = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
    const read = bytes.subarray(0, this.#at);
    const lastBreak = read.lastIndexOf(0x0a);
    let line = 1;
    for (const byte of read) if (byte === 0x0a) line++;
    const shown = bytes.subarray(0, 500).toString();
    const rest = bytes.length > 500 ? `[truncated ${bytes.length - 500} bytes]` : "";
    this.#problem = `${what}\n at [Source: (byte[])"${shown}"${rest}; line: ${line}, column: ${this.#at - lastBreak}]`;
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

/** A byte that Jackson takes for part of an identifier. */
function isWordByte(byte: number): boolean {
  return (
    isDigit(byte) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x5f ||
    byte === 0x24
  );
}

function skipDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && isDigit(bytes[at] as number)) at++;
  return at;
}

function describe(byte: number): string {
  if (byte < 0x20 || byte >= 0x7f) return `(CTRL-CHAR, code ${byte})`;
  return `'${String.fromCharCode(byte)}' (code ${byte})`;
}
