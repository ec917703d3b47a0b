import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FilterPatternError, compileField, compileFields, compileFilterPattern } from "./pattern.ts";

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
    [String.raw`%\d{3} ms%`, "took 120 ms", true],
    [String.raw`%\d{3} ms% -boom`, "took 120 ms boom", false],
    ["?%^A% ?WARN", "BA", false],
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
    ["{ $.level = %^ERR% }", true],
    ["{ $.level != %^ERR% }", false],
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
    [String.raw`[ip = %127\.0\.[0-9]+\.1%, ...]`, true],
    ['[ip, id, user, timestamp, request = "*html*", ...]', true],
  ])("%s", (pattern, expected) => {
    expect(matches(pattern, line)).toBe(expected);
  });
});

describe("what a message holds", () => {
  const json = '{"level":"ERROR","ms":12.5,"user":{"name":"ann"},"ids":[7]}';
  it.each([
    ["{ $.level = ERROR && $.user.name = ann }", json, { "$.level": "ERROR", "$.user.name": "ann" }],
    ["{ $.missing NOT EXISTS }", json, {}],
    ["[ip, ..., status = 4*, size]", "1.2.3.4 - x 404 7", { $ip: "1.2.3.4", $status: "404", $size: "7" }],
    ["[ip, size]", "1 2 3", {}],
    ["ERROR", json, {}],
  ])("%s", (pattern, message, expected) => {
    expect(Object.fromEntries(compileFields(pattern)(message))).toEqual(expected);
  });

  it("reads one value, of JSON whether it stands in the pattern or not", () => {
    expect(compileField("{ $.level = * }", "$.ms")(json)).toBe("12.5");
    expect(compileField("{ $.level = * }", "$.ids[0]")(json)).toBe("7");
    expect(compileField("{ $.level = * }", "$.user")(json)).toBeUndefined();
    expect(compileField("[a, size]", "$size")("x 3")).toBe("3");
    expect(() => compileField("ERROR", "$.ms")).toThrow(FilterPatternError);
    expect(() => compileField("{ $.a = 1 }", "ms")).toThrow(FilterPatternError);
  });
});

describe("what is refused", () => {
  it.each([
    "foo:bar",
    '"open',
    "{ $.a }",
    "{ $.a = 1",
    "[a, ..., b, ...]",
    "[a, b = ]",
    "%(%",
    "{ $.a > %x% }",
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
