import { createServer, request as httpRequest } from "node:http";
import type { IncomingHttpHeaders, OutgoingHttpHeaders, Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { until } from "../../../test/support/until.ts";
import type { Answer, GuestEvent, InitError } from "../environment/channel.ts";
import { handleRequest } from "./api.ts";
import { Extensions } from "./extensions.ts";
import { Runtime } from "./runtime.ts";
import { TelemetryHub } from "./telemetry/hub.ts";

const RUNTIME = "/2018-06-01/runtime";
const EXTENSION = "/2020-01-01/extension";

let server: Server;
let port: number;
let runtime: Runtime;
let extensions: Extensions;
let told: string[];
let answers: Answer[];
let initErrors: InitError[];

const event = (requestId = "r1", over: Partial<GuestEvent> = {}): GuestEvent => ({
  requestId,
  deadlineMs: 1_767_225_600_000,
  invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:f",
  traceId: "Root=1-0-0;Parent=0;Sampled=0",
  clientContext: undefined,
  payload: Buffer.from('{"a":1}'),
  ...over,
});

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function call(
  method: string,
  path: string,
  { body = "", headers = {} }: { body?: string | Buffer; headers?: OutgoingHttpHeaders } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: "127.0.0.1", method, path, headers, agent: false });
    request.once("error", reject);
    request.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.once("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body: text }),
      );
    });
    request.end(body);
  });
}

const error = (errorType: string, errorMessage: string): string =>
  JSON.stringify({ errorMessage, errorType });

