import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeBackend } from "./fake-sandbox.ts";
import { openBench } from "./support.ts";
import type { Bench } from "./support.ts";
import { until } from "../support/until.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

describe("a Node.js function", () => {
  it("is started cold, then served warm by the same environment", async () => {
    const spec = await bench.spec({
      "index.js": "let n = 0; exports.handler = async (event) => ({ n: ++n, event, pid: process.pid });",
    });
    const first = await bench.invoke(spec, { a: 1 });
    expect(first.payload).toMatchObject({ n: 1, event: { a: 1 } });
    expect(first.functionError).toBeUndefined();
    expect(first.tail).toMatch(
      new RegExp(
        `^START RequestId: ${first.requestId} Version: \\$LATEST\\nEND RequestId: ${first.requestId}\\n` +
          `REPORT RequestId: ${first.requestId}\\tDuration: \\d+\\.\\d\\d ms\\tBilled Duration: \\d+ ms\\tMemory Size: 256 MB\\tMax Memory Used: [1-9]\\d* MB\\tInit Duration: \\d+\\.\\d\\d ms\\t\\n$`,
      ),
    );
    expect(bench.lines[0]?.message).toMatch(
      /^INIT_START Runtime Version: nodejs:\d+\.v\d+\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}\n$/,
    );
    const second = await bench.invoke(spec, { a: 2 });
    expect(second.payload).toMatchObject({ n: 2, pid: (first.payload as { pid: number }).pid });
    expect(second.tail).not.toContain("Init Duration");
  });

  it("that runs out of time is killed and replaced", async () => {
    const spec = await bench.spec(
      {
        "index.js":
          "exports.handler = (event) => event.hang ? new Promise((r) => setTimeout(r, 60000)) : Promise.resolve(process.pid);",
      },
      { timeoutMs: 4000 },
    );
    const before = await bench.invoke(spec);
    const hung = await bench.invoke(spec, { hang: true });
    expect(hung.functionError).toBe("Unhandled");
    expect(hung.payload).toEqual({
      errorMessage: `RequestId: ${hung.requestId} Error: Task timed out after 4.00 seconds`,
      errorType: "Sandbox.Timedout",
    });
    expect(hung.tail).toMatch(/Z [0-9a-f-]{36} Task timed out after 4\.00 seconds\n\nEND/);
    expect(hung.tail).toContain("Status: timeout");
    const after = await bench.invoke(spec);
    expect(after.payload).not.toBe(before.payload);
    expect(after.functionError).toBeUndefined();
  });

  it.each([
    [0, "Runtime exited without providing a reason"],
    [3, "Runtime exited with error: exit status 3"],
  ])("that ends its process with status %i is told so", async (status, text) => {
    const spec = await bench.spec({ "index.js": `exports.handler = async () => process.exit(${status});` });
    const answer = await bench.invoke(spec);
    expect(answer.payload).toEqual({
      errorMessage: `RequestId: ${answer.requestId} Error: ${text}`,
      errorType: "Runtime.ExitError",
    });
    expect(answer.tail).toContain(`RequestId: ${answer.requestId} Error: ${text}\nRuntime.ExitError\nEND`);
  });

  it.each([
    ["SIGKILL", "killed"],
    ["SIGALRM", "alarm clock"],
    ["SIGXCPU", "CPU time limit exceeded"],
  ])("that is killed by %s is told so", async (signal, text) => {
    const spec = await bench.spec({
      "index.js": `exports.handler = () => new Promise(() => process.kill(process.pid, "${signal}"));`,
    });
    expect((await bench.invoke(spec)).payload).toMatchObject({
      errorMessage: expect.stringMatching(new RegExp(`Runtime exited with error: signal: ${text}$`)),
    });
  });

  it("whose response is over 6 MB gets AWS's error, and its environment lives on", async () => {
    const spec = await bench.spec({
      "index.js": 'exports.handler = async ({ n }) => n === 0 ? process.pid : "x".repeat(n);',
    });
    const before = await bench.invoke(spec, { n: 0 });
    const large = await bench.invoke(spec, { n: 6_291_555 });
    expect(large.payload).toEqual({
      errorType: "Function.ResponseSizeTooLarge",
      errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    });
    const fits = await bench.invoke(spec, { n: 6_291_554 });
    expect(fits.functionError).toBeUndefined();
    expect((await bench.invoke(spec, { n: 0 })).payload).toBe(before.payload);
  });

  it("whose module is missing has its init repeated within the invocation", async () => {
    const spec = await bench.spec({ "other.js": "" });
    const answer = await bench.invoke(spec);
    expect(answer.functionError).toBe("Unhandled");
    expect(answer.payload).toMatchObject({ errorType: "Runtime.ImportModuleError" });
    const told = bench.lines.map((line) => line.message).filter((line) => line.startsWith("INIT_REPORT"));
    expect(
      told.some((line) => line.includes("Phase: init\tStatus: error\tError Type: Runtime.ImportModuleError")),
    ).toBe(true);
    expect(answer.tail).toContain(`START RequestId: ${answer.requestId} Version: $LATEST\nEND`);
    expect(told.some((line) => line.includes("Phase: invoke\tStatus: error"))).toBe(true);
    const streams = bench.lines.filter(({ message }) => message.includes("Runtime.ImportModuleError"));
    expect(new Set(streams.map(({ stream }) => stream)).size).toBe(1);
  });

  it("is logged line by line, in order, wherever it writes", async () => {
    const spec = await bench.spec({
      "index.js": `const fs = require("node:fs");
        exports.handler = async () => { fs.writeSync(1, "one\\ntwo\\n"); fs.writeSync(2, "three"); return 1; };`,
    });
    const answer = await bench.invoke(spec);
    const lines = bench.lines
      .filter((line) => line.group === "/aws/lambda/hello")
      .map((line) => line.message);
    const start = lines.indexOf(`START RequestId: ${answer.requestId} Version: $LATEST\n`);
    expect(lines.slice(start + 1, start + 4).toSorted()).toEqual(["one\n", "three\n", "two\n"]);
    expect(lines[start + 4]).toBe(`END RequestId: ${answer.requestId}\n`);
  });

  it("that takes more memory than it has is killed", async () => {
    const spec = await bench.spec(
      {
        "index.js": `exports.handler = () => { const kept = []; return new Promise(() => setInterval(() => kept.push(Buffer.alloc(20e6, 1)), 10)); };`,
      },
      { memoryMb: 128, timeoutMs: 20_000 },
    );
    const answer = await bench.invoke(spec);
    expect(answer.payload).toMatchObject({ errorType: "Runtime.ExitError" });
    expect(answer.tail).toContain("Error Type: Runtime.OutOfMemory");
  });

  it("sees none of the host's environment variables, and AWS's own", async () => {
    process.env["THAW_TEST_SECRET"] = "host";
    const spec = await bench.spec(
      { "index.js": "exports.handler = async () => process.env;" },
      { environment: { MINE: "1" } },
    );
    const { payload } = await bench.invoke(spec);
    expect(payload).toMatchObject({
      MINE: "1",
      AWS_REGION: "us-east-1",
      AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
      AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
      AWS_ENDPOINT_URL: "http://127.0.0.1:4566",
      TZ: ":UTC",
      _HANDLER: "index.handler",
    });
    expect(payload).not.toHaveProperty("THAW_TEST_SECRET");
    delete process.env["THAW_TEST_SECRET"];
  });
});

