// How Node.js functions are called and answer: AWS Lambda Developer Guide, "Define Lambda function handler in Node.js",
// and the aws-lambda-nodejs-runtime-interface-client.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Guest, withGuest } from "./guest.ts";
import type { Package } from "./guest.ts";
import { nodes } from "./interpreters.ts";

const ASYNC_CASES = `
const big = (bytes) => "é".repeat(bytes / 2);
const cases = {
  echo: (event) => event.value,
  undefined: () => undefined,
  bigint: () => ({ n: 10n }),
  circular: () => { const o = {}; o.self = o; return o; },
  function: () => () => 1,
  date: () => new Date(0),
  size: (event) => ({ received: event.text.length, answer: big(event.bytes) }),
  context: (event, context) => ({ ...context, remaining: context.getRemainingTimeInMillis(), self: undefined }),
  environment: () => ({ ...process.env }),
  trace: () => process.env._X_AMZN_TRACE_ID ?? null,
  cwd: () => process.cwd(),
  descriptors: () => require("child_process").execSync("ls /proc/self/fd").toString().split("\\n"),
  never: () => new Promise(() => {}),
  error: () => { throw new RangeError("out of range"); },
  w3c: (event, context) => [context.xRayTraceId, context.w3c()],
  del: () => { throw new Error("a\\x7Fb"); },
  custom: () => { const e = new Error("m"); e.name = "Mine"; e.code = 7; throw e; },
  string: () => { throw "a string"; },
  null: () => { throw null; },
  object: () => { throw { a: 1 }; },
};
exports.handler = async (event, context) => cases[event.case](event, context);
`;