beforeEach(async () => {
  [told, answers, initErrors] = [[], [], []];
  runtime = new Runtime({
    initialised: () => told.push("initialised"),
    initFailed: (failure) => initErrors.push(failure),
    answered: (id, answer) => {
      told.push(`answered ${id}`);
      answers.push(answer);
    },
    waiting: () => told.push("waiting"),
  });
  const identity = { account: "123456789012", name: "f", version: "$LATEST", handler: "h" };
  extensions = new Extensions(
    { external: ["ext.sh"], identity, ids: systemIds, awaitInternal: true },
    {
      progressed: () => told.push("progressed"),
      settled: ({ name }) => told.push(`settled ${name}`),
      failed: ({ name }, kind, errorType) => told.push(`${name} ${kind} ${errorType}`),
    },
  );
  const telemetry = new TelemetryHub({
    clock: new ManualClock(),
    connect: () => undefined,
    structured: false,
    onSubscribed: () => undefined,
  });
  server = createServer((request, response) =>
    handleRequest(
      {
        runtime,
        extensions,
        telemetry,
        traceDaemon: undefined,
        onError: (problem) => told.push(String(problem)),
      },
      request,
      response,
    ),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
});

async function running(over: Partial<GuestEvent> = {}): Promise<Reply> {
  const next = call("GET", `${RUNTIME}/invocation/next`);
  await until(() => expect(told).toContain("initialised"));
  runtime.invoke(event("r1", over));
  return next;
}

describe("the Runtime API", () => {
  it("holds the next request until there is an event, and gives it with all its headers", async () => {
    const reply = await running({ clientContext: '{"custom":{"ü":"\\u20ac"},\n"env":{}}' });
    expect(reply).toMatchObject({
      status: 200,
      body: '{"a":1}',
      headers: {
        "content-type": "application/json",
        "lambda-runtime-aws-request-id": "r1",
        "lambda-runtime-deadline-ms": "1767225600000",
        "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
        "lambda-runtime-trace-id": "Root=1-0-0;Parent=0;Sampled=0",
        "lambda-runtime-client-context": '{"custom":{"\\u00fc":"\\u20ac"}, "env":{}}',
      },
    });
    expect(reply.headers).not.toHaveProperty("lambda-runtime-cognito-identity");
  });

  it("answers an error of the platform's own as such, and tells of it", async () => {
    vi.spyOn(runtime, "next").mockImplementation(() => {
      throw new TypeError("a mistake");
    });
    expect(await call("GET", `${RUNTIME}/invocation/next`)).toMatchObject({
      status: 500,
      body: error("InternalServerError", "Internal Server Error"),
    });
    expect(told).toEqual(["TypeError: a mistake"]);
  });

  it("takes one response, then tells that it waits", async () => {
    await running();
    const path = `${RUNTIME}/invocation/r1/response`;
    expect(await call("POST", path, { body: "not json" })).toMatchObject({
      status: 202,
      body: '{"status":"OK"}',
    });
    expect(answers).toEqual([{ kind: "response", payload: Buffer.from("not json"), maxRssKb: 0 }]);
    expect(await call("POST", path, { body: "2" })).toMatchObject({
      status: 403,
      body: error(
        "InvalidStateTransition",
        "State transition from RuntimeResponseSent to RuntimeInvocationResponse failed for runtime. Error: State transition is not allowed",
      ),
    });
    expect(told).toEqual(["initialised", "answered r1"]);
    const next = call("GET", `${RUNTIME}/invocation/next`);
    await until(() => expect(told).toContain("waiting"));
    runtime.invoke(event("r2"));
    expect((await next).headers["lambda-runtime-aws-request-id"]).toBe("r2");
    expect(await call("POST", path, { body: "late" })).toMatchObject({
      status: 400,
      body: error("InvalidRequestID", "Invalid request ID"),
    });
    expect(answers).toHaveLength(1);
  });

  it("gives the same event again to a runtime whose connection broke", async () => {
    await running();
    expect((await call("GET", `${RUNTIME}/invocation/next`)).body).toBe('{"a":1}');
    expect(told).toEqual(["initialised"]);
  });

  it("refuses a response that is too large, declared or not, and ends the invocation with it", async () => {
    for (const headers of [{}, { "Transfer-Encoding": "chunked" }]) {
      await running();
      const reply = await call("POST", `${RUNTIME}/invocation/r1/response`, {
        body: Buffer.alloc(6_291_557, 0x61),
        headers,
      });
      expect(reply).toMatchObject({
        status: 413,
        body: error("RequestEntityTooLarge", "Exceeded maximum allowed payload size (6291556 bytes)."),
      });
      expect(answers.pop()).toEqual({ kind: "too-large", bytes: undefined });
    }
  });

  it("takes a response of exactly the limit", async () => {
    await running();
    const body = Buffer.alloc(6_291_556, 0x61);
    expect(await call("POST", `${RUNTIME}/invocation/r1/response`, { body })).toMatchObject({ status: 202 });
    expect(answers[0]?.kind).toBe("response");
  });

  it("lets a runtime answer again whose request was cut off", async () => {
    await running();
    const socket = connect(port, "127.0.0.1");
    socket.write(
      `POST ${RUNTIME}/invocation/r1/response HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc`,
    );
    await once(socket, "ready");
    await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    await until(async () =>
      expect(await call("POST", `${RUNTIME}/invocation/r1/response`, { body: "1" })).toMatchObject({
        status: 202,
      }),
    );
    expect(answers).toEqual([{ kind: "response", payload: Buffer.from("1"), maxRssKb: 0 }]);
  });

  it("takes an error with its document, or makes one of the header", async () => {
    await running();
    await call("POST", `${RUNTIME}/invocation/r1/error`, {
      headers: { "Lambda-Runtime-Function-Error-Type": "My.Error" },
    });
    expect(answers.map((answer) => "payload" in answer && answer.payload.toString())).toEqual([
      '{"errorType":"My.Error"}',
    ]);
  });

  it("takes an error in its init, and nothing after it", async () => {
    const body = '{"errorMessage":"no","errorType":"Runtime.NoSuchHandler","stackTrace":[]}';
    expect(await call("POST", `${RUNTIME}/init/error`, { body })).toMatchObject({ status: 202 });
    expect(initErrors).toEqual([{ errorType: "Runtime.NoSuchHandler", payload: Buffer.from(body) }]);
    expect((await call("GET", `${RUNTIME}/invocation/next`)).body).toContain(
      "State transition from RuntimeInitError to RuntimeReady failed",
    );
  });

  it("takes an error of a streamed response from its trailers", async () => {
    await running();
    const document = '{"errorMessage":"broke off","errorType":"Late"}';
    const request = httpRequest({
      port,
      host: "127.0.0.1",
      method: "POST",
      path: `${RUNTIME}/invocation/r1/response`,
      headers: {
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        "Transfer-Encoding": "chunked",
        Trailer: ["Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"],
      },
    });
    request.write("half");
    request.addTrailers({
      "Lambda-Runtime-Function-Error-Type": "Late",
      "Lambda-Runtime-Function-Error-Body": Buffer.from(document).toString("base64"),
    });
    request.end();
    await once(request, "response");
    expect(answers).toEqual([{ kind: "error", payload: Buffer.from(document), maxRssKb: 0 }]);
  });

  it("outlives bytes that are no HTTP, and headers without end", async () => {
    const garbage = [
      "\0\x01\x02\r\n\r\n",
      "GET\r\n\r\n",
      `POST ${RUNTIME}/init/error HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      `GET ${RUNTIME}/invocation/next HTTP/1.1\r\n${"X: y\r\n".repeat(50_000)}`,
    ];
    for (const bytes of garbage) {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      socket.resume().write(bytes);
      await once(socket, "close");
    }
    expect((await call("GET", "/2018-06-01/ping")).body).toBe("pong");
  });

  it("tells an extension that telemetry cannot be had, as AWS does in local testing", async () => {
    const { headers } = await call("POST", `${EXTENSION}/register`, {
      body: "{}",
      headers: { "Lambda-Extension-Name": "ext.sh" },
    });
    const reply = await call("PUT", "/2022-07-01/telemetry", {
      body: "{}",
      headers: { "Lambda-Extension-Identifier": headers["lambda-extension-identifier"] },
    });
    expect(reply).toMatchObject({
      status: 202,
      body: error("Telemetry.NotSupported", "Telemetry API is not supported"),
    });
  });

  it.each([
    ["GET", "/", 404],
    ["GET", "/2018-06-01/runtime/restore/next", 404],
    ["POST", `${RUNTIME}/invocation/next`, 405],
    ["GET", "/2018-06-01/ping", 200],
    ["GET", "/__proto__", 404],
  ])("answers %s %s with %i", async (method, path, status) => {
    expect((await call(method, path)).status).toBe(status);
  });

  it("refuses an unknown response mode", async () => {
    await running();
    const headers = { "Lambda-Runtime-Function-Response-Mode": "quick" };
    expect(await call("POST", `${RUNTIME}/invocation/r1/response`, { headers })).toMatchObject({
      status: 400,
      body: error("InvalidFunctionResponseMode", "Invalid function response mode"),
    });
  });
});

describe("the Extensions API", () => {
  it("has its runtime wait for good where an extension could not be launched", () => {
    expect(extensions.registered).toBe(false);
    extensions.crashed(0, "Extension.LaunchError", 126);
    expect(extensions.view(0)).toMatchObject({ state: "LaunchError", errorType: "PermissionDenied" });
    expect(extensions.registered).toBe(false);
    // Nobody has registered who could share the shutdown phase.
    expect(extensions.shutdownMs).toBe(500);
  });

  const register = (name: string, body: string, headers: OutgoingHttpHeaders = {}): Promise<Reply> =>
    call("POST", `${EXTENSION}/register`, { body, headers: { "Lambda-Extension-Name": name, ...headers } });
  const identified = (id: unknown): OutgoingHttpHeaders => ({ "Lambda-Extension-Identifier": String(id) });

  it("registers an extension once and tells it of its function", async () => {
    const reply = await register("ext.sh", '{"events":["INVOKE","SHUTDOWN"]}', {
      "Lambda-Extension-Accept-Feature": "accountId",
    });
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.body)).toEqual({
      accountId: "123456789012",
      functionName: "f",
      functionVersion: "$LATEST",
      handler: "h",
    });
    expect(reply.headers["lambda-extension-identifier"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(extensions.registered).toBe(true);
    expect(await register("ext.sh", "{}")).toMatchObject({ status: 403 });
    expect(told).toEqual(["progressed"]);
  });

  it("gives events to those who asked for them, and waits until they are done", async () => {
    const id = (await register("ext.sh", '{"events":["INVOKE","SHUTDOWN"]}')).headers[
      "lambda-extension-identifier"
    ];
    const next = call("GET", `${EXTENSION}/event/next`, { headers: identified(id) });
    await until(() => expect(extensions.waiting).toBe(true));
    extensions.invoke(event());
    expect(extensions.waiting).toBe(false);
    const reply = await next;
    expect(JSON.parse(reply.body)).toEqual({
      eventType: "INVOKE",
      deadlineMs: 1_767_225_600_000,
      requestId: "r1",
      invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:f",
      tracing: { type: "X-Amzn-Trace-Id", value: "Root=1-0-0;Parent=0;Sampled=0" },
    });
    expect(reply.headers["lambda-extension-event-identifier"]).toMatch(/^[0-9a-f-]{36}$/);
    const last = call("GET", `${EXTENSION}/event/next`, { headers: identified(id) });
    await until(() => expect(extensions.waiting).toBe(true));
    extensions.shutdown("spindown", 5);
    expect(JSON.parse((await last).body)).toEqual({
      eventType: "SHUTDOWN",
      shutdownReason: "spindown",
      deadlineMs: 5,
    });
  });

  it("refuses what AWS refuses, in its words", async () => {
    const refusals: [Reply, number, string, string][] = [
      [await register("", "{}"), 403, "Extension.InvalidExtensionName", "Empty extension name"],
      [
        await register("internal", '{"events":["SHUTDOWN"]}'),
        403,
        "Extension.InvalidEventType",
        "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension",
      ],
      [
        await register("ext.sh", '{"events":["INVOKE","START"]}'),
        403,
        "Extension.InvalidEventType",
        "START: ErrorInvalidEventType",
      ],
      [
        await register("ext.sh", '{"events":[1]}'),
        403,
        "InvalidRequestFormat",
        "events must be an array of strings",
      ],
      [await register("ext.sh", "{"), 403, "InvalidRequestFormat", "The body is not JSON"],
      [
        await call("GET", `${EXTENSION}/event/next`),
        403,
        "Extension.MissingExtensionIdentifier",
        "Missing Lambda-Extension-Identifier header",
      ],
      [
        await call("GET", `${EXTENSION}/event/next`, { headers: identified("x") }),
        403,
        "Extension.InvalidExtensionIdentifier",
        "Invalid Lambda-Extension-Identifier",
      ],
      [
        await call("GET", `${EXTENSION}/event/next`, {
          headers: identified("00000000-0000-4000-8000-000000000000"),
        }),
        403,
        "Extension.UnknownExtensionIdentifier",
        "Unknown extension 00000000-0000-4000-8000-000000000000",
      ],
    ];
    for (const [reply, status, type, message] of refusals)
      expect(reply).toMatchObject({ status, body: error(type, message) });
  });

  it("takes up to ten, and none after the init phase", async () => {
    for (let i = 0; i < 9; i++) expect((await register(`i${i}`, "{}")).status).toBe(200);
    expect((await register("i9", "{}")).body).toBe(
      error("Extension.TooManyExtensions", "Extension limit (10) reached"),
    );
    extensions.close();
    expect((await register("later", "{}")).body).toBe(
      error("Extension.RegistrationClosed", "Extension registration closed already"),
    );
  });

  it("is told of failures with their type", async () => {
    const id = (await register("ext.sh", "{}")).headers["lambda-extension-identifier"];
    expect(await call("POST", `${EXTENSION}/init/error`, { headers: identified(id) })).toMatchObject({
      status: 403,
      body: error("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found"),
    });
    const headers = { ...identified(id), "Lambda-Extension-Function-Error-Type": "Fatal.ConnectFailed" };
    expect(await call("POST", `${EXTENSION}/init/error`, { headers })).toMatchObject({ status: 202 });
    expect(told.at(-1)).toBe("ext.sh Extension.InitError Fatal.ConnectFailed");
    expect((await call("GET", `${EXTENSION}/event/next`, { headers })).body).toContain(
      "State transition from InitError to Ready failed",
    );
  });
});