describe("many at once", () => {
  it("start in parallel and each gets its own answer", async () => {
    const spec = await bench.spec({
      "index.js":
        "exports.handler = async (e) => { await new Promise((r) => setTimeout(r, 200)); return { ...e, pid: process.pid }; };",
    });
    const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => bench.invoke(spec, { n })));
    expect(answers.map((answer) => (answer.payload as { n: number }).n)).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(answers.map((answer) => (answer.payload as { pid: number }).pid)).size).toBe(5);
  });

  it("are throttled over the limit", async () => {
    const small = await openBench({ concurrencyLimit: 1 });
    const spec = await small.spec({
      "index.js": "exports.handler = () => new Promise((r) => setTimeout(r, 300));",
    });
    const results = await Promise.allSettled([small.invoke(spec), small.invoke(spec)]);
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected"]);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({
      code: "TooManyRequestsException",
      message: "Rate Exceeded.",
      status: 429,
      members: { Reason: "ConcurrentInvocationLimitExceeded" },
    });
    await small.close();
  });
});

describe("a host that cannot start a process", () => {
  it("answers the platform's own error, and counts nothing as running", async () => {
    const backend = new FakeBackend();
    backend.start = () => {
      throw new Error("spawn EAGAIN");
    };
    const poor = await openBench({ backend });
    const spec = await poor.spec({ "index.js": "exports.handler = async () => 1;" });
    await expect(poor.invoke(spec)).rejects.toMatchObject({ code: "ServiceException", status: 500 });
    expect(poor.engine.status()).toEqual({ environments: 0, busy: 0, running: 0 });
    await poor.close();
  });
});

describe("an engine that ends", () => {
  it("tells so to an invocation whose environment is not even there yet, whatever that waits for", async () => {
    const backend = new FakeBackend();
    let fail: ((error: Error) => void) | undefined;
    backend.ready = () => new Promise((_, reject) => (fail = reject));
    const ending = await openBench({ backend });
    const spec = await ending.spec({ "index.js": "exports.handler = async () => 1;" });
    // All else that an environment needs is there.
    await Promise.all([ending.engine.checkRuntime(spec), ending.engine.prepare(spec.code)]);
    const answer = ending.invoke(spec);
    const refused = expect(answer).rejects.toMatchObject({
      code: "ServiceException",
      status: 500,
      message: "The platform is shutting down.",
    });
    await until(() => expect(fail).toBeDefined());
    const ended = ending.engine.close(0);
    fail?.(new Error("the sandboxes are closed"));
    await refused;
    await ended;
    await ending.close();
  });
});

describe("retire", () => {
  it("ends idle environments and leaves nothing of them", async () => {
    const own = await openBench();
    const spec = await own.spec({ "index.js": "exports.handler = async () => process.pid;" });
    await own.invoke(spec);
    expect(own.engine.status().environments).toBe(1);
    own.engine.retire(spec.id);
    expect(own.engine.status().environments).toBe(0);
    await own.engine.close(0);
    expect(await readdir(join(own.folder, "environments"))).toEqual([]);
    await own.close();
  });
});
