import { assert, json, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { responseOf } from "./response.ts";

const read = (value: unknown) => responseOf(Buffer.from(JSON.stringify(value)));

describe("what a function's return value answers", () => {
  it.each([
    ["hello", "hello"],
    [3.1, "3.1"],
    [null, "null"],
    [{ message: "no status" }, '{"message":"no status"}'],
    [[1], "[1]"],
  ])("%j is the body itself", (value, body) => {
    const response = read(value);
    expect(response?.status).toBe(200);
    expect(response?.headers).toEqual({ "content-type": "application/json" });
    expect(String(response?.body as Buffer | string)).toBe(body);
  });

  it("takes status, headers, cookies and a body in base64", () => {
    expect(
      read({
        statusCode: "201",
        headers: { "Content-Type": "image/png", "X-Number": 5, Connection: "close", "Set-Cookie": "z=0" },
        cookies: ["a=1", "b=2"],
        body: "AAE=",
        isBase64Encoded: true,
      }),
    ).toEqual({
      status: 201,
      headers: {
        "content-type": "image/png",
        "x-number": "5",
        "x-amzn-remapped-connection": "close",
        "set-cookie": ["z=0", "a=1", "b=2"],
      },
      body: Buffer.from([0, 1]),
    });
    expect(read({ statusCode: 204 })?.body).toBeUndefined();
  });

  it.each([
    { statusCode: "fine" },
    { statusCode: 99 },
    { statusCode: 101 },
    { statusCode: 600 },
    { statusCode: 200.5 },
    { statusCode: 200, body: { not: "text" } },
    { statusCode: 200, headers: ["a"] },
    { statusCode: 200, headers: { "a b": "c" } },
    { statusCode: 200, headers: { a: "b\r\nc: d" } },
    { statusCode: 200, headers: { a: { b: 1 } } },
    { statusCode: 200, cookies: "a=1" },
    { statusCode: 200, cookies: ["a=1\r\nb: c"] },
  ])("%j is no response", (value) => {
    expect(read(value)).toBeUndefined();
  });

  it("reads any bytes without failing", () => {
    assert(property(uint8Array(), (bytes) => void responseOf(bytes)));
    assert(
      property(json(), (text) => {
        const value: unknown = JSON.parse(text);
        const claims = typeof value === "object" && value !== null && "statusCode" in value;
        if (!claims) expect(responseOf(Buffer.from(text))?.status).toBe(200);
      }),
    );
  });
});
