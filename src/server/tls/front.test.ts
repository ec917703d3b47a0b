import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { Agent, request } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds as ids } from "#core/ids";
import { listen, type Listener } from "../listener.ts";
import { TlsFront } from "./front.ts";
import type { TlsIdentity } from "./identity.ts";
import { ownIdentity } from "./own-identity.ts";

let folder: string;
let identity: TlsIdentity;
let listener: Listener;
const clock = new ManualClock(Date.now());
const problems: unknown[] = [];

const identityOf = (name: string): Promise<TlsIdentity> =>
  ownIdentity({ folder: join(folder, name), names: () => ["localhost", "127.0.0.1"], clock, ids }).load();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "thaw-tls-"));
  identity = await identityOf("one");
});
afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(async () => {
  problems.length = 0;
  listener = await listen({
    host: "127.0.0.1",
    port: 0,
    maxBodyBytes: 1 << 24,
    handle: async ({ baseUrl, body }) => ({
      status: 200,
      headers: {},
      body: `${baseUrl} ${Buffer.isBuffer(body) ? body.length : "stream"}`,
    }),
    onError: (error) => problems.push(error),
    tls: { identity, clock },
  });
});
afterEach(async () => {
  await listener.close();
  expect(problems).toEqual([]);
});

const port = () => Number(new URL(listener.url).port);

async function answerTo(outgoing: ReturnType<typeof request>, body?: Buffer): Promise<string> {
  outgoing.end(body);
  const [response] = (await once(outgoing, "response")) as [Readable];
  return (await buffer(response)).toString();
}

const send = (body?: Buffer, agent?: Agent) =>
  answerTo(
    request(listener.url, { method: "POST", rejectUnauthorized: false, ...(agent && { agent }) }),
    body,
  );

it("serves over TLS, many requests a connection, and says so in the address", async () => {
  expect(listener.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect(await send(undefined, agent)).toBe(`${listener.url} 0`);
  expect(await send(Buffer.alloc(10 << 20), agent)).toBe(`${listener.url} ${10 << 20}`);
  agent.destroy();
});

it("is plain on a port of loopback, which says so too", async () => {
  const { plainUrl } = listener;
  expect(plainUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(await answerTo(httpRequest(plainUrl, { method: "POST" }))).toBe(`${plainUrl} 0`);
});

it("tells who speaks plain HTTP what to do, and lets go of who speaks nothing known", async () => {
  const outgoing = httpRequest({ port: port(), host: "127.0.0.1", method: "PUT" });
  outgoing.end(Buffer.alloc(1 << 20));
  const [response] = (await once(outgoing, "response")) as [Readable & { statusCode: number }];
  expect(response.statusCode).toBe(400);
  expect(JSON.parse((await buffer(response)).toString())).toEqual({
    message: "This port speaks TLS: use https:// in place of http://",
  });
  const socket = connect(port(), "127.0.0.1");
  socket.write("\0\0\0\0");
  expect((await buffer(socket)).length).toBe(0);
});

it("goes on after handshakes that fail", async () => {
  const broken = connect(port(), "127.0.0.1");
  broken.on("error", () => {});
  broken.write(Buffer.concat([Buffer.from([0x16, 3, 1, 0, 200]), Buffer.alloc(200, 0xff)]));
  broken.resume();
  await once(broken, "close");
  expect(await send()).toBe(`${listener.url} 0`);
});

it("lets go of a client that has not shaken hands within ten seconds, however it passes them", async () => {
  const silent = connect(port(), "127.0.0.1");
  const half = connect(port(), "127.0.0.1");
  half.write(Buffer.from([0x16, 3, 1, 2]));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  // Whoever has is left alone.
  const [first] = await Promise.all([send(undefined, agent), once(silent, "connect"), once(half, "connect")]);
  const closed = Promise.all([silent, half].map((socket) => (socket.resume(), once(socket, "close"))));
  clock.advance(10_000);
  await closed;
  expect(await send(undefined, agent)).toBe(first);
  agent.destroy();
});

it("shows another certificate from the next connection on", async () => {
  const seen = async () => {
    const socket = connectTls({ port: port(), host: "127.0.0.1", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const before = await seen();
  listener.useIdentity(await identityOf("two"));
  expect(await seen()).not.toBe(before);
});

it("ends connections that shake hands when it closes", async () => {
  const socket = connect(port(), "127.0.0.1");
  await once(socket, "connect");
  const closed = once(socket.resume(), "close");
  await listener.close();
  await closed;
  listener = await listen({
    host: "127.0.0.1",
    port: 0,
    maxBodyBytes: 1,
    handle: () => Promise.reject(new Error("nobody asks")),
    onError: (error) => problems.push(error),
  });
});

it("holds no more handshakes than it has places: the oldest goes", async () => {
  const secure: TLSSocket[] = [];
  const front = new TlsFront({ identity, clock, most: 3, onConnection: (socket) => secure.push(socket) });
  await new Promise<void>((resolve) => front.server.listen(0, "127.0.0.1", () => resolve()));
  const at = (front.server.address() as AddressInfo).port;
  const open = async (): Promise<Socket> => {
    const accepted = once(front.server, "connection");
    const socket = connect(at, "127.0.0.1").resume();
    await Promise.all([once(socket, "connect"), accepted]);
    return socket;
  };
  const idle = [await open(), await open(), await open()];
  const [first] = idle;
  const closed = once(first as Socket, "close");
  const client = connectTls({ port: at, host: "127.0.0.1", rejectUnauthorized: false });
  await once(client, "secureConnect");
  await closed;
  // It shook hands, so its place is free again.
  idle.push(await open());
  await expect.poll(() => secure.length).toBe(1);
  expect(idle.map(({ destroyed }) => destroyed)).toEqual([true, false, false, false]);
  client.destroy();
  secure[0]?.destroy();
  front.close();
});
