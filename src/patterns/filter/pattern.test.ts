import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FilterPatternError, compileFilterPattern } from "./pattern.ts";

const matches = (pattern: string, message: string) => compileFilterPattern(pattern)(message);

describe("terms", () => {
  it.each([
    ["", "anything", true],
    ["ERROR", "[ERROR] boom", true],
    ["ERROR", "[error] boom", false],
    ["ERROR boom", "boom ERROR", true],
    ["ERROR boom", "ERROR alone", false],
    ["?ERROR ?WARN", "WARN only", true],
    ["?ERROR ?WARN", "INFO only", false],
    ["ERROR -Exiting", "ERROR Exiting", false],
    ["ERROR -Exiting", "ERROR staying", true],
    ["?ERROR START", "START of it", true],
    ['"not found"', "it was not found", true],
    ['"not found"', "not here, found there", false],
    [String.raw`"say \"hi\""`, 'say "hi"', true],
    ['-"not found"', "all well", true],
  ])("%s on %s", (pattern, message, expected) => {
    expect(matches(pattern, message)).toBe(expected);
  });
});

describe("JSON selectors", () => {
  const event = JSON.stringify({
    level: "ERROR",
    status: 404,
    "a.b": 1,
    user: { name: "ann", admin: true, gone: null },
    items: [{ id: 1 }, { id: 2 }],
  });
  it.each([
    ['{ $.level = "ERROR" }', true],
    ["{ $.level = ERR* }", true],
    ['{ $.level != "ERROR" }', false],
    ["{ $.status >= 400 && $.status < 500 }", true],
    ["{ ($.status = 500 || $.user.name = ann) && $.level = ERROR }", true],
    ["{ $.user.admin IS TRUE }", true],
    ["{ $.user.gone IS NULL }", true],
    ["{ $.user.missing NOT EXISTS }", true],
    ["{ $.user.name NOT EXISTS }", false],
    ["{ $.items[1].id = 2 }", true],
    ["{ $.items[*].id = 3 }", false],
    ['{ $.["a.b"] = 1 }', true],
    ["{ $.missing != 1 }", false],
  ])("%s", (pattern, expected) => {
    expect(matches(pattern, event)).toBe(expected);
  });

  it("matches no message that is not JSON", () => {
    expect(matches("{ $.a NOT EXISTS }", "plain text")).toBe(false);
  });
});

describe("space-delimited columns", () => {
  const line = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534';
  it.each([
    ["[]", true],
    ["[ip, id, user, timestamp, request, status_code, size]", true],
    ["[ip, id, user, timestamp, request, status_code]", false],
    ["[ip, ..., status_code = 4*, size]", true],
    ["[ip, ..., status_code = 404 || status_code = 410, size > 1000]", true],
    ["[..., size > 2000]", false],
    ['[ip, id, user, timestamp, request = "*html*", ...]', true],
  ])("%s", (pattern, expected) => {
    expect(matches(pattern, line)).toBe(expected);
  });
});

describe("what is refused", () => {
  it.each([
    "foo:bar",
    '"open',
    "%regex%",
    "{ $.a = %x% }",
    "{ $.a }",
    "{ $.a = 1",
    "[a, ..., b, ...]",
    "[a, b = ]",
  ])("%s", (pattern) => {
    expect(() => compileFilterPattern(pattern)).toThrow(FilterPatternError);
  });

  it("never fails otherwise, whatever the pattern and message", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.string(), (pattern, message) => {
        for (const text of [pattern, `{${pattern}}`, `[${pattern}]`]) {
          try {
            expect(typeof matches(text, message)).toBe("boolean");
          } catch (error) {
            expect(error).toBeInstanceOf(FilterPatternError);
          }
        }
      }),
    );
  });
});
