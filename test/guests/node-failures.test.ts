// What goes wrong in Node.js functions, in AWS's words (UserFunction.js, Errors.js and index.mjs of the
// aws-lambda-nodejs-runtime-interface-client).
import { describe, expect, it } from "vitest";
import { withGuest } from "./guest.ts";
import type { ErrorDocument, Package } from "./guest.ts";
import { nodes } from "./interpreters.ts";

interface InitFailure extends Package {
  readonly type: string | RegExp;
  readonly message: string | RegExp;
  readonly status?: number;
}

const INIT_FAILURES: Record<string, InitFailure> = {
  "a handler name without a dot": {
    files: {},
    handler: "index",
    type: "Runtime.MalformedHandlerName",
    message: "Bad handler",
  },
  "a handler name with two dots": {
    files: {},
    handler: "../index.handler",
    type: "Runtime.MalformedHandlerName",
    message:
      "'../index.handler' is not a valid handler name. Use absolute paths when specifying root directories in handler names.",
  },
  "a handler's file that is not there": {
    files: {},
    type: "Runtime.ImportModuleError",
    message: "Error: Cannot find module 'index'\nRequire stack:\n- /var/runtime/index.mjs",
  },
  "a package that is not there": {
    files: { "index.js": 'require("left-pad"); exports.handler = async () => 1;' },
    type: "Runtime.ImportModuleError",
    // From Node.js 24 on the function is imported, and Node.js counts only modules that required.
    message:
      /^Error: Cannot find module 'left-pad'\nRequire stack:\n- [^\n]*\/index\.js(\n- \/var\/runtime\/index\.mjs)?$/,
  },
  "a package that an ES module imports and that is not there": {
    files: { "index.mjs": 'import "left-pad"; export const handler = async () => 1;' },
    type: "Error",
    message: /^Cannot find package 'left-pad' imported from .*\/index\.mjs$/,
  },
  "a syntax error": {
    files: { "index.js": "exports.handler = async () => {\n  return 1 +;\n};" },
    type: "Runtime.UserCodeSyntaxError",
    message: "SyntaxError: Unexpected token ';'",
  },
  "a syntax error in an ES module": {
    files: { "index.mjs": "export const handler = async () => {\n  return 1 +;\n};" },
    type: "Runtime.UserCodeSyntaxError",
    message: "SyntaxError: Unexpected token ';'",
  },
  "a handler that is not exported": {
    files: { "index.js": "exports.other = async () => 1;" },
    type: "Runtime.HandlerNotFound",
    message: "index.handler is undefined or not exported",
  },
  "a handler that is not a function": {
    files: { "index.js": "exports.handler = 42;" },
    type: "Runtime.HandlerNotFound",
    message: "index.handler is not a function",
  },
  "a module that throws": {
    files: { "index.js": 'throw new RangeError("no luck");' },
    type: "RangeError",
    message: "no luck",
  },
  "a rejection while loading": {
    files: {
      "index.mjs": 'Promise.reject(new Error("forgotten")); await new Promise((r) => setTimeout(r, 500));',
    },
    type: "Runtime.UnhandledPromiseRejection",
    message: "Error: forgotten",
    status: 128,
  },
};

const CRASHES = `
exports.handler = async (event) => {
  console.log("before");
  if (event.case === "rejection") Promise.reject(new TypeError("nobody caught it"));
  if (event.case === "rejected text") Promise.reject("text");
  if (event.case === "exception") setTimeout(() => { throw new RangeError("from a timer"); }, 1);
  if (event.case === "exit") { for (let i = 0; i < 3; i++) console.log("line " + i); process.exit(event.status); }
  if (event.case === "abort") process.kill(process.pid, "SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 2000));
};`;

describe.each(nodes())("$name", (node) => {
  it.each(Object.entries(INIT_FAILURES))("names %s", async (_what, { type, message, status, ...content }) => {
    await withGuest(node, content, async (guest) => {
      const { errorType, errorMessage, trace } = guest.initError as ErrorDocument;
      expect(errorType).toEqual(type);
      if (typeof message === "string") expect(errorMessage).toBe(message);
      else expect(errorMessage).toMatch(message);
      expect(trace?.join("\n")).not.toContain("guest/nodejs");
      expect(guest.initLogs.join("\n")).not.toContain("guest/nodejs");
      expect(guest.initLogs.at(-1)).toMatch(
        new RegExp(
          `\\t(undefined|-)\\tERROR\\t(Uncaught Exception|Unhandled Promise Rejection) \\t\\{"errorType":"${type}"`,
        ),
      );
      expect(await guest.exited()).toBe(status ?? 129);
    });
  });

  it.each([
    ["rejection", "Runtime.UnhandledPromiseRejection", "TypeError: nobody caught it", 128],
    ["rejected text", "Runtime.UnhandledPromiseRejection", "text", 128],
    ["exception", "RangeError", "from a timer", 129],
  ])("tells the caller of an uncaught %s, and ends", async (name, errorType, errorMessage, status) => {
    await withGuest(node, { files: { "index.js": CRASHES } }, async (guest) => {
      const outcome = await guest.invoke({ case: name });
      expect(outcome).toMatchObject({
        kind: "error",
        header: { exit: true },
        value: { errorType, errorMessage },
      });
      expect(outcome.text).not.toContain("guest/nodejs");
      expect(outcome.logs[0]).toMatch(/\tINFO\tbefore$/);
      expect(outcome.logs[1]).toContain(
        status === 129 ? "\tERROR\tUncaught Exception \t" : "\tERROR\tUnhandled Promise Rejection \t",
      );
      expect(await guest.exited()).toBe(status);
    });
  });

  it.each([
    ["exit", 0],
    ["exit", 7],
    ["abort", "SIGKILL"],
  ])("has sent every line when the function ends the process: %s %s", async (name, status) => {
    await withGuest(node, { files: { "index.js": CRASHES } }, async (guest) => {
      const outcome = await guest.invoke({ case: name, status });
      expect(outcome.kind).toBe("exit");
      expect(outcome.logs.map((line) => line.split("\t").at(-1))).toEqual(
        name === "exit" ? ["before", "line 0", "line 1", "line 2"] : ["before"],
      );
      expect(await guest.exited()).toBe(status);
    });
  });

  it("ends as Node.js does when the module waits for what never comes", async () => {
    await withGuest(node, { files: { "index.mjs": "await new Promise(() => {});" } }, async (guest) => {
      expect(guest.initError).toBeNull();
      expect(await guest.exited()).toBe(13);
    });
  });

  it("ends without an init-error when the module exits while loading", async () => {
    const code = 'console.log("so long"); process.exit(3);';
    await withGuest(node, { files: { "index.js": code } }, async (guest) => {
      expect(guest.initError).toBeNull();
      expect(guest.initLogs[0]).toMatch(/\tINFO\tso long$/);
      expect(await guest.exited()).toBe(3);
    });
  });
});
