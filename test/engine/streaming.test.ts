import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec, Invocation, InvocationResult, ResponseSink } from "#engine/contract";
import { openApiBench } from "../runtime-api/support.ts";
import type { ApiBench } from "../runtime-api/support.ts";

let bench: ApiBench;
beforeAll(async () => {
  bench = await openApiBench();
});
afterAll(() => bench.close());

const WINDOW_BYTES = 256 * 1024;

/** Reads a response, or waits with that. */
class Reader implements ResponseSink {
  contentType: string | undefined;
  readonly parts: Buffer[] = [];
  #reading: boolean;
  #take: () => void = () => undefined;
  #told: () => void = () => undefined;

  constructor(reading = true) {
    this.#reading = reading;
  }

  get text(): string {
    return Buffer.concat(this.parts).toString();
  }

  begin(contentType: string): void {
    this.contentType = contentType;
  }

  write(part: Uint8Array): Promise<void> {
    this.parts.push(Buffer.from(part));
    this.#told();
    return this.#reading ? Promise.resolve() : new Promise((resolve) => (this.#take = resolve));
  }

  /** Resolves once so much has come. */
  async until(bytes: number): Promise<void> {
    while (Buffer.concat(this.parts).length < bytes)
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => (this.#told = resolve));
  }

  read(): void {
    this.#reading = true;
    this.#take();
  }
}

function stream(
  spec: FunctionSpec,
  sink: ResponseSink,
  event: unknown = {},
  overrides: Partial<Invocation> = {},
): Promise<InvocationResult> {
  return bench.engine.invoke({
    spec,
    requestId: randomUUID(),
    invokedArn: spec.arn,
    payload: Buffer.from(JSON.stringify(event)),
    clientContext: undefined,
    traceHeader: undefined,
    tail: false,
    sink,
    ...overrides,
  });
}

const json = ({ payload }: InvocationResult): unknown => JSON.parse(Buffer.from(payload).toString());

const STREAMING = `
  const { existsSync, writeFileSync } = require("node:fs");
  exports.handler = awslambda.streamifyResponse(async (event, stream) => {
    if (event.early) throw new RangeError("early");
    if (event.http) stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
    else stream.setContentType("text/plain");
    stream.write("first ");
    // The rest comes only once the test has seen the first part.
    while (event.gate && !existsSync(event.gate)) await new Promise((r) => setTimeout(r, 2));
    if (event.fail) throw new TypeError("midway");
    if (event.exit) process.exit(3);
    if (event.hang) await new Promise((r) => setTimeout(r, 600_000));
    for (let left = event.pieces ?? 0; left > 0; left--) {
      if (!stream.write(Buffer.alloc(16384, "x"))) await new Promise((r) => stream.once("drain", r));
      if (event.count) writeFileSync(event.count, String(event.pieces - left + 1));
    }
    stream.end(event.pid ? String(process.pid) : "last");
  });`;

describe("a function that streams its response", () => {
  let spec: FunctionSpec;
  beforeAll(async () => {
    spec = await bench.spec({ "index.js": STREAMING });
  });

  it("has each part read as it writes it", async () => {
    const reader = new Reader();
    const gate = join(bench.folder, randomUUID());
    const done = stream(spec, reader, { gate });
    await reader.until(6);
    expect([reader.contentType, reader.text]).toEqual(["text/plain", "first "]);
    writeFileSync(gate, "");
    const { payload, functionError } = await done;
    expect([payload.length, functionError, reader.text]).toEqual([0, undefined, "first last"]);
  });

  it("sends status and headers ahead of its first part", async () => {
    const reader = new Reader();
    await stream(spec, reader, { http: true });
    expect(reader.contentType).toBe("application/vnd.awslambda.http-integration-response");
    expect(reader.parts[0]?.toString()).toBe(`{"statusCode":201}${"\0".repeat(8)}first `);
  });

  it("is held back by a slow reader, beside whom others are served", async () => {
    const slow = new Reader(false);
    const count = join(bench.folder, randomUUID());
    // Within the 6 MB that are not slowed down.
    const pieces = 320;
    const done = stream(spec, slow, { pieces, count }, { tail: true });
    const written = (): number => {
      try {
        return Number(readFileSync(count, "utf8")) * 16_384;
      } catch {
        return 0;
      }
    };
    await expect
      .poll(written, { timeout: 20_000, interval: 5 })
      .toBeGreaterThanOrEqual(WINDOW_BYTES - 16_384);
    const quick = await bench.spec({ "index.js": "exports.handler = async () => 1;" }, { name: "quick" });
    for (let round = 0; round < 20; round++)
      // oxlint-disable-next-line no-await-in-loop
      expect((await bench.invoke(quick)).payload).toBe(1);
    // What the function could write: the window, and what its own stream holds.
    expect(written()).toBeLessThanOrEqual(WINDOW_BYTES + 2 * 16_384);
    expect(slow.text).toBe("first ");
    slow.read();
    await done;
    expect(Buffer.concat(slow.parts).length).toBe(10 + pieces * 16_384);
  });

  it("is not held back by a reader once it is done: its environment serves the next event", async () => {
    const slow = new Reader(false);
    const [first, second] = [new Reader(), new Reader()];
    await stream(spec, first, { pid: true });
    let answered = false;
    const done = stream(spec, slow, { pid: true }).then(() => (answered = true));
    await slow.until(1);
    await expect.poll(() => bench.engine.status().busy, { interval: 5 }).toBe(0);
    await stream(spec, second, { pid: true });
    expect(second.text).toBe(first.text);
    expect(answered).toBe(false);
    slow.read();
    await done;
    expect(slow.text).toBe(first.text);
  });

  it("may fail before it has begun, or midway", async () => {
    const [early, midway] = [new Reader(), new Reader()];
    const first = await stream(spec, early, { early: true });
    expect(first.functionError).toBe("Unhandled");
    expect(json(first)).toMatchObject({ errorType: "RangeError", errorMessage: "early" });
    expect(early).toMatchObject({ contentType: undefined, text: "" });
    const second = await stream(spec, midway, { fail: true });
    expect(second.functionError).toBe("Unhandled");
    expect(json(second)).toMatchObject({ errorType: "TypeError", errorMessage: "midway" });
    expect(midway.text).toBe("first ");
  });

  it("may crash or run out of time midway", async () => {
    const [crashed, hung] = [new Reader(), new Reader()];
    const exit = await stream(spec, crashed, { exit: true });
    expect(json(exit)).toMatchObject({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringContaining("exit status 3") as string,
    });
    expect(crashed.text).toBe("first ");
    const short = await bench.spec({ "index.js": STREAMING }, { timeoutMs: 1000 });
    const timeout = await stream(short, hung, { hang: true }, { tail: true });
    expect(json(timeout)).toMatchObject({
      errorType: "Sandbox.Timedout",
      errorMessage: expect.stringContaining("Task timed out after 1.00 seconds") as string,
    });
    expect(hung.text).toBe("first ");
    expect(Buffer.from(timeout.logTail ?? []).toString()).toContain("Status: timeout");
  });

  it("is answered whole to who asks for no stream, up to 6 MB", async () => {
    const whole = await bench.engine.invoke({
      spec,
      requestId: randomUUID(),
      invokedArn: spec.arn,
      payload: Buffer.from("{}"),
      clientContext: undefined,
      traceHeader: undefined,
      tail: false,
    });
    expect(Buffer.from(whole.payload).toString()).toBe("first last");
    const large = await bench.invoke(spec, { pieces: 400 });
    expect(large).toMatchObject({
      functionError: "Unhandled",
      payload: {
        errorType: "Function.ResponseSizeTooLarge",
        errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
      },
    });
  });
});

describe("a function that speaks on the channel itself", () => {
  const HOSTILE = `
    const { writeSync } = require("node:fs");
    const frame = (type, body) => {
      const bytes = Buffer.alloc(5 + body.length);
      bytes.writeUInt32BE(1 + body.length);
      bytes[4] = type;
      body.copy(bytes, 5);
      for (let at = 0; at < bytes.length; ) at += writeSync(4, bytes, at);
    };
    const headed = (type, header) => {
      const json = Buffer.from(JSON.stringify(header));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(json.length);
      frame(type, Buffer.concat([length, json]));
    };
    exports.handler = async ({ frames = [] }, { awsRequestId: requestId }) => {
      for (const [type, bytes] of frames)
        if (type === 0x89) frame(type, Buffer.alloc(bytes));
        else headed(type, { requestId });
      return "well";
    };`;

  it.each([
    ["a part larger than all that may come", [[0x88], [0x89, 8_000_000]], 0],
    ["parts without a beginning", [[0x89, 10]], 0],
    ["two beginnings", [[0x88], [0x88]], 0],
    ["a whole response within one in parts", [[0x88], [0x89, 10]], 10],
  ])("is killed for %s, and serves the next event by another environment", async (_what, frames, bytes) => {
    const spec = await bench.spec({ "index.js": HOSTILE }, { name: "hostile" });
    const reader = new Reader();
    const answer = await stream(spec, reader, { frames });
    expect(answer.functionError).toBe("Unhandled");
    expect(json(answer)).toMatchObject({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringContaining("signal: killed") as string,
    });
    expect(Buffer.concat(reader.parts).length).toBe(bytes);
    expect((await bench.invoke(spec)).payload).toBe("well");
  });

  it("gains nothing by what it sends after the end", async () => {
    const spec = await bench.spec({ "index.js": HOSTILE }, { name: "late" });
    const reader = new Reader();
    const frames = [[0x88], [0x89, 10], [0x8a], [0x89, 10]];
    expect((await stream(spec, reader, { frames })).functionError).toBeUndefined();
    expect(Buffer.concat(reader.parts).length).toBe(10);
    // Out of turn by then: it may cost the function its next event, and no other.
    await expect.poll(async () => (await bench.invoke(spec)).payload).toBe("well");
  });
});

describe("a response to a stream's reader", () => {
  it.each([
    [
      "Node.js",
      "nodejs20.x",
      { "index.js": "exports.handler = async () => ({ big: 'y'.repeat(200_000) });" },
    ],
    ["Python", "python3.11", { "index.py": "def handler(e, c): return {'big': 'y' * 200000}" }],
  ] as const)("comes in one part from a %s function that streams none", async (_name, runtime, files) => {
    const found = (await bench.engine.runtimes()).find((each) => each.runtime.name === runtime);
    if (found?.interpreter === undefined) return;
    const reader = new Reader();
    const spec = await bench.spec(files, { runtime, name: runtime.replace(".", "-") });
    const { payload, functionError } = await stream(spec, reader);
    expect([payload.length, functionError]).toEqual([0, undefined]);
    expect([reader.contentType, reader.parts.length]).toEqual(["application/json", 1]);
    expect(JSON.parse(reader.text)).toEqual({ big: "y".repeat(200_000) });
  });

  it("comes from a custom runtime by the HTTP Runtime API, with its error in the trailers", async () => {
    const bootstrap = `#!${process.execPath}
      const http = require("node:http");
      const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
      const base = "/2018-06-01/runtime/invocation/";
      const next = () => http.get({ hostname, port, path: base + "next" }, (response) => {
        let body = "";
        response.on("data", (chunk) => (body += chunk)).on("end", () => {
          const request = http.request({
            hostname, port, method: "POST",
            path: base + response.headers["lambda-runtime-aws-request-id"] + "/response",
            headers: {
              "Lambda-Runtime-Function-Response-Mode": "streaming", "Transfer-Encoding": "chunked",
              "Content-Type": "text/custom", Trailer: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
            },
          }, (answer) => answer.resume().on("end", next));
          request.write("tenant " + response.headers["lambda-runtime-aws-tenant-id"]);
          if (JSON.parse(body).fail) request.addTrailers({
            "Lambda-Runtime-Function-Error-Type": "Custom.Broken",
            "Lambda-Runtime-Function-Error-Body": Buffer.from('{"errorType":"Custom.Broken"}').toString("base64"),
          });
          request.end();
        });
      });
      next();`;
    const spec = await bench.provided({ bootstrap }, { name: "custom" });
    const [good, bad] = [new Reader(), new Reader()];
    const answer = await stream(spec, good, {}, { tenantId: "blue" });
    expect([answer.functionError, good.contentType, good.text]).toEqual([
      undefined,
      "text/custom",
      "tenant blue",
    ]);
    const failure = await stream(spec, bad, { fail: true });
    expect([failure.functionError, json(failure)]).toEqual(["Unhandled", { errorType: "Custom.Broken" }]);
    expect(bad.text).toBe("tenant undefined");
  });
});
