import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { documentIn } from "./daemon-datagram.ts";

const HEADER = '{"format":"json","version":1}';

describe("a datagram to X-Ray's daemon", () => {
  it.each([
    [`${HEADER}\n{"id":"1"}`, '{"id":"1"}'],
    [`{"format": "json", "version": 1}\n{"id":"1"}\n`, '{"id":"1"}'],
    [`${HEADER}{"id":"1"}`, undefined],
    [`${HEADER}\n`, undefined],
    [`${HEADER}\nid`, undefined],
    ['{"format":"xml","version":1}\n{}', undefined],
    ['{"format":"json","version":2}\n{}', undefined],
    ["null\n{}", undefined],
    [`${" ".repeat(300)}${HEADER}\n{}`, undefined],
    [`${HEADER}\n{${" ".repeat(64 * 1024)}}`, undefined],
    ["", undefined],
  ])("%.60j holds %j", (datagram, document) => {
    expect(documentIn(Buffer.from(datagram))).toBe(document);
  });

  it("may be any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, headed) => {
        const datagram = Buffer.concat([Buffer.from(headed ? `${HEADER}\n` : ""), bytes]);
        expect(documentIn(datagram)).toSatisfy((found) => found === undefined || headed);
      }),
    );
  });
});
