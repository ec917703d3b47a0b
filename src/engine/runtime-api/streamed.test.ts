import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import type { ClientRequest, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../../test/support/until.ts";
import { Runtime } from "./runtime.ts";

let server: Server;
let runtime: Runtime;
let told: string[];
let bytes: number;
let wanted: boolean;

beforeEach(async () => {
  [told, bytes, wanted] = [[], 0, true];
  const tell = (what: string) => () => void told.push(what);
  runtime = new Runtime({
    initialised: tell("initialised"),
    initFailed: tell("init failed"),
    answered: tell("answered"),
    waiting: tell("waiting"),
    stream: {
      began: (id, contentType) => told.push(`${id} began as ${contentType}`),
      chunk: (chunk) => {
        bytes += chunk.length;
        return wanted;
      },
      ended: (id, error) => told.push(`${id} ended ${error?.toString() ?? "well"}`),
    },
  });
  server = createServer((request, response) => {
    if (request.method === "GET") runtime.next(response);
    else void runtime.respond("r1", request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const next = httpRequest({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" }).end();
  await until(() => expect(told).toEqual(["initialised"]));
  runtime.invoke({
    requestId: "r1",
    deadlineMs: 0,
    invokedFunctionArn: "arn",
    traceId: "Root=1",
    clientContext: undefined,
    payload: Buffer.from("{}"),
  });
  await once(next, "response");
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
});

function post(trailers: Record<string, string> = {}): ClientRequest {
  const request = httpRequest({
    port: (server.address() as AddressInfo).port,
    host: "127.0.0.1",
    method: "POST",
    headers: {
      "Content-Type": "text/plain",
      "Lambda-Runtime-Function-Response-Mode": "streaming",
      "Transfer-Encoding": "chunked",
      ...(Object.keys(trailers).length === 0 ? {} : { Trailer: Object.keys(trailers) }),
    },
  }).on("error", () => undefined);
  request.addTrailers(trailers);
  return request;
}

describe("a streamed response", () => {
  it("goes on part by part, before it has ended", async () => {
    const request = post();
    request.write("first");
    await until(() => expect(bytes).toBe(5));
    expect(told).toEqual(["initialised", "r1 began as text/plain"]);
    request.end("second");
    const [response] = (await once(request, "response")) as [{ statusCode: number }];
    expect(response.statusCode).toBe(202);
    expect([bytes, told.at(-1)]).toEqual([11, "r1 ended well"]);
  });

  it("is held back while nobody takes it", async () => {
    const request = post();
    const part = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 20; i++) request.write(part);
    request.end();
    await until(() => expect(bytes).toBeGreaterThanOrEqual(256 * 1024));
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(bytes).toBeLessThan(512 * 1024);
    let taken = 0;
    await until(() => {
      runtime.taken(bytes - taken);
      taken = bytes;
      expect(told.at(-1)).toBe("r1 ended well");
    });
    expect(bytes).toBe(20 * part.length);
  });

  it("is read to its end and thrown away where nobody wants it", async () => {
    wanted = false;
    const request = post();
    request.end(Buffer.alloc(2 * 1024 * 1024));
    await once(request, "response");
    expect(bytes).toBeLessThan(1024 * 1024);
  });

  it("tells by its trailers that it broke off, or by its connection", async () => {
    const document = JSON.stringify({ errorType: "Late", errorMessage: "m" });
    const request = post({
      "Lambda-Runtime-Function-Error-Type": "Late",
      "Lambda-Runtime-Function-Error-Body": Buffer.from(document).toString("base64"),
    });
    request.end("half");
    await once(request, "response");
    expect(told.at(-1)).toBe(`r1 ended ${document}`);
  });

  it("that is cut off is told so", async () => {
    const request = post();
    request.write("half");
    await until(() => expect(bytes).toBe(4));
    request.destroy();
    await until(() => expect(told.at(-1)).toContain("Runtime.TruncatedResponse"));
  });
});
