// How Python functions are called and answer: AWS Lambda Developer Guide, "Define Lambda function handler in Python", and
// bootstrap.py, lambda_context.py and lambda_runtime_marshaller.py of the aws-lambda-python-runtime-interface-client.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Guest, withGuest } from "./guest.ts";
import type { Package } from "./guest.ts";
import { pythons } from "./interpreters.ts";

const CASES = `
import os, sys, collections, decimal, datetime, subprocess
Point = collections.namedtuple("Point", "x y")
class Row:
    def __init__(self, **fields): self.fields = fields
    def _asdict(self): return self.fields
class Made:
    def __init__(self, make): self.make = make
    def _asdict(self): return self.make()
class Nested(tuple):
    def _asdict(self): return {"next": Nested()}

def echo(event, context): return event["value"]
def nothing(event, context): pass
def number(event, context): return {"d": decimal.Decimal("1.50"), "text": "decimal:x"}
def raw(event, context): return b'{"raw": true}'
def text(event, context): return {"b": b"bytes"}
def moment(event, context): return datetime.datetime(2020, 1, 1)
def circular(event, context):
    o = {}
    o["self"] = o
    return o
def size(event, context): return {"received": len(event["text"]), "answer": "x" * event["bytes"]}
def named(event, context): return {"list": [Point(1, (2, Point(3, None)))], "row": Row(id=1, at=Point(4, 5)), "plain": (6, 7)}
def circular_named(event, context):
    o = []
    o.append(Point(o, 1))
    return o
def circular_dict(event, context):
    o = {}
    o["list"] = [o]
    return [Made(lambda: o)]
def circular_row(event, context):
    o = Row(id=1)
    o.fields["at"] = Point(o, 2)
    return o
def endless_row(event, context): return Made(lambda: {"next": endless_row(event, context)})
def endless_named(event, context): return Nested()
def no_dict(event, context):
    o = []
    o.append(o)
    return Made(lambda: o)
def raising(event, context): return Made(lambda: inner())
def twice(event, context):
    row = Row(at=Point(1, 2))
    return [row, {"row": row, "points": [row.fields["at"]] * 2}]
def patched(event, context):
    import json
    json.JSONEncoder.default = lambda encoder, value: list(value)
    return {1, 2}
def fields(event, context):
    c, i = context.client_context, context.identity
    return {
        "names": {n: getattr(context, n) for n in ("aws_request_id", "log_group_name", "log_stream_name", "function_name",
            "memory_limit_in_mb", "function_version", "invoked_function_arn", "tenant_id")},
        "client": c and {"custom": c.custom, "env": c.env, "installation_id": c.client.installation_id, "app_title": c.client.app_title},
        "identity": [i.cognito_identity_id, i.cognito_identity_pool_id],
        "remaining": context.get_remaining_time_in_millis(),
        "shown": repr(context),
    }
def environment(event, context): return dict(os.environ)
def trace(event, context): return os.environ.get("_X_AMZN_TRACE_ID")
def cwd(event, context): return [os.getcwd(), sys.path[0]]
def own(event, context): return [p for p in sys.path if "guest/python" in p]
def descriptors(event, context): return subprocess.run(["ls", "/proc/self/fd"], stdout=subprocess.PIPE, close_fds=False).stdout.decode().split()
def fail(event, context): inner()
def misnamed(event, context): raise ValueError("no " + os.fsdecode(b"\\xff"))
def inner(): raise ValueError("out of range")
def chained(event, context):
    try: inner()
    except ValueError as e: raise KeyError("k") from e
def handler(event, context): return globals()[event["case"]](event, context)
`;

/** Interpreters say more or less of what went too deep. */
const TOO_DEEP = expect.stringMatching(
  /^Unable to marshal response: maximum recursion depth exceeded/,
) as string;

