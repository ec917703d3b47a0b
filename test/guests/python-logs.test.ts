// print and logging as Lambda sets them up: AWS Lambda Developer Guide, "Log and monitor Python Lambda functions".
import { describe, expect, it } from "vitest";
import { withGuest } from "./guest.ts";
import { pythons } from "./interpreters.ts";

const CODE = `
import logging, multiprocessing, os, sys, threading
log = logging.getLogger("mine")
print("loading")

def child():
    print("from the child")

def say(n):
    for i in range(200): print("thread %d %d" % (n, i))

def handler(event, context):
    if "lines" in event:
        for i in range(event["lines"]): print("line", i)
    if "levels" in event:
        for level in ("debug", "info", "warning", "error", "critical"): getattr(log, level)(level)
    if "shapes" in event:
        print("first\\nsecond")
        print("no newline", end="")
        log.warning("two %s", "words", extra={"order": 7})
        log.warning("first\\nsecond")
        try: {}["k"]
        except KeyError: log.exception("failed")
        sys.stdout.reconfigure(line_buffering=True)
        sys.stderr.write("to stderr\\n")
    if "streams" in event:
        os.write(1, b"raw\\n")
        sys.stdout.buffer.write(b"buffer\\n")
    if "start" in event:
        process = multiprocessing.get_context(event["start"]).Process(target=child)
        process.start()
        process.join()
    if "threads" in event:
        threads = [threading.Thread(target=say, args=(n,)) for n in range(4)]
        for t in threads: t.start()
        for t in threads: t.join()
    if "fail" in event: raise ValueError("out of range")
    return "done"
`;

const files = { "index.py": CODE };
const JSON_LOGS = { logFormat: "JSON" };

function records(lines: readonly string[]): Record<string, unknown>[] {
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe.each(pythons())("$name", (python) => {
  if (python.path === undefined) {
    it.skip("is not on this host");
    return;
  }

  it("prints line by line in order, and answers after them", async () => {
    await withGuest(python, { files }, async (guest) => {
      expect(guest.initLogs).toEqual(["loading"]);
      const { value, logs } = await guest.invoke({ lines: 10_000 });
      expect(value).toBe("done");
      expect(logs).toHaveLength(10_000);
      expect(logs.findIndex((line, index) => line !== `line ${index}`)).toBe(-1);

      const stamp = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z";
      const shapes = (await guest.invoke({ shapes: 1 })).logs;
      expect(shapes.slice(0, 2)).toEqual(["first", "second"]);
      expect(shapes[2]).toMatch(new RegExp(`^\\[WARNING\\]\\t${stamp}\\trequest-2\\ttwo words$`));
      expect(shapes[3]).toMatch(new RegExp(`^\\[WARNING\\]\\t${stamp}\\trequest-2\\tfirst\\nsecond$`));
      expect(shapes[4]).toMatch(
        new RegExp(
          `^\\[ERROR\\]\\t${stamp}\\trequest-2\\tfailed\\nTraceback \\(most recent call last\\):\\n`,
        ),
      );
      expect(shapes.slice(5)).toEqual(["to stderr", "no newline"]);

      expect((await guest.invoke({ levels: 1 })).logs.map((line) => line.split("\t")[0])).toEqual([
        "[WARNING]",
        "[ERROR]",
        "[CRITICAL]",
      ]);
    });
  });

  it("keeps threads and forked children from tearing the channel", async () => {
    await withGuest(python, { files }, async (guest) => {
      const { logs } = await guest.invoke({ threads: 1 });
      // Threads mix within a line, as print writes the newline by itself; nothing of it may be lost.
      expect(logs.join("").replaceAll(/[^t]/g, "")).toHaveLength(800);
      expect(await guest.invoke({ start: "fork", streams: 1 })).toMatchObject({ kind: "response", logs: [] });
      expect(await guest.invoke({ start: "spawn" })).toMatchObject({ kind: "response", logs: [] });
      await guest.exited();
      // The spawned one is a fresh interpreter that loads the function's module anew.
      expect(guest.stdout).toBe("raw\nbuffer\nfrom the child\nloading\nfrom the child\n");
      expect(guest.stderr).toBe("");
    });
  });

  it.each([
    [undefined, ["WARNING", "ERROR", "CRITICAL"]],
    ["TRACE", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]],
    ["ERROR", ["ERROR", "CRITICAL"]],
    ["FATAL", ["CRITICAL"]],
  ])("shows what reaches the application log level %s", async (level, expected) => {
    const init = { ...JSON_LOGS, ...(level === undefined ? {} : { applicationLogLevel: level }) };
    await withGuest(python, { files, init }, async (guest) => {
      expect(records((await guest.invoke({ levels: 1 })).logs).map((record) => record["level"])).toEqual(
        expected,
      );
    });
  });

  it("writes JSON records, and failures as one", async () => {
    await withGuest(python, { files, init: JSON_LOGS }, async (guest) => {
      const { logs } = await guest.invoke({ shapes: 1 }, { tenantId: "blue" });
      const [two, lines, failed] = records(logs.slice(2, 5));
      const common = {
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
        level: "WARNING",
        logger: "mine",
        requestId: "request-1",
        tenantId: "blue",
      };
      expect(two).toEqual({ ...common, message: "two words", order: 7 });
      expect(lines).toEqual({ ...common, message: "first\nsecond" });
      expect(failed).toEqual({
        ...common,
        level: "ERROR",
        message: "failed",
        errorType: "KeyError",
        errorMessage: "'k'",
        stackTrace: [expect.stringMatching(/index\.py", line \d+, in handler\n/) as string],
        location: expect.stringMatching(/\/index\.py:handler:\d+$/) as string,
      });

      const { value, logs: last } = await guest.invoke({ fail: 1 });
      expect(records(last)).toEqual([
        {
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
          level: "ERROR",
          ...(value as object),
        },
      ]);
    });
  });
});
