import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import type { DeliveryFailure } from "../failure.ts";
import { createPost, type Reach } from "./http.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const started = createServer(answer);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

const clock = new ManualClock();
const post = (endpoint: string, reach: Reach = "anywhere", own = "") =>
  createPost({ own: () => own, clock })(endpoint, { "Content-Type": "text/plain" }, "grüße", reach).then(
    () => "delivered",
    ({ message, permanent }: DeliveryFailure) => ({ message, permanent }),
  );

describe("posting", () => {
  it("sends the body with its length, and takes any answer that says it was taken", async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      request.setEncoding("utf8").on("data", (body: string) => {
        seen.push({
          method: request.method,
          url: request.url,
          length: request.headers["content-length"],
          body,
        });
        response.writeHead(204).end();
      });
    });
    expect(await post(`${url}/path?x=1`)).toBe("delivered");
    expect(seen).toEqual([{ method: "POST", url: "/path?x=1", length: "7", body: "grüße" }]);
  });

  it.each([
    [200, "delivered"],
    [301, { message: "HTTP 301", permanent: true }],
    [404, { message: "HTTP 404", permanent: true }],
    [429, { message: "HTTP 429", permanent: false }],
    [503, { message: "HTTP 503", permanent: false }],
  ])("judges status %d, and follows it nowhere", async (status, expected) => {
    let requests = 0;
    const url = await serve((_, response) => {
      requests++;
      response.writeHead(status, { location: "/elsewhere" }).end("x");
    });
    expect(await post(url)).toEqual(expected);
    expect(requests).toBe(1);
  });

  it("does not read an answer that has no end", async () => {
    const url = await serve((_, response) => {
      response.writeHead(200);
      const write = (): void => {
        while (response.write("x".repeat(16_384)));
      };
      response.on("drain", write);
      write();
    });
    expect(await post(url)).toBe("delivered");
  });

  it("waits 15 s for an answer", async () => {
    const url = await serve(() => {});
    const outcome = post(url);
    await expect
      .poll(() => new Promise((resolve) => server?.getConnections((_, count) => resolve(count))))
      .toBe(1);
    clock.advance(15_000);
    expect(await outcome).toEqual({
      message: "Error: the endpoint did not answer in time",
      permanent: false,
    });
  });

  it("tries again where nobody listens", async () => {
    const url = await serve(() => {});
    server?.close();
    expect(await post(url)).toMatchObject({ permanent: false });
  });
});

describe("where a function may send the platform", () => {
  it.each([
    "http://127.0.0.1:1/",
    "http://[::1]:1/",
    "http://[::ffff:127.0.0.1]:1/",
    "http://0.0.0.0:1/",
    "http://169.254.169.254/",
    "http://localhost:1/",
  ])("is not this host: %s", async (endpoint) => {
    expect(await post(endpoint, "not this host")).toMatchObject({
      message: expect.stringContaining("a function may not have the platform call") as string,
      permanent: true,
    });
  });

  it("is nobody's the platform's own controls, but everybody's a function URL", async () => {
    const seen: unknown[] = [];
    const own = await serve((request, response) => {
      seen.push(request.url);
      response.end();
    });
    const { port } = new URL(own);
    expect(await post(`${own}/_thaw/reset`, "anywhere", own)).toMatchObject({ permanent: true });
    const functionUrl = `http://abc.lambda-url.us-east-1.localhost:${port}/hook`;
    expect(await post(functionUrl, "not this host", own)).toBe("delivered");
    expect(seen).toEqual(["/hook"]);
  });
});
