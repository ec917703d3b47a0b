import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import {
  AddPermissionCommand,
  CreateFunctionUrlConfigCommand,
  type InvokeMode,
  type LambdaClient,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { create, health, lambdaFor, logged, until } from "./support.ts";

let platform: TestPlatform;
let lambda: LambdaClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = lambdaFor(platform.url);
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

/** Returns the URL's host name, without a port. */
async function createUrl(
  FunctionName: string,
  code: string,
  mode: InvokeMode = "BUFFERED",
  Timeout = 60,
): Promise<string> {
  await create(lambda, FunctionName, code, { Timeout });
  const { FunctionUrl = "" } = await lambda.send(
    new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: "NONE", InvokeMode: mode }),
  );
  await lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: "everyone",
      Action: "lambda:InvokeFunctionUrl",
      Principal: "*",
      FunctionUrlAuthType: "NONE",
    }),
  );
  await lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: "everyone-invoke",
      Action: "lambda:InvokeFunction",
      Principal: "*",
      InvokedViaFunctionUrl: true,
    }),
  );
  return new URL(FunctionUrl).hostname;
}

async function open(): Promise<Socket> {
  const { hostname, port } = new URL(platform.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Sends a request as it is written here and resolves with everything that comes back. */
async function exchange(request: string): Promise<string> {
  const socket = await open();
  socket.write(request);
  return text(socket).catch(() => "");
}

const get = (host: string, path = "/", method = "GET") =>
  exchange(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);

const running = (invocations: number) =>
  until(async () => expect((await health(platform.url)).running).toBe(invocations));

describe("what clients of a function URL may do to the platform", () => {
  let host: string;
  beforeAll(async () => {
    host = await createUrl("plain", "exports.handler = async ({ rawPath }) => rawPath;");
  });

  it("name any host: nothing but a URL's own name leads to a function", async () => {
    expect(await get(host, "/here")).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n\/here$/s);
    expect(await get(host, `http://${host}/there`)).toMatch(/\r\n\r\n\/there$/);
    expect(await get(host, "/", "HEAD")).toMatch(
      /^HTTP\/1\.1 200 OK\r\n.*content-length: 1\r\n.*\r\n\r\n$/is,
    );
    for (const other of [
      `x${host}`,
      "..lambda-url.us-east-1.localhost",
      `${host}.evil.example`,
      "%00",
      "a b",
    ]) {
      const answer = await get(other);
      expect([other, answer.slice(0, 10)]).toEqual([other, expect.stringMatching(/^HTTP\/1\.1 4/)]);
      expect(answer).not.toContain("\r\n\r\n/");
    }
  });

  it("announce bodies that never come: whoever comes after them is served, and a shutdown does not wait", async () => {
    const sockets = await Promise.all(Array.from({ length: 100 }, open));
    for (const socket of sockets)
      socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 6000000\r\n\r\nx`);
    expect(await get(host, "/served")).toMatch(/\r\n\r\n\/served$/);
    // Left open: the platform has to end with them, after all tests.
    expect(sockets.every(({ destroyed }) => !destroyed)).toBe(true);
  });

  it("go away in the middle of a stream: the function runs to its end, and its environment serves again", async () => {
    const streaming = await createUrl(
      "endless",
      `exports.handler = awslambda.streamifyResponse(async (event, stream) => {
        for (let part = 0; part < 200; part++)
          if (!stream.write(Buffer.alloc(64 * 1024))) await new Promise((drained) => stream.once("drain", drained));
        stream.end();
      });`,
      "RESPONSE_STREAM",
    );
    const socket = await open();
    socket.write(`GET / HTTP/1.1\r\nHost: ${streaming}\r\n\r\n`);
    await once(socket, "data");
    socket.destroy();
    await running(0);
    expect((await get(streaming)).length).toBeGreaterThan(200 * 64 * 1024);
  });

  it("do not read: the function is held back until its time is up, and then let go", async () => {
    const streaming = await createUrl(
      "stalled",
      `exports.handler = awslambda.streamifyResponse(async (event, stream) => {
        for (;;)
          if (!stream.write(Buffer.alloc(64 * 1024))) await new Promise((drained) => stream.once("drain", drained));
      });`,
      "RESPONSE_STREAM",
      2,
    );
    const socket = await open();
    socket.pause();
    socket.write(`GET / HTTP/1.1\r\nHost: ${streaming}\r\n\r\n`);
    await running(1);
    await until(async () => expect((await logged(platform.url, "stalled")).join("")).toContain("timed out"));
    await running(0);
    socket.destroy();
  });
});
