import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HttpRequest, type HttpResponse, listen, type Listener } from "./listener.ts";

let listener: Listener;
let answer: (request: HttpRequest) => Promise<HttpResponse>;
const problems: unknown[] = [];
const text = (body: string): HttpResponse => ({ status: 200, headers: {}, body });

beforeEach(async () => {
  problems.length = 0;
  listener = await listen({
    host: "127.0.0.1",
    port: 0,
    maxBodyBytes: 1 << 20,
    streams: (method) => method === "PUT",
    handle: (incoming) => answer(incoming),
    onError: (error) => problems.push(error),
  });
});
afterEach(() => listener.close());

async function send(method: string, body: Buffer): Promise<{ status: number | undefined; body: string }> {
  const outgoing = request(listener.url, { method, headers: { "content-length": body.length } });
  outgoing.on("error", () => {});
  outgoing.end(body);
  const [response] = (await once(outgoing, "response")) as [Readable & { statusCode?: number }];
  return { status: response.statusCode, body: (await buffer(response)).toString() };
}

describe("streamed bodies", () => {
  it("come as streams of any size where they are asked for, else whole and limited", async () => {
    answer = async ({ body }) => {
      const whole = Buffer.isBuffer(body);
      const bytes = whole ? body : await buffer(body);
      return text(`${whole ? "whole" : "stream"} ${bytes.length}`);
    };
    expect(await send("PUT", Buffer.alloc(3 << 20))).toEqual({ status: 200, body: `stream ${3 << 20}` });
    expect(await send("POST", Buffer.alloc(1000))).toEqual({ status: 200, body: "whole 1000" });
    expect(await send("POST", Buffer.alloc(3 << 20))).toMatchObject({ status: 413 });
  });

  it.each([
    ["once some of it was read", true],
    ["unread", false],
  ])("may be answered before their end, %s, and the next request is no part of them", async (_, reads) => {
    answer = async ({ body }) => {
      if (Buffer.isBuffer(body)) return text("the next one");
      // Stopping half-way, as what finds a fault in the bytes does; or before, as for want of permission.
      if (reads) for await (const piece of body) if (piece !== undefined) break;
      return text("refused");
    };
    expect(await send("PUT", Buffer.alloc(900_000))).toEqual({ status: 200, body: "refused" });
    const socket = connect(Number(new URL(listener.url).port), "127.0.0.1");
    const read = buffer(socket);
    socket.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n${"x".repeat(200_000)}`);
    await once(socket, "connect");
    await expect.poll(() => socket.bytesRead).toBeGreaterThan(0);
    const next = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    socket.write("x".repeat(300_000) + next);
    const answered = (await read).toString();
    expect(answered.match(/(?:refused|the next one)/g)).toEqual(["refused", "the next one"]);
  });

  it("that go on and on after their answer are cut off", async () => {
    answer = async ({ body }) => {
      for await (const _ of body as Readable) break;
      return text("refused");
    };
    const socket = connect(Number(new URL(listener.url).port), "127.0.0.1");
    // A reset is how the cut is seen.
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    socket.resume();
    socket.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${1 << 30}\r\n\r\n`);
    const block = Buffer.alloc(1 << 18);
    const more = (): void => {
      if (!socket.destroyed) socket.write(block, () => setImmediate(more));
    };
    more();
    await closed;
    expect(socket.bytesWritten).toBeLessThan(64 << 20);
  });

  it("end in ECONNRESET where the client goes away", async () => {
    const ended = new Promise<unknown>((resolve) => {
      answer = async ({ body }) => {
        await buffer(body as Readable).catch(resolve);
        return text("nobody reads this");
      };
    });
    const socket = connect(Number(new URL(listener.url).port), "127.0.0.1");
    socket.write("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\nhalf");
    await once(socket, "connect");
    setImmediate(() => socket.destroy());
    expect(await ended).toMatchObject({ code: "ECONNRESET" });
    expect(problems).toEqual([]);
  });

  it("are read no faster than their reader reads", async () => {
    let arrived = 0;
    let go: () => void = () => {};
    const held = new Promise<void>((resolve) => (go = resolve));
    answer = async ({ body }) => {
      await held;
      for await (const chunk of body as Readable) arrived += (chunk as Buffer).length;
      return text(String(arrived));
    };
    const size = 64 << 20;
    const socket = connect(Number(new URL(listener.url).port), "127.0.0.1");
    socket.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`);
    const block = Buffer.alloc(1 << 20);
    let written = 0;
    // The kernel takes some; a reader that does not read takes nothing more.
    while (written < size && socket.write(block)) written += block.length;
    const blocked = socket.writableNeedDrain;
    go();
    for (written += block.length; written < size; written += block.length)
      if (!socket.write(block)) await once(socket, "drain");
    const response = (await buffer(socket)).toString();
    expect(blocked).toBe(true);
    expect(response.endsWith(String(size))).toBe(true);
  });
});
