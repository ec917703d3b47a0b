import { assert, base64String, dictionary, property, string, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { eventOf } from "./event.ts";
import type { UrlRequest } from "./types.ts";

const context = {
  urlId: "id",
  region: "us-east-1",
  path: "/",
  requestId: "r",
  time: Date.UTC(2020, 2, 12, 19, 3, 58),
  trace: "Root=1-00000000-000000000000000000000000",
  port: "4566",
  caller: undefined,
};

interface Event {
  readonly headers: Record<string, string>;
  readonly queryStringParameters?: Record<string, string>;
  readonly cookies?: string[];
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly requestContext: { readonly time: string; readonly http: { readonly sourceIp: string } };
}

function read(request: Partial<UrlRequest>): Event {
  const whole = { method: "POST", path: "/", query: "", headers: {}, body: Buffer.alloc(0), ...request };
  const bytes = eventOf(
    { remoteAddress: "::ffff:10.1.2.3", baseUrl: "http://localhost:4566", ...whole },
    context,
  );
  return JSON.parse(bytes.toString()) as Event;
}

describe("the event of a function URL", () => {
  it.each([
    ["application/json", true],
    ["application/json; charset=utf-8", true],
    ["application/ld+json", true],
    ["application/xml", true],
    ["text/html", true],
    ["application/jsonx", false],
    ["application/x-www-form-urlencoded", false],
    ["multipart/form-data; boundary=x", false],
    ["application/octet-stream", false],
    [undefined, false],
  ])("a body of %s is text: %s", (type, text) => {
    const event = read({ headers: { "content-type": type }, body: Buffer.from("añb") });
    expect(event.isBase64Encoded).toBe(!text);
    expect(event.body).toBe(text ? "añb" : Buffer.from("añb").toString("base64"));
  });

  it("leaves out what a request does not have", () => {
    const event = read({});
    expect(event).not.toHaveProperty("body");
    expect(event).not.toHaveProperty("cookies");
    expect(event).not.toHaveProperty("queryStringParameters");
    expect(event.isBase64Encoded).toBe(false);
    expect(event.requestContext.time).toBe("12/Mar/2020:19:03:58 +0000");
  });

  it("tells the address of the connection, whatever a client says about itself", () => {
    const headers = { "x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https", connection: "close" };
    const event = read({ headers });
    expect(event.headers).toEqual({
      "x-amzn-trace-id": context.trace,
      "x-forwarded-for": "10.1.2.3",
      "x-forwarded-port": "4566",
      "x-forwarded-proto": "http",
    });
    expect(event.requestContext.http.sourceIp).toBe("10.1.2.3");
  });

  it("brings every body, query and header over whole", () => {
    assert(
      property(
        uint8Array(),
        base64String(),
        dictionary(string(), string()),
        string(),
        (bytes, type, parameters, path) => {
          const query = new URLSearchParams(parameters).toString();
          const event = read({ body: Buffer.from(bytes), headers: { "content-type": type }, query, path });
          const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
          expect(body.equals(bytes)).toBe(true);
          const decoded = Object.fromEntries(new URLSearchParams(query));
          expect(event.queryStringParameters ?? {}).toEqual(decoded);
        },
      ),
    );
  });
});
