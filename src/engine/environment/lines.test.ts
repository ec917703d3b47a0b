import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter } from "./lines.ts";
import { splitUtf8 } from "./log.ts";

describe("LineSplitter", () => {
  it("gives the lines of the text, however its bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "é", "😀", "\n", "\r") }),
        fc.array(fc.nat()),
        (text, cuts) => {
          const lines: string[] = [];
          const splitter = new LineSplitter((line) => lines.push(line));
          const bytes = Buffer.from(text);
          let at = 0;
          for (const cut of cuts.map((each) => each % (bytes.length + 1)).toSorted((a, b) => a - b)) {
            splitter.push(bytes.subarray(at, cut));
            at = cut;
          }
          splitter.push(bytes.subarray(at));
          splitter.flush();
          const expected = text.split("\n");
          if (expected.at(-1) === "") expected.pop();
          expect(lines).toEqual(expected);
        },
      ),
    );
  });

  it("does not keep a line that never ends", () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (let i = 0; i < 20; i++) splitter.push(Buffer.alloc(64 * 1024, "x"));
    expect(lines.map((line) => line.length)).toEqual([262_144, 262_144, 262_144, 262_144]);
  });
});

describe("splitUtf8", () => {
  it("loses nothing, cuts no character and stays within the limit", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 4, max: 9 }), (text, bytes) => {
        const pieces = splitUtf8(text, bytes);
        expect(pieces.join("")).toBe(text);
        for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(bytes);
      }),
    );
  });
});
