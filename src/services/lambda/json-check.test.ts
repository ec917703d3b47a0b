import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findJsonProblem } from "./json-check.ts";

const check = (text: string) => findJsonProblem(Buffer.from(text));

describe("findJsonProblem", () => {
  test("agrees with JSON.parse about every text that is JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        expect(check(JSON.stringify(value, undefined, indent))).toBeUndefined();
      }),
    );
  });

  test("agrees with JSON.parse about text that is nearly JSON", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      '"a"',
      "\\",
      "\\u00",
      "1",
      "0",
      "-",
      ".",
      "e",
      "true",
      "nul",
      " ",
      "\n",
      "é",
    );
    fc.assert(
      fc.property(fc.array(pieces, { minLength: 1, maxLength: 12 }), (parts) => {
        const text = parts.join("");
        expect(check(text) === undefined).toBe(isJson(text));
      }),
      { numRuns: 5000 },
    );
  });

  test("finds bytes that are not UTF-8", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), (bytes) => {
        const payload = Buffer.concat([Buffer.from('"'), bytes, Buffer.from('"')]);
        expect(findJsonProblem(payload) === undefined).toBe(isJsonBytes(payload));
      }),
    );
  });

  test.each([
    // Reported by users of AWS.
    [
      "test data",
      `Unrecognized token 'test': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: (byte[])"test data"; line: 1, column: 6]`,
    ],
    [
      "0D",
      `Unexpected character ('D' (code 68)): Expected space separating root-level values\n at [Source: (byte[])"0D"; line: 1, column: 3]`,
    ],
    [
      "{a:1}",
      `Unexpected character ('a' (code 97)): was expecting double-quote to start field name\n at [Source: (byte[])"{a:1}"; line: 1, column: 3]`,
    ],
  ])("words the problem of %j as Jackson does", (text, expected) => {
    expect(check(text)).toBe(expected);
  });

  test("checks large payloads in slices", async () => {
    const good = JSON.stringify({
      text: "é".repeat(300_000),
      list: Array.from({ length: 200_000 }, (_, n) => n),
    });
    const pending = check(good);
    expect(pending).toBeInstanceOf(Promise);
    expect(await pending).toBeUndefined();
    expect(await check(`${good.slice(0, -1)},}`)).toMatch(/^Unexpected character \('}' \(code 125\)\)/);
    expect(await check(good.slice(0, -1))).toMatch(/^Unexpected end-of-input/);
  });

  test("survives deep nesting", async () => {
    expect(await check("[".repeat(500_000) + "]".repeat(500_000))).toBeUndefined();
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isJsonBytes(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}
