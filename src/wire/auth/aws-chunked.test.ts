import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChunkedDecoder } from "./aws-chunked.ts";
import { AuthFailure } from "./failures.ts";

function decode(bytes: Buffer, cuts: readonly number[], decodedLength: number) {
  const decoder = new ChunkedDecoder({ trailer: true, decodedLength });
  const released: Buffer[] = [];
  const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (const [index, edge] of edges.entries())
    released.push(...decoder.push(bytes.subarray(edge, edges[index + 1] ?? edge)));
  decoder.end();
  return { body: Buffer.concat(released), trailers: decoder.trailers };
}

const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 }), { maxLength: 6 });
const cuts = fc.array(fc.nat(1000), { maxLength: 6 });

describe("unsigned aws-chunked payloads", () => {
  it("are decoded however they are cut", () => {
    fc.assert(
      fc.property(pieces, cuts, (chunks, at) => {
        const framed = chunks.flatMap((chunk) => [
          Buffer.from(`${chunk.length.toString(16)}\r\n`),
          chunk,
          Buffer.from("\r\n"),
        ]);
        const bytes = Buffer.concat([...framed, Buffer.from("0\r\nX-Amz-Checksum-CRC32: AAAAAA==\r\n\r\n")]);
        const body = Buffer.concat(chunks);
        expect(decode(bytes, at, body.length)).toEqual({
          body,
          trailers: { "x-amz-checksum-crc32": "AAAAAA==" },
        });
      }),
    );
  });

  it.each([
    ["0\r\n\r\n", 1, "payload-incomplete"],
    ["2\r\nab\r\n0\r\n\r\n", 1, "payload-incomplete"],
    ["2\r\nabc\r\n", 2, "chunk-malformed"],
    ["0\r\nno colon\r\n\r\n", 0, "trailer-malformed"],
    ["0\r\na:1\r\na:2\r\n\r\n", 0, "trailer-malformed"],
    ["0\r\na:1\r\n", 0, "payload-incomplete"],
    ["0".repeat(20_000), 0, "chunk-malformed"],
  ])("are refused where they are %j for %i bytes", (text, length, kind) => {
    expect(() => decode(Buffer.from(text), [], length)).toThrow(
      expect.objectContaining({ failure: { kind } }),
    );
  });

  it("are refused with a typed failure alone, whatever the bytes", () => {
    const word = fc.constantFrom("0", "2", "\r\n", "ab", ":", "x", ";chunk-signature=", "ffffffffffff");
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), fc.nat(4), (words, length) => {
        try {
          expect(decode(Buffer.from(words.join("")), [], length).body).toHaveLength(length);
        } catch (error) {
          expect(error).toBeInstanceOf(AuthFailure);
        }
      }),
    );
  });
});
