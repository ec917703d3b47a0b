import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPageToken, readStreamToken, writePageToken, writeStreamToken } from "./tokens.ts";

describe("stream tokens", () => {
  it("have AWS's form and come back as they were", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("forward" as const, "backward" as const),
        fc.nat({ max: 2 ** 45 }),
        fc.integer({ min: -1, max: 2 ** 50 }),
        (direction, timestamp, sequence) => {
          const token = { direction, position: { timestamp, sequence } };
          const text = writeStreamToken(token);
          expect(text).toMatch(/^[fb]\/\d{56}\/s$/u);
          expect(readStreamToken(text)).toEqual(token);
        },
      ),
    );
  });

  it("are refused in AWS's words otherwise", () => {
    expect(() => readStreamToken("invalid")).toThrow("The specified nextToken is invalid.");
  });
});

describe("page tokens", () => {
  it("come back as they were and are refused in another shape", () => {
    const token = writePageToken([12, "stream"]);
    expect(readPageToken(token, ["number", "string"])).toEqual([12, "stream"]);
    expect(() => readPageToken(token, ["string"])).toThrow("The specified nextToken is invalid.");
    expect(() => readPageToken("%%", ["string"])).toThrow("The specified nextToken is invalid.");
  });
});
