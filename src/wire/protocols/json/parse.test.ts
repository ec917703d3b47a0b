import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJsonBody } from "./parse.ts";

const MB = 1024 * 1024;
const refused = (message: string) =>
  expect.objectContaining({ code: "SerializationException", status: 400, message }) as Error;

describe("parsing a JSON body", () => {
  it("reads a large document as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (json, text) => {
        // Padding takes the document past the size from which it is looked at first.
        const body = `{"a":${json},${JSON.stringify(text)}:"${"x".repeat(70_000)}"}`;
        expect(parseJsonBody(Buffer.from(body))).toEqual(JSON.parse(body));
      }),
      { numRuns: 50 },
    );
  });

  it("takes brackets, commas and quotes within strings for text", () => {
    const text = `${"[".repeat(2000)}\\"${",".repeat(600_000)}\\\\`;
    expect(parseJsonBody(Buffer.from(`{"a":"${text}"}`))).toEqual(JSON.parse(`{"a":"${text}"}`));
  });

  it("refuses what would hold the parser up for seconds", () => {
    expect(() => parseJsonBody(Buffer.alloc(70 * MB, "["))).toThrow(refused("Document is nested too deeply"));
    expect(() => parseJsonBody(Buffer.from('{"a":'.repeat(200_000)))).toThrow(
      refused("Document is nested too deeply"),
    );
    expect(() => parseJsonBody(Buffer.from(`[${"1,".repeat(2_000_000)}1]`))).toThrow(
      refused("Document has too many values"),
    );
  });

  it("reads strings of backslashes in time that grows with their length", () => {
    expect(() => parseJsonBody(Buffer.from(`"${'\\"'.repeat(4 * MB)}`))).toThrow(refused(""));
    expect(parseJsonBody(Buffer.from(`"${"\\\\".repeat(4 * MB)}"`))).toHaveLength(4 * MB);
  });
});
