import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeFrame,
  encodeHeadedFrame,
  FRAME,
  FrameError,
  FrameParser,
  MAX_FRAME_BYTES,
  splitHeaded,
} from "./frames.ts";

interface Seen {
  readonly type: number;
  readonly body: string;
}

/** Parses `bytes` cut at `cuts`. */
function parse(bytes: Buffer, cuts: readonly number[]): Seen[] {
  const seen: Seen[] = [];
  const parser = new FrameParser((type, body) => seen.push({ type, body: body.toString("hex") }));
  let at = 0;
  for (const cut of [...cuts].map((each) => each % (bytes.length + 1)).toSorted((a, b) => a - b)) {
    parser.push(bytes.subarray(at, cut));
    at = cut;
  }
  parser.push(bytes.subarray(at));
  return seen;
}

const frames = fc.array(
  fc.record({ type: fc.integer({ min: 0, max: 255 }), body: fc.uint8Array({ maxLength: 300 }) }),
);

describe("FrameParser", () => {
  it("gives the frames that were written, however the bytes are cut", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat()), (written, cuts) => {
        const bytes = Buffer.concat(written.map(({ type, body }) => encodeFrame(type, body)));
        expect(parse(bytes, cuts)).toEqual(
          written.map(({ type, body }) => ({ type, body: Buffer.from(body).toString("hex") })),
        );
      }),
    );
  });

  it("gathers a large frame that comes in small chunks in few pieces", () => {
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    const bytes = encodeFrame(FRAME.log, body);
    const seen: Buffer[] = [];
    const parser = new FrameParser((_type, each) => seen.push(each));
    let most = 0;
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = turn % 20_000 === 19_999 ? 9000 : 1 + (turn % 3);
      // A chunk as a pipe hands it over: with memory of its own.
      parser.push(Buffer.from(new Uint8Array(bytes.subarray(at, at + size)).buffer));
      at += size;
      most = Math.max(most, parser.pieces);
    }
    expect(seen.map((each) => each.equals(body))).toEqual([true]);
    expect(most).toBeLessThan(40);
  });

  it("gives frames or a FrameError for any bytes, and the same however they are cut", () => {
    const attempt = (bytes: Buffer, cuts: readonly number[]): string => {
      try {
        return JSON.stringify(parse(bytes, cuts));
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
        return "refused";
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat()), (raw, cuts) => {
        const bytes = Buffer.from(raw);
        expect(attempt(bytes, cuts)).toBe(attempt(bytes, []));
      }),
    );
  });

  it.each([MAX_FRAME_BYTES + 1, 0])("refuses a length of %i as soon as it is told", (length) => {
    const told = Buffer.alloc(4);
    told.writeUInt32BE(length);
    expect(() => parse(told, [])).toThrow(FrameError);
    expect(() => parse(told, [1, 3])).toThrow(FrameError);
  });
});

describe("splitHeaded", () => {
  it("reads what encodeHeadedFrame wrote", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.uint8Array(), (header, body) => {
        const read = splitHeaded(encodeHeadedFrame(1, JSON.stringify(header), body).subarray(5));
        expect(JSON.stringify(read.header)).toBe(JSON.stringify(header));
        expect(Buffer.compare(read.bytes, body)).toBe(0);
      }),
    );
  });

  it("answers any bytes with a header or a FrameError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (raw) => {
        try {
          splitHeaded(Buffer.from(raw));
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
    );
  });
});