describe.each(nodes())("$name", (node) => {
  const modern = node.major >= 24;

  describe("an async handler", () => {
    let guest: Guest;
    beforeAll(async () => {
      guest = await Guest.open(node, {
        files: { "index.js": ASYNC_CASES },
        environment: { GREETING: "hi" },
        hostEnvironment: { THAW_SECRET: "of the host", NODE_PATH: "/nowhere" },
      });
    });
    afterAll(async () => {
      expect(await guest.close()).toBe(0);
    });

    it("introduces itself", () => {
      expect(guest.hello).toEqual({
        pid: expect.any(Number) as number,
        version: `v${node.name.split(" ")[1]}`,
      });
      expect(guest.initError).toBeUndefined();
      expect(guest.initLogs).toEqual([]);
    });

    it.each([
      ["a value", { case: "echo", value: { a: [1, "é", null] } }, '{"a":[1,"é",null]}'],
      ["undefined", { case: "undefined" }, "null"],
      ["a function", { case: "function" }, "null"],
      ["what has toJSON", { case: "date" }, '"1970-01-01T00:00:00.000Z"'],
    ])("answers %s", async (_what, event, text) => {
      expect(await guest.invoke(event)).toMatchObject({ kind: "response", text });
    });

    it.each(["bigint", "circular"])("fails on a response without JSON: %s", async (name) => {
      const outcome = await guest.invoke({ case: name });
      expect(outcome).toMatchObject({
        kind: "error",
        header: { exit: false },
        value: {
          errorType: modern ? "Runtime.JSONStringifyError" : "Error",
          errorMessage: "Unable to stringify response body",
        },
      });
    });

    it("tells a thrown error, without the runtime's own files in the trace", async () => {
      const { kind, value, logs } = await guest.invoke({ case: "error" });
      expect(kind).toBe("error");
      expect(value).toMatchObject({ errorType: "RangeError", errorMessage: "out of range" });
      const trace = (value as { trace: string[] }).trace;
      expect(trace[0]).toBe("RangeError: out of range");
      expect(trace[1]).toContain(`${guest.taskRoot}/index.js`);
      expect(trace.slice(1, 3).join()).toMatch(/at .*handler \(/);
      expect(trace.join("\n")).not.toContain("guest/nodejs");
      const [line = ""] = logs;
      expect(line).toMatch(/^\d{4}-.+Z\trequest-\d+\tERROR\tInvoke Error \t\{/);
      expect(JSON.parse(line.slice(line.indexOf("{")))).toEqual({
        errorType: "RangeError",
        errorMessage: "out of range",
        stack: trace,
      });
    });

    it("keeps an error's own name, and logs its own fields", async () => {
      const { value, logs } = await guest.invoke({ case: "custom" });
      expect(value).toMatchObject({ errorType: "Mine", errorMessage: "m" });
      expect(logs[0]).toContain('"code":7');
    });

    it("writes a DEL as AWS does", async () => {
      expect((await guest.invoke({ case: "del" })).value).toMatchObject({ errorMessage: "a%7Fb" });
    });

    it("has the trace in the context from Node.js 24 on", async () => {
      const clientContext = JSON.stringify({ w3c: { traceparent: "00-1", tracestate: 5, other: "x" } });
      const { value } = await guest.invoke({ case: "w3c" }, { clientContext, traceId: "Root=1-a" });
      if (modern) expect(value).toEqual(["Root=1-a", { traceparent: "00-1" }]);
      else
        expect(value).toMatchObject({
          errorType: "TypeError",
          errorMessage: "context.w3c is not a function",
        });
    });

    it("takes thrown values that are no errors", async () => {
      expect((await guest.invoke({ case: "string" })).value).toEqual({
        errorType: "string",
        errorMessage: "a string",
        trace: [],
      });
      expect((await guest.invoke({ case: "object" })).value).toMatchObject({
        errorType: "object",
        errorMessage: "[object Object]",
      });
      const thrownNull = (await guest.invoke({ case: "null" })).value;
      const handled =
        "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack";
      if (modern) expect(thrownNull).toEqual({ errorType: "object", errorMessage: "null", trace: [] });
      // context.fail(null) is context.done("handled") there.
      else expect(["handled", handled]).toContain((thrownNull as { errorMessage: string }).errorMessage);
    });

    it("tells a promise that never settles", async () => {
      expect(await guest.invoke({ case: "never" })).toMatchObject({
        kind: "error",
        value: {
          errorType: "Runtime.NodeJsExit",
          errorMessage:
            "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes",
        },
      });
    });

    it.each([64 * 1024 - 200, 70_000, 6 * 1024 * 1024])("moves %d bytes both ways", async (bytes) => {
      const { value } = await guest.invoke({ case: "size", text: "x".repeat(bytes), bytes });
      const { received, answer } = value as { received: number; answer: string };
      expect(received).toBe(bytes);
      expect(Buffer.byteLength(answer)).toBe(bytes);
    });

    it("tells a response that no frame can hold", async () => {
      expect(await guest.invoke({ case: "size", text: "", bytes: 33 * 1024 * 1024 })).toMatchObject({
        kind: "error",
        value: { errorType: "Function.ResponseSizeTooLarge" },
      });
    });

    it("reads an event over several lines, and refuses one that is no JSON", async () => {
      const event = '{\n  "case": "echo",\r\n  "value": "a\\nb"\n}\n';
      expect((await guest.invokeText(event)).value).toBe("a\nb");
      expect(await guest.invokeText("{")).toMatchObject({
        kind: "error",
        value: { errorType: "SyntaxError" },
      });
    });

    it("fills the context in", async () => {
      const clientContext = { client: { installation_id: "i" }, custom: { k: "v" }, env: { locale: "en" } };
      const identity = { cognitoIdentityId: "id", cognitoIdentityPoolId: "pool" };
      const { value } = await guest.invoke(
        { case: "context" },
        {
          clientContext: JSON.stringify(clientContext),
          identity: JSON.stringify(identity),
          deadlineMs: Date.now() + 3_600_000,
        },
      );
      expect(value).toMatchObject({
        awsRequestId: expect.stringMatching(/^request-/) as string,
        functionName: "fn",
        functionVersion: "$LATEST",
        invokedFunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:fn",
        memoryLimitInMB: "128",
        logGroupName: "/aws/lambda/fn",
        logStreamName: "2026/01/01/[$LATEST]0",
        clientContext,
        identity,
      });
      if (modern) expect(value).not.toHaveProperty("callbackWaitsForEmptyEventLoop");
      else expect(value).toHaveProperty("callbackWaitsForEmptyEventLoop", true);
      const { remaining } = value as { remaining: number };
      expect(remaining).toBeGreaterThan(0);
      expect(remaining).toBeLessThanOrEqual(3_600_000);
    });

    it("fails where the client context is no JSON", async () => {
      const { value } = await guest.invoke({ case: "context" }, { clientContext: "{" });
      expect(value).toMatchObject({
        errorType: "Error",
        errorMessage: expect.stringMatching(/^Cannot parse ClientContext as json: SyntaxError: /) as string,
      });
    });

    it("sees the function's environment alone, and the trace of the running event", async () => {
      expect((await guest.invoke({ case: "environment" })).value).toEqual({
        PATH: process.env["PATH"],
        GREETING: "hi",
      });
      expect((await guest.invoke({ case: "trace" }, { traceId: "Root=1-a" })).value).toBe("Root=1-a");
      expect((await guest.invoke({ case: "trace" })).value).toBeNull();
      expect((await guest.invoke({ case: "cwd" })).value).toBe(guest.taskRoot);
    });

    it("keeps its channel from the processes that a function starts", async () => {
      const listed = (await guest.invoke({ case: "descriptors" })).value as string[];
      expect(listed).toContain("2");
      expect(listed).not.toContain("4");
      expect(listed).not.toContain("9");
    });
  });

  it.each<[string, Package]>([
    ["a CommonJS module", { files: { "index.js": "exports.handler = async () => 'yes'" } }],
    ["a .cjs file", { files: { "index.cjs": "exports.handler = async () => 'yes'" } }],
    ["an ES module", { files: { "index.mjs": "export const handler = async () => 'yes'" } }],
    [
      "type: module",
      {
        files: {
          "package.json": '{"type":"module"}',
          "index.js": "await null; export const handler = async () => 'yes'",
        },
      },
    ],
    [
      "a folder and a nested property",
      { files: { "src/app.js": "exports.a = { b: { go: async () => 'yes' } }" }, handler: "src/app.a.b.go" },
    ],
    [
      "a package of node_modules",
      {
        files: { "node_modules/pkg/index.js": "exports.handler = async () => 'yes'" },
        handler: "pkg.handler",
      },
    ],
  ])("loads %s", async (_what, content) => {
    await withGuest(node, content, async (guest) => {
      expect(guest.initError).toBeUndefined();
      expect((await guest.invoke({})).value).toBe("yes");
    });
  });

  it("runs a handler that is not async", async () => {
    const code = `exports.handler = (event) => event.wait ? new Promise((r) => setTimeout(r, 1, "later")) : "at once";`;
    await withGuest(node, { files: { "index.js": code } }, async (guest) => {
      expect((await guest.invoke({ wait: true })).value).toBe("later");
      // Only the rewritten runtime takes a plain return value; before, it is ignored and the answer is null.
      expect((await guest.invoke({})).value).toBe(modern ? "at once" : null);
    });
  });

  it("runs callback handlers up to Node.js 22, and refuses them from 24 on", async () => {
    const code = `
      exports.handler = (event, context, callback) => {
        if (event.case === "ok") setTimeout(callback, 1, null, "called");
        if (event.case === "fail") callback(new TypeError("no"));
        if (event.case === "throw") throw new TypeError("thrown");
        if (event.case === "bigint") callback(null, 1n);
        if (event.case === "succeed") context.succeed("done");
        if (event.case === "fail-null") context.fail(null);
        if (event.case === "no-wait") {
          context.callbackWaitsForEmptyEventLoop = false;
          setInterval(() => {}, 1000);
          callback(null, "early");
        }
        if (event.case === "wrapped") {
          Object.create(new Proxy(context, {})).callbackWaitsForEmptyEventLoop = false;
          setInterval(() => {}, 1000);
          callback(null, "early, by a wrapper");
        }
        if (event.case === "inspect") callback(null, require("node:util").inspect(context).split("\\n").slice(1, 5));
      };`;
    await withGuest(node, { files: { "index.js": code } }, async (guest) => {
      if (modern) {
        expect(guest.initError).toMatchObject({
          errorType: "Runtime.CallbackHandlerDeprecated",
          errorMessage:
            "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
        });
        return;
      }
      expect(guest.initLogs.join()).toContain("AWS Lambda plans to remove support for callback-based");
      const run = async (name: string) => (await guest.invoke({ case: name })).value;
      expect(await run("ok")).toBe("called");
      expect(await run("fail")).toMatchObject({ errorType: "TypeError", errorMessage: "no" });
      expect(await run("throw")).toMatchObject({ errorType: "TypeError", errorMessage: "thrown" });
      expect(await run("succeed")).toBe("done");
      expect(await run("fail-null")).toMatchObject({ errorType: "string", errorMessage: "handled" });
      expect(await run("nothing")).toBeNull();
      expect(await run("inspect")).toEqual([
        "  callbackWaitsForEmptyEventLoop: [Getter/Setter],",
        "  succeed: [Function (anonymous)],",
        "  fail: [Function (anonymous)],",
        "  done: [Function (anonymous)],",
      ]);
      expect(await run("no-wait")).toBe("early");
      expect(await run("wrapped")).toBe("early, by a wrapper");
      // The response is written when the event loop is empty, where nothing of the function can catch what is thrown.
      await withGuest(node, { files: { "index.js": code } }, async (other) => {
        expect(await other.invoke({ case: "bigint" })).toMatchObject({
          header: { exit: true },
          value: { errorMessage: "Unable to stringify response body" },
        });
        expect(await other.exited()).toBe(129);
      });
    });
  });

  it("sends what a streaming handler writes, part by part", async () => {
    const code = `
      exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
        if (event.fail) throw new RangeError("midway");
        if (event.http) stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });
        else stream.setContentType("text/plain");
        stream.write("one ");
        await new Promise((r) => setImmediate(r));
        stream.write({ two: 2 });
        if (!event.open) stream.end();
        if (event.returns) return 1;
      });`;
    await withGuest(node, { files: { "index.js": code } }, async (guest) => {
      const plain = await guest.invoke({ returns: true });
      expect(plain).toMatchObject({
        kind: "response",
        text: 'one {"two":2}',
        header: { contentType: "text/plain" },
      });
      expect(plain.parts?.map(String)).toEqual(["one ", '{"two":2}']);
      expect(plain.logs.join()).toContain("Streaming handlers ignore return values.");
      expect(await guest.invoke({ http: true })).toMatchObject({
        text: `{"statusCode":201}${"\0".repeat(8)}one {"two":2}`,
        header: { contentType: "application/vnd.awslambda.http-integration-response" },
      });
      const failed = await guest.invoke({ fail: true });
      expect(failed.value).toMatchObject({ errorType: "RangeError" });
      expect(failed.parts).toBeUndefined();
      const open = await guest.invoke({ open: true });
      expect(open.value).toMatchObject({ errorMessage: "Response stream is not finished." });
      expect(open.parts).toHaveLength(2);
      expect((await guest.invoke({})).text).toBe('one {"two":2}');
    });
  });

  it("holds a streaming handler back while nobody reads, but not its event loop", async () => {
    const code = `
      exports.handler = awslambda.streamifyResponse(async (event, stream) => {
        const ticking = setInterval(() => console.log("tick"), 1);
        for (let part = 0; part < 64; part++)
          if (!stream.write(Buffer.alloc(16384, part)))
            await new Promise((drained) => stream.once("drain", drained));
        clearInterval(ticking);
        stream.end();
      });`;
    await withGuest(node, { files: { "index.js": code } }, async (guest) => {
      const window = 256 * 1024;
      let held = 0;
      let ticks = 0;
      guest.reader = (part, parts) => {
        held = parts.reduce((sum, { length }) => sum + length, 0);
        return held > window ? part.length : 0;
      };
      // All of the window has come, and nothing more does, however long the function runs on.
      guest.onLog = () => {
        if (held === window && ++ticks === 10) guest.credit(window);
      };
      const { kind, parts } = await guest.invoke({});
      expect([kind, ticks >= 10]).toEqual(["response", true]);
      const all = Buffer.concat(parts ?? []);
      expect(all.length).toBe(1024 * 1024);
      expect(all.every((value, at) => value === Math.floor(at / 16_384))).toBe(true);
    });
  });

  it("ends a response that breaks off while nobody reads it, and finds the next event", async () => {
    const code = `
      exports.handler = awslambda.streamifyResponse(async (event, stream) => {
        if (event.plain) return stream.end("plain");
        stream.write(Buffer.alloc(1024 * 1024));
        await new Promise((r) => setTimeout(r, 20));
        setTimeout(() => stream.write("late"), 1);
        throw new Error("broke");
      });`;
    await withGuest(node, { files: { "index.js": code } }, async (guest) => {
      guest.reader = () => 0;
      const broken = await guest.invoke({});
      expect(broken).toMatchObject({ kind: "error", value: { errorMessage: "broke" } });
      expect(Buffer.concat(broken.parts ?? []).length).toBe(256 * 1024);
      expect(await guest.invoke({ plain: true })).toMatchObject({ kind: "response", text: "plain" });
      expect(await guest.invoke({})).toMatchObject({ kind: "error" });
      expect(await guest.invoke({ plain: true })).toMatchObject({ text: "plain" });
    });
  });
});