describe.each(pythons())("$name", (python) => {
  if (python.path === undefined) {
    it.skip("is not on this host");
    return;
  }
  const escapes = python.minor < 12;

  describe("a handler", () => {
    let guest: Guest;
    beforeAll(async () => {
      guest = await Guest.open(python, {
        files: { "index.py": CASES },
        environment: { GREETING: "hi" },
        hostEnvironment: { THAW_SECRET: "of the host" },
      });
    });
    afterAll(async () => {
      expect(await guest.close()).toBe(0);
    });

    it("introduces itself", () => {
      expect(guest.hello).toEqual({ pid: expect.any(Number) as number, version: python.name.split(" ")[1] });
      expect(guest.initError).toBeUndefined();
      expect(guest.initLogs).toEqual([]);
    });

    it.each([
      [
        "a value",
        { case: "echo", value: { a: [1, "é", null] } },
        escapes ? '{"a": [1, "\\u00e9", null]}' : '{"a": [1, "é", null]}',
      ],
      ["None", { case: "nothing" }, "null"],
      ["a Decimal as a number", { case: "number" }, '{"d": 1.50, "text": "decimal:x"}'],
      ["bytes as they are", { case: "raw" }, '{"raw": true}'],
      ["bytes within as text", { case: "text" }, '{"b": "bytes"}'],
      [
        "named tuples, and what else tells its fields, as objects",
        { case: "named" },
        '{"list": [{"x": 1, "y": [2, {"x": 3, "y": null}]}], "row": {"id": 1, "at": {"x": 4, "y": 5}}, "plain": [6, 7]}',
      ],
      [
        "what stands in it twice",
        { case: "twice" },
        '[{"at": {"x": 1, "y": 2}}, {"row": {"at": {"x": 1, "y": 2}}, "points": [{"x": 1, "y": 2}, {"x": 1, "y": 2}]}]',
      ],
    ])("answers %s", async (_what, event, text) => {
      expect(await guest.invoke(event)).toMatchObject({ kind: "response", text });
    });

    it.each([
      ["moment", "Unable to marshal response: Object of type datetime is not JSON serializable"],
      ["circular", "Unable to marshal response: Circular reference detected"],
      ["circular_named", "Unable to marshal response: Circular reference detected"],
      ["circular_dict", "Unable to marshal response: Circular reference detected"],
      ["circular_row", "Unable to marshal response: Circular reference detected"],
      ["endless_row", TOO_DEEP],
      ["endless_named", TOO_DEEP],
      // simplejson's own words.
      ["no_dict", "Unable to marshal response: _asdict() must return a dict, not list"],
      ["raising", "Unable to marshal response: out of range"],
    ])("fails on a response without JSON: %s", async (name, errorMessage) => {
      const outcome = await guest.invoke({ case: name });
      expect(outcome).toMatchObject({ kind: "error", header: { exit: false } });
      expect(outcome.value).toEqual({
        errorType: "Runtime.MarshalError",
        errorMessage,
        requestId: outcome.header["requestId"],
        stackTrace: [],
      });
    });

    it("tells an exception: the frames of the function alone, in its log with no-break spaces", async () => {
      const { kind, value, logs, header } = await guest.invoke({ case: "fail" });
      expect(kind).toBe("error");
      const file = `  File "${guest.taskRoot}/index.py", line `;
      const at = (line: string) => CASES.split("\n").findIndex((text) => text.startsWith(line)) + 1;
      const stackTrace = [
        `${file}${at("def handler")}, in handler\n    def handler(event, context): return globals()[event["case"]](event, context)\n`,
        `${file}${at("def fail")}, in fail\n    def fail(event, context): inner()\n`,
        `${file}${at("def inner")}, in inner\n    def inner(): raise ValueError("out of range")\n`,
      ];
      expect(value).toEqual({
        errorMessage: "out of range",
        errorType: "ValueError",
        requestId: header["requestId"],
        stackTrace,
      });
      expect(logs).toEqual([
        [
          "[ERROR] ValueError: out of range",
          "Traceback (most recent call last):",
          ...stackTrace.flatMap((element) =>
            element
              .trimEnd()
              .split("\n")
              .map((line) => line.replace(/^ +/, (blanks) => "\u00a0".repeat(blanks.length))),
          ),
        ].join("\n"),
      ]);
    });

    it("tells an exception whose message has a file's name that is no UTF-8", async () => {
      expect((await guest.invoke({ case: "misnamed" })).value).toMatchObject({
        errorType: "ValueError",
        errorMessage: "no \udcff",
      });
    });

    it("tells the last exception of a chain", async () => {
      expect((await guest.invoke({ case: "chained" })).value).toMatchObject({
        errorType: "KeyError",
        errorMessage: "'k'",
      });
    });

    it.each([64 * 1024 - 200, 70_000, 6 * 1024 * 1024])("moves %d bytes both ways", async (bytes) => {
      const { value } = await guest.invoke({ case: "size", text: "x".repeat(bytes), bytes });
      const { received, answer } = value as { received: number; answer: string };
      expect([received, answer.length]).toEqual([bytes, bytes]);
    });

    it("takes no part in what a function makes of the json module's encoder", async () => {
      expect(await guest.invoke({ case: "patched" })).toMatchObject({
        kind: "error",
        value: {
          errorType: "Runtime.MarshalError",
          errorMessage: "Unable to marshal response: Object of type set is not JSON serializable",
        },
      });
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
      expect((await guest.invokeText("{")).value).toMatchObject({
        errorType: "Runtime.UnmarshalError",
        errorMessage: expect.stringMatching(/^Unable to unmarshal input: Expecting property name/) as string,
        stackTrace: [],
      });
    });

    it("fills the context in", async () => {
      const { value } = await guest.invoke(
        { case: "fields" },
        {
          clientContext: JSON.stringify({
            client: { installation_id: "i", app_title: "t" },
            custom: { k: "v" },
            env: { locale: "en" },
          }),
          identity: JSON.stringify({ cognitoIdentityId: "id", cognitoIdentityPoolId: "pool" }),
          deadlineMs: Date.now() + 3_600_000,
          tenantId: "blue",
        },
      );
      expect(value).toMatchObject({
        names: {
          aws_request_id: expect.stringMatching(/^request-/) as string,
          function_name: "fn",
          function_version: "$LATEST",
          invoked_function_arn: "arn:aws:lambda:us-east-1:000000000000:function:fn",
          memory_limit_in_mb: "128",
          log_group_name: "/aws/lambda/fn",
          log_stream_name: "2026/01/01/[$LATEST]0",
          tenant_id: "blue",
        },
        client: { custom: { k: "v" }, env: { locale: "en" }, installation_id: "i", app_title: "t" },
        identity: ["id", "pool"],
        shown: expect.stringMatching(
          /^LambdaContext\(\[aws_request_id=request-\d+,.*identity=CognitoIdentity\(\[/,
        ) as string,
      });
      const { remaining } = value as { remaining: number };
      expect(remaining).toBeGreaterThan(0);
      expect(remaining).toBeLessThanOrEqual(3_600_000);
      const bare = (await guest.invoke({ case: "fields" }, { deadlineMs: 0 })).value;
      expect(bare).toMatchObject({ client: null, identity: [null, null], remaining: 0 });
    });

    it("fails where the client context is no JSON", async () => {
      expect((await guest.invoke({ case: "fields" }, { clientContext: "{" })).value).toMatchObject({
        errorType: "Runtime.LambdaContextUnmarshalError",
        errorMessage: expect.stringMatching(/^Unable to parse Client Context JSON: /) as string,
      });
    });

    it("sees the function's environment alone, and the trace of the running event", async () => {
      expect((await guest.invoke({ case: "environment" })).value).toEqual({
        PATH: process.env["PATH"],
        GREETING: "hi",
      });
      expect((await guest.invoke({ case: "trace" }, { traceId: "Root=1-a" })).value).toBe("Root=1-a");
      expect((await guest.invoke({ case: "trace" })).value).toBeNull();
      expect((await guest.invoke({ case: "cwd" })).value).toEqual([guest.taskRoot, guest.taskRoot]);
      expect((await guest.invoke({ case: "own" })).value).toEqual([]);
    });

    it("keeps its channel from the processes that a function starts", async () => {
      const listed = (await guest.invoke({ case: "descriptors" })).value as string[];
      expect(listed).toContain("2");
      expect(listed).not.toContain("4");
      expect(listed).not.toContain("9");
    });
  });

  it.each<[string, Package]>([
    ["a folder", { files: { "src/app.py": "def go(e, c): return 'yes'" }, handler: "src/app.go" }],
    ["a dotted module", { files: { "src/app.py": "def go(e, c): return 'yes'" }, handler: "src.app.go" }],
    ["a package", { files: { "app/__init__.py": "def go(e, c): return 'yes'" }, handler: "app.go" }],
    [
      "a callable object",
      { files: { "index.py": "class H:\n  def __call__(self, e, c): return 'yes'\nhandler = H()" } },
    ],
  ])("loads %s", async (_what, content) => {
    await withGuest(python, content, async (guest) => {
      expect(guest.initError).toBeUndefined();
      expect((await guest.invoke({})).value).toBe("yes");
    });
  });
});
