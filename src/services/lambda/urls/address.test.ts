import { assert, integer, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { systemIds } from "#core/ids";
import { accountOf, addressOf, functionUrl, newUrlId } from "./address.ts";

const ID = "abcdefghijklmnopqrstuvwxyz234567";

describe("addresses of function URLs", () => {
  it.each([
    [`${ID}.lambda-url.eu-west-1.localhost:4566`, "/a", { urlId: ID, region: "eu-west-1", path: "/a" }],
    [`${ID.toUpperCase()}.Lambda-URL.eu-west-1.localhost`, "/", undefined],
    [`${ID}.lambda-url.us-east-1.on.aws`, "/", { urlId: ID, region: "us-east-1", path: "/" }],
    [`${ID}.lambda-url.us-east-1.localhost.`, "http://x/y", { urlId: ID, region: "us-east-1", path: "/y" }],
    [`${ID}.lambda-url.us-east-1.evil.example`, "/", undefined],
    [`a.b.lambda-url.us-east-1.localhost`, "/", undefined],
    ["127.0.0.1:4566", "/", undefined],
    [undefined, "/", undefined],
    ["127.0.0.1", `/_thaw/url/${ID}`, { urlId: ID, region: undefined, path: "/" }],
    ["127.0.0.1", `/_thaw/url/${ID}//x`, { urlId: ID, region: undefined, path: "//x" }],
    ["127.0.0.1", "/_thaw/url/", { urlId: "", region: undefined, path: "/" }],
    ["127.0.0.1", "/_thaw/urls", undefined],
  ])("%s %s", (host, path, expected) => {
    expect(addressOf(host, path)).toEqual(expected);
  });

  it("reads any host and path without failing", () => {
    assert(
      property(string(), string(), (prefix, path) => {
        const address = addressOf(`${prefix}.lambda-url.${prefix}.localhost`, path);
        if (address !== undefined) expect(address.path).toMatch(/^\//);
      }),
    );
  });

  it("tells the account of every id that it makes, and of no other", () => {
    assert(
      property(integer({ min: 0, max: 999_999_999_999 }), (number) => {
        const account = String(number).padStart(12, "0");
        const urlId = newUrlId(account, systemIds);
        expect(urlId).toMatch(/^[a-z2-7]{32}$/);
        expect(accountOf(urlId)).toBe(account);
      }),
    );
    for (const foreign of ["", "x", "7".repeat(32), `1${"a".repeat(31)}`, "A".repeat(32)])
      expect(accountOf(foreign)).toBeUndefined();
  });

  it("names the port that the client used", () => {
    expect(functionUrl("id", "us-east-1", "https://[::1]:4566")).toBe(
      "https://id.lambda-url.us-east-1.localhost:4566/",
    );
    expect(functionUrl("id", "us-east-1", "http://localhost")).toBe(
      "http://id.lambda-url.us-east-1.localhost/",
    );
  });

  it("go on by the name that a client from elsewhere came by", () => {
    expect(functionUrl("id", "us-east-1", "https://10.0.0.1:4566")).toBe(
      "https://10.0.0.1:4566/_thaw/url/id/",
    );
    expect(functionUrl("id", "us-east-1", "https://thaw.example")).toBe("https://thaw.example/_thaw/url/id/");
  });
});
