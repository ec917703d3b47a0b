// What goes wrong in Python functions, in AWS's words (bootstrap.py of the aws-lambda-python-runtime-interface-client).
import { describe, expect, it } from "vitest";
import { withGuest } from "./guest.ts";
import type { ErrorDocument, Package } from "./guest.ts";
import { pythons } from "./interpreters.ts";

interface InitFailure extends Package {
  readonly type: string;
  readonly message: string | RegExp;
  readonly trace?: RegExp;
}

const INIT_FAILURES: Record<string, InitFailure> = {
  "a handler name without a dot": {
    files: {},
    handler: "index",
    type: "Runtime.MalformedHandlerName",
    message: "Bad handler 'index': not enough values to unpack (expected 2, got 1)",
  },
  "a handler in a built-in module": {
    files: {},
    handler: "sys.exit",
    type: "Runtime.BuiltInModuleConflict",
    message: "Cannot use built-in module sys as a handler module",
  },
  "a handler's file that is not there": {
    files: {},
    type: "Runtime.ImportModuleError",
    message: "Unable to import module 'index': No module named 'index'",
  },
  "a package that is not there": {
    files: { "index.py": "import left_pad\ndef handler(e, c): pass" },
    type: "Runtime.ImportModuleError",
    message: "Unable to import module 'index': No module named 'left_pad'",
  },
  "a syntax error": {
    files: { "index.py": "def handler(e, c):\n  return 1 +\n" },
    type: "Runtime.UserCodeSyntaxError",
    message: "Syntax error in module 'index': invalid syntax (index.py, line 2)",
    trace: /^ {2}File ".*\/index\.py" Line 2\n {6}return 1 \+\n$/,
  },
  "a handler that is not there": {
    files: { "index.py": "def other(e, c): pass" },
    type: "Runtime.HandlerNotFound",
    message: "Handler 'handler' missing on module 'index'",
  },
  "a module that raises": {
    files: { "index.py": "raise ValueError('no luck')" },
    type: "ValueError",
    message: "no luck",
    trace: / {2}File ".*\/index\.py", line 1, in <module>\n {4}raise ValueError\('no luck'\)\n$/,
  },
};

/** Leaves itself no descriptor for an import. */
const EXHAUSTED = `
import os, resource
kept = []
def exhaust():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    while True: kept.append(os.open("/dev/null", os.O_RDONLY))
def handler(event, context): exhaust()
`;

const CRASHES = `
import os, sys
def handler(event, context):
    print("before")
    sys.stdout.write("without newline")
    if event["case"] == "exit": sys.exit(event["status"])
    if event["case"] == "quit": exit(event["status"])
    if event["case"] == "interrupt": raise KeyboardInterrupt()
    if event["case"] == "kill": os.kill(os.getpid(), 9)
`;

describe.each(pythons())("$name", (python) => {
  if (python.path === undefined) {
    it.skip("is not on this host");
    return;
  }

  it.each(Object.entries(INIT_FAILURES))("names %s", async (_what, { type, message, trace, ...content }) => {
    await withGuest(python, content, async (guest) => {
      const { errorType, errorMessage, requestId, stackTrace } = guest.initError as ErrorDocument;
      expect({ errorType, errorMessage, requestId }).toEqual({
        errorType: type,
        errorMessage: message,
        requestId: "",
      });
      if (trace === undefined) expect(stackTrace).toEqual([]);
      else expect(stackTrace?.at(-1)).toMatch(trace);
      expect(JSON.stringify([guest.initError, guest.initLogs])).not.toContain("guest/python");
      const [warning, logged] = guest.initLogs;
      expect(warning).toMatch(
        /^\[WARNING\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t\tLAMBDA_WARNING: Unhandled exception\. The most likely cause/,
      );
      expect(logged?.split("\n").slice(0, 2)).toEqual([
        `[ERROR] ${errorType}: ${errorMessage}`,
        "Traceback (most recent call last):",
      ]);
      expect(await guest.exited()).toBe(1);
    });
  });

  it.each([
    ["exit", 0],
    ["exit", 7],
    ["quit", 3],
    ["interrupt", "SIGINT"],
  ])("has sent every line when the function ends the process: %s %s", async (name, status) => {
    await withGuest(python, { files: { "index.py": CRASHES } }, async (guest) => {
      const outcome = await guest.invoke({ case: name, status });
      expect(outcome.kind).toBe("exit");
      expect(outcome.logs.slice(0, 2)).toEqual(["before", "without newline"]);
      expect(await guest.exited()).toBe(status);
    });
  });

  it("has sent whole lines when the function is killed", async () => {
    await withGuest(python, { files: { "index.py": CRASHES } }, async (guest) => {
      expect(await guest.invoke({ case: "kill" })).toMatchObject({ kind: "exit", logs: ["before"] });
      expect(await guest.exited()).toBe("SIGKILL");
    });
  });

  it("ends without an init-error when the module exits while loading", async () => {
    const code = 'import sys\nprint("so long", end="")\nsys.exit(3)\n';
    await withGuest(python, { files: { "index.py": code } }, async (guest) => {
      expect(guest.initError).toBeNull();
      expect(guest.initLogs).toEqual(["so long"]);
      expect(await guest.exited()).toBe(3);
    });
  });

  it("tells how a function failed that has no descriptor left", async () => {
    const failure = {
      errorType: "OSError",
      errorMessage: "[Errno 24] Too many open files: '/dev/null'",
      stackTrace: expect.arrayContaining([
        expect.stringMatching(/^ {2}File ".*\/index\.py", line 6, in exhaust\n/),
      ]) as unknown,
    };
    await withGuest(python, { files: { "index.py": EXHAUSTED } }, async (guest) => {
      for (let time = 0; time < 2; time++)
        // oxlint-disable-next-line no-await-in-loop
        expect((await guest.invoke({})).value).toMatchObject(failure);
    });
    await withGuest(python, { files: { "index.py": `${EXHAUSTED}exhaust()` } }, async (guest) => {
      expect(guest.initError).toMatchObject(failure);
      expect(guest.initLogs.at(-1)).toMatch(/^\[ERROR\] OSError: /);
    });
  });

  it("shows no file of the runtime to the caller of a handler that takes no context", async () => {
    await withGuest(python, { files: { "index.py": "def handler(event): pass" } }, async (guest) => {
      const { value, text } = await guest.invoke({});
      expect(value).toMatchObject({
        errorType: "TypeError",
        errorMessage: "handler() takes 1 positional argument but 2 were given",
      });
      expect(text).not.toContain("_lambda");
    });
  });
});
