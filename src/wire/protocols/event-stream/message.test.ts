import { EventStreamCodec, Int64 } from "@smithy/core/event-streams";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventStreamError } from "./errors.ts";
import type { HeaderValue } from "./headers.ts";
import { decodeMessage, encodeMessage } from "./message.ts";

const official = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString(),
  (text) => Buffer.from(text),
);

const MAX_DATE = 8_640_000_000_000_000;
const value: fc.Arbitrary<HeaderValue> = fc.oneof(
  fc.record({ type: fc.constant("boolean" as const), value: fc.boolean() }),
  fc.record({ type: fc.constant("byte" as const), value: fc.integer({ min: -128, max: 127 }) }),
  fc.record({ type: fc.constant("short" as const), value: fc.integer({ min: -32_768, max: 32_767 }) }),
  fc.record({ type: fc.constant("integer" as const), value: fc.integer() }),
  fc.record({
    type: fc.constant("long" as const),
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  }),
  fc.record({
    type: fc.constant("binary" as const),
    value: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.record({ type: fc.constant("string" as const), value: fc.string({ unit: "binary", maxLength: 300 }) }),
  fc.record({
    type: fc.constant("timestamp" as const),
    value: fc.integer({ min: -MAX_DATE, max: MAX_DATE }),
  }),
  fc.record({ type: fc.constant("uuid" as const), value: fc.uuid() }),
);
const name = fc
  .string({ minLength: 1, maxLength: 60 })
  .filter((text) => text !== "__proto__" && !/^\d+$/.test(text));
const headers = fc.array(fc.tuple(name, value), { maxLength: 8 }).map((entries) => new Map(entries));
const body = fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes));

/** A header as the official codec takes it. */
function toOfficial(header: HeaderValue): unknown {
  if (header.type === "timestamp") return { type: "timestamp", value: new Date(header.value) };
  if (header.type !== "long") return header;
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(header.value);
  return { type: "long", value: new Int64(bytes) };
}

describe("event-stream messages", () => {
  it("are byte for byte those of the official codec", () => {
    fc.assert(
      fc.property(headers, body, (own, bytes) => {
        const theirs = Object.fromEntries([...own].map(([key, header]) => [key, toOfficial(header)]));
        const expected = official.encode({ headers: theirs, body: bytes } as never);
        expect(encodeMessage({ headers: own, body: bytes })).toEqual(Buffer.from(expected));
      }),
    );
  });

  it("come back as they went", () => {
    fc.assert(
      fc.property(headers, body, (own, bytes) => {
        const message = decodeMessage(encodeMessage({ headers: own, body: bytes }));
        expect(message.headers).toEqual(own);
        expect(Buffer.from(message.body)).toEqual(bytes);
      }),
    );
  });

  it("are refused with a typed error alone, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => decodeMessage(bytes)).toThrow(EventStreamError);
      }),
    );
  });

  it("are refused where one byte is changed or the end is cut off", () => {
    fc.assert(
      fc.property(headers, body, fc.nat(), fc.integer({ min: 1, max: 255 }), (own, bytes, at, flip) => {
        const message = encodeMessage({ headers: own, body: bytes });
        const position = at % message.length;
        expect(() => decodeMessage(message.subarray(0, position))).toThrow(EventStreamError);
        message[position] = (message[position] ?? 0) ^ flip;
        expect(() => decodeMessage(message)).toThrow(EventStreamError);
      }),
    );
  });

  it("are refused with a typed error where checksums hold and headers do not", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), (junk) => {
        // The junk moves from body to headers by writing a new prelude and checksums.
        const message = encodeMessage({ headers: new Map(), body: junk });
        const forged = reframe(message, junk.length);
        let error: unknown;
        try {
          decodeMessage(forged);
        } catch (thrown) {
          error = thrown;
        }
        if (error !== undefined) expect(error).toBeInstanceOf(EventStreamError);
      }),
    );
    const lone = encodeMessage({ headers: new Map(), body: Buffer.of(1) });
    expect(() => decodeMessage(reframe(lone, 1))).toThrow("headers are cut short");
    const unknownType = encodeMessage({ headers: new Map(), body: Buffer.from([1, 97, 10]) });
    expect(() => decodeMessage(reframe(unknownType, 3))).toThrow("header type 10 is not known");
  });

  it.each([
    ["an empty name", new Map<string, HeaderValue>([["", { type: "boolean", value: true }]])],
    ["a long name", new Map<string, HeaderValue>([["n".repeat(256), { type: "boolean", value: true }]])],
    ["a byte of 128", new Map<string, HeaderValue>([["n", { type: "byte", value: 128 }]])],
    ["a long value", new Map<string, HeaderValue>([["n", { type: "string", value: "v".repeat(32_768) }]])],
    ["a broken UUID", new Map<string, HeaderValue>([["n", { type: "uuid", value: "no" }]])],
  ])("cannot be written with %s", (_, own) => {
    expect(() => encodeMessage({ headers: own, body: Buffer.alloc(0) })).toThrow(EventStreamError);
  });
});

/** The same bytes, declared to hold `headerLength` bytes of headers, with checksums that hold. */
function reframe(message: Buffer, headerLength: number): Buffer {
  const out = Buffer.from(message);
  out.writeUInt32BE(headerLength, 4);
  out.writeUInt32BE(crc(out.subarray(0, 8)), 8);
  out.writeUInt32BE(crc(out.subarray(0, out.length - 4)), out.length - 4);
  return out;
}

function crc(bytes: Uint8Array): number {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}
