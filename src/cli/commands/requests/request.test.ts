import { describe, expect, it } from "vitest";
import { requestIdIn, requestsIn } from "./request.ts";

const [ONE, TWO] = ["66ffbfb0-ab81-4cb6-bb08-cc5eb1c96be2", "77ffbfb0-ab81-4cb6-bb08-cc5eb1c96be2"] as const;

const events = (...messages: readonly string[]) => messages.map((message, time) => ({ time, message }));
const start = (id: string) => `START RequestId: ${id} Version: $LATEST\n`;
const end = (id: string, more = "") =>
  `REPORT RequestId: ${id}\tDuration: 1.06 ms\tBilled Duration: 89 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\t${more}\n`;

/** The failure of a request with these lines. */
const failure = (...messages: readonly string[]) =>
  requestsIn(events(start(ONE), ...messages, end(ONE))).at(0)?.failure;

describe("the requests of a log stream", () => {
  it("have their lines, their reports and the init before them", () => {
    const found = requestsIn(
      events(
        "INIT_START Runtime Version: nodejs:22\n",
        "2026-01-01T00:00:00.000Z\tundefined\tINFO\tloading\n",
        start(ONE),
        `2026-01-01T00:00:00.000Z\t${ONE}\tINFO\thello\n`,
        `END RequestId: ${ONE}\n`,
        end(ONE, "Init Duration: 87.50 ms\t\nXRAY TraceId: 1-2-3\tSegmentId: 4\tSampled: true\t"),
        start(TWO),
        end(TWO, "Status: timeout\t"),
      ),
    );
    expect(found).toHaveLength(2);
    expect(found[0]).toMatchObject({ requestId: ONE, version: "$LATEST", startedAt: 2, failure: undefined });
    expect(found[0]?.lines.map(({ time }) => time)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(found[0]?.report).toMatchObject({
      durationMs: 1.06,
      billedMs: 89,
      memoryMb: 128,
      usedMb: 64,
      initMs: 87.5,
      traceId: "1-2-3",
      status: undefined,
    });
    expect(found[1]).toMatchObject({ requestId: TWO, failure: { type: "Sandbox.Timedout" } });
  });

  it("are read from JSON logs as well", () => {
    const record = (type: string, content: object) =>
      `${JSON.stringify({ time: "2026-01-01T00:00:00.000Z", type, record: content })}\n`;
    const [found] = requestsIn(
      events(
        record("platform.start", { requestId: ONE, version: "7" }),
        record("platform.report", {
          requestId: ONE,
          metrics: { durationMs: 2.5, billedDurationMs: 3, memorySizeMB: 256, maxMemoryUsedMB: 40 },
          status: "error",
          errorType: "Runtime.ExitError",
          tracing: { value: "Root=1-2-3;Parent=4;Sampled=1" },
        }),
      ),
    );
    expect(found).toMatchObject({
      version: "7",
      report: { durationMs: 2.5, billedMs: 3, memoryMb: 256, usedMb: 40, status: "error", traceId: "1-2-3" },
      failure: { type: "Runtime.ExitError", message: "", stack: [] },
    });
  });

  it("are none of what holds no start", () => {
    expect(requestsIn([])).toEqual([]);
    expect(requestsIn(events("hello", end(ONE), "{", '{"type":"platform.start"}', "START\n"))).toEqual([]);
  });
});

describe("what went wrong", () => {
  it("is what Node.js's runtime logs", () => {
    const json =
      '{"errorType":"TypeError","errorMessage":"no such order","stack":["TypeError: no such order","    at x (/var/task/a.js:1:2)"]}';
    for (const title of ["Invoke Error", "Uncaught Exception", "Unhandled Promise Rejection"])
      expect(failure(`2026-01-01T00:00:00.000Z\t${ONE}\tERROR\t${title} \t${json}\n`)).toEqual({
        type: "TypeError",
        message: "no such order",
        stack: ["TypeError: no such order", "    at x (/var/task/a.js:1:2)"],
      });
    const line = { timestamp: "x", level: "ERROR", requestId: ONE, message: JSON.parse(json) as object };
    expect(failure(JSON.stringify(line))).toMatchObject({ type: "TypeError" });
  });

  it("is what Python's, Ruby's and Java's log", () => {
    expect(
      failure(
        "[ERROR] KeyError: 'a'\nTraceback (most recent call last):\n\u00a0\u00a0File \"/var/task/a.py\", line 2, in handler\n",
      ),
    ).toEqual({ type: "KeyError", message: "'a'", stack: ['  File "/var/task/a.py", line 2, in handler'] });
    expect(
      failure(
        "Error raised from handler method\n",
        '{\n"errorType": "RuntimeError", "errorMessage": "no", "stackTrace": ["a.rb:1"]}\n',
      ),
    ).toEqual({ type: "RuntimeError", message: "no", stack: ["a.rb:1"] });
    expect(failure("java.lang.IllegalStateException: no\n\tat a.B.c(B.java:3)\n")).toEqual({
      type: "java.lang.IllegalStateException",
      message: "no",
      stack: ["\tat a.B.c(B.java:3)"],
    });
  });

  it("is what the platform tells", () => {
    expect(failure(`2026-01-01T00:00:00.000Z ${ONE} Task timed out after 3.00 seconds\n\n`)).toEqual({
      type: "Sandbox.Timedout",
      message: "Task timed out after 3.00 seconds",
      stack: [],
    });
    expect(
      failure(`RequestId: ${ONE} Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n`),
    ).toEqual({ type: "Runtime.ExitError", message: "Runtime exited with error: exit status 1", stack: [] });
  });

  it("is nothing where a function logs errors that it deals with", () => {
    expect(failure(`2026-01-01T00:00:00.000Z\t${ONE}\tERROR\tTypeError: retrying\n`)).toBeUndefined();
    expect(failure("[ERROR]\t2026-01-01T00:00:00.000Z\tx\tretrying\n", '{"errorType":"X"}')).toBeUndefined();
  });
});

it.each([
  [`END RequestId: ${ONE}`, ONE],
  [`2026-01-01T00:00:00.000Z\t${ONE}\tINFO\t${TWO}`, ONE],
  [`2026-01-01T00:00:00.000Z ${ONE} Task timed out`, ONE],
  [`{"level":"ERROR","requestId":"${ONE}"}`, ONE],
  [`[ERROR] KeyError: '${TWO}'`, undefined],
])("the request of %j is %s", (message, id) => {
  expect(requestIdIn(message)).toBe(id);
});
