import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { create, health, HELLO, invoke, lambdaFor, until } from "./support.ts";

let platform: TestPlatform;
let lambda: LambdaClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = lambdaFor(platform.url);
  await create(lambda, "hello", HELLO);
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

/** What the platform must still do after whatever a client did to it. */
async function stillWorks(): Promise<void> {
  expect(await health(platform.url)).toMatchObject({ status: "ready" });
  expect(await invoke(lambda, "hello", 7)).toEqual({ error: undefined, payload: { hello: 7 } });
}

async function open(): Promise<Socket> {
  const { hostname, port } = new URL(platform.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Sends bytes as they are and resolves with everything that comes back until the other side closes. */
async function exchange(bytes: string | Buffer): Promise<string> {
  const socket = await open();
  socket.write(bytes);
  return text(socket).catch(() => "");
}

describe("health", () => {
  it("tells that the platform is ready, and its load", async () => {
    const response = await fetch(`${platform.url}/_thaw/health`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({
      status: "ready",
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      environments: expect.any(Number),
      busy: 0,
      running: 0,
    });
    expect((await fetch(`${platform.url}/_thaw/health`, { method: "HEAD" })).status).toBe(200);
  });

  it("has no neighbours", async () => {
    for (const path of ["/_thaw/", "/_thaw/nothing", "/_thaw/health/more", "/_thaw/../health"])
      expect((await fetch(platform.url + path)).status).toBeGreaterThanOrEqual(400);
    await stillWorks();
  });
});

describe("a body over the limit", () => {
  const limit = 72 * 1024 * 1024;

  it("that is announced gets 413, even where it is sent whole before the answer is read", async () => {
    const response = await fetch(`${platform.url}/2015-03-31/functions`, {
      method: "POST",
      body: Buffer.alloc(limit + 1),
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({ message: `Request must be smaller than ${limit} bytes` });
    await stillWorks();
  });

  it("that comes in chunks gets 413", async () => {
    const socket = await open();
    const answer = text(socket).catch(() => "");
    socket.write("POST /2015-03-31/functions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = Buffer.alloc(1 << 20);
    for (let sent = 0; sent <= limit && !socket.destroyed; sent += chunk.length) {
      socket.write(`${chunk.length.toString(16)}\r\n`);
      socket.write(chunk);
      if (!socket.write("\r\n")) await Promise.race([once(socket, "drain"), once(socket, "close")]);
    }
    socket.end("0\r\n\r\n");
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
    await stillWorks();
  });

  it("that never ends is cut off", async () => {
    const socket = await open();
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    let received = "";
    socket.setEncoding("latin1").on("data", (part: string) => (received += part));
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
    const chunk = Buffer.alloc(1 << 20);
    while (!socket.destroyed)
      if (!socket.write(chunk)) await Promise.race([once(socket, "drain").catch(() => {}), closed]);
    await closed;
    expect(received).toMatch(/^HTTP\/1\.1 413 /);
    await stillWorks();
  });
});

describe("malformed HTTP", () => {
  it.each([
    ["garbage", Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 89 + 31) % 256))],
    ["a TLS greeting", Buffer.from("16030100c8010000c40303", "hex")],
    ["no version", "GET /\r\n\r\n"],
    ["no host", "GET / HTTP/1.1\r\n\r\n"],
    ["a method that is none", "BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["headers over 16 KB", `GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(64 * 1024)}\r\n\r\n`],
    [
      "a thousand headers",
      `GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${"X-Some: y\r\n".repeat(1500)}\r\n`,
    ],
    ["a header with a NUL", "GET / HTTP/1.1\r\nHost: x\r\nX-Bad: a\0b\r\n\r\n"],
    ["a negative length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"],
    ["two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"],
    [
      "a length and chunks",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a chunk size that is none", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ["an absolute target", "GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
    ["a path that decodes to nothing", "GET /%ff%00%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
    ["an upgrade", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"],
    ["a tunnel", "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["an expectation", "GET / HTTP/1.1\r\nHost: x\r\nExpect: the-unexpected\r\nConnection: close\r\n\r\n"],
  ])("with %s is refused as the client's mistake or dropped", async (_name, bytes) => {
    expect(await exchange(bytes)).toMatch(/^(?:HTTP\/1\.1 4\d\d |$)/);
    await stillWorks();
  });

  it("in half requests holds nobody up", async () => {
    const halves = [
      "G",
      "GET / HTTP/1.1\r\nHo",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
    ];
    const sockets = await Promise.all(Array.from({ length: 300 }, open));
    sockets.forEach((socket, index) => socket.write(halves[index % halves.length] ?? ""));
    await stillWorks();
    // They stay open: that they do not hold up the shutdown either is what `afterAll` sees.
  });
});

describe("a client that goes away", () => {
  it("in the middle of an invocation harms nothing, and the environment serves the next", async () => {
    const marks = `globalThis.count = 0;
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const health = process.env.AWS_ENDPOINT_URL + "/_thaw/health";
    const running = () => fetch(health).then((answer) => answer.json()).then((told) => told.running, () => 0);
    exports.handler = async (event) => {
      globalThis.count++;
      // Until all five run, however long a loaded machine takes to start them, and long enough for that to be seen.
      while (event.slow && (await running()) < 5) await wait(50);
      if (event.slow) await wait(5_000);
      return globalThis.count;
    };`;
    await create(lambda, "left", marks);
    const controllers = Array.from({ length: 5 }, () => new AbortController());
    const answers = controllers.map(({ signal }) =>
      lambda.send(new InvokeCommand({ FunctionName: "left", Payload: '{"slow":true}' }), {
        abortSignal: signal,
      }),
    );
    const settled = Promise.allSettled(answers);
    await until(async () => expect(await health(platform.url)).toMatchObject({ running: 5, busy: 5 }));
    for (const controller of controllers) controller.abort();
    expect((await settled).every(({ status }) => status === "rejected")).toBe(true);
    await until(async () => expect(await health(platform.url)).toMatchObject({ running: 0, busy: 0 }));
    expect(await invoke(lambda, "left")).toEqual({ error: undefined, payload: 2 });
    await stillWorks();
  });

  it("in the middle of its request, or before it reads the answer, harms nothing", async () => {
    for (const bytes of [
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ]) {
      const socket = await open();
      socket.write(bytes);
      socket.resetAndDestroy();
    }
    await stillWorks();
  });
});

it("200 concurrent first invokes of 50 functions all succeed", async () => {
  const names = Array.from({ length: 50 }, (_, index) => `many-${index}`);
  await Promise.all(names.map((name) => create(lambda, name, HELLO)));
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => invoke(lambda, names[index % 50] ?? "", index)),
  );
  expect(answers).toEqual(
    Array.from({ length: 200 }, (_, index) => ({ error: undefined, payload: { hello: index } })),
  );
  await stillWorks();
});
