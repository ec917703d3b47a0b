import { PutFunctionConcurrencyCommand } from "@aws-sdk/client-lambda";
import { BatchGetTracesCommand, GetTraceSummariesCommand, XRayClient } from "@aws-sdk/client-xray";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create, HELLO, invoke, lambdaFor, logged, until, WAITS } from "../lifecycle/support.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { thaw } from "./support.ts";

let platform: TestPlatform;
let fails: { traceId: string; requestId: string };

const client = (...args: string[]) => thaw([...args, "--endpoint", platform.url]);

const FAILS = `exports.handler = async (event) => {
  console.log("looking for", event.order);
  if (event.order === "gone") throw new TypeError("no such order\\u001b[2J");
  return "found";
};`;

const traced = { TracingConfig: { Mode: "Active" } } as const;

beforeAll(async () => {
  platform = await startPlatform();
  const lambda = lambdaFor(platform.url);
  // Of two requests within a second, one of a function's would hardly be traced.
  const sampled = lambdaFor(platform.url);
  sampled.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers["x-amzn-trace-id"] = "Sampled=1";
      return next(args);
    },
    { step: "build" },
  );
  await create(lambda, "orders", FAILS, traced);
  await create(lambda, "fine", HELLO, traced);
  await create(lambda, "slow", WAITS, { Timeout: 1 });
  await create(lambda, "broken", 'throw new TypeError("no init");');
  await create(lambda, "structured", FAILS, { LoggingConfig: { LogFormat: "JSON" } });
  await create(lambda, "stopped", HELLO);
  await create(lambda, "idle", HELLO);
  await lambda.send(
    new PutFunctionConcurrencyCommand({ FunctionName: "stopped", ReservedConcurrentExecutions: 0 }),
  );
  await invoke(sampled, "orders", { order: "gone" });
  await invoke(sampled, "orders", { order: 7 });
  await invoke(sampled, "fine");
  await invoke(lambda, "slow");
  await invoke(lambda, "broken");
  for (const order of ["gone", 7]) await invoke(lambda, "structured", { order });
  await expect(invoke(lambda, "stopped")).rejects.toThrow("Rate Exceeded");
  for (const name of ["orders", "fine", "slow", "broken", "structured"])
    await until(async () =>
      expect((await logged(platform.url, name)).at(-1)).toMatch(/REPORT|platform.report/),
    );
  fails = await failingTrace();
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
});

/** The trace of the one request that failed, once X-Ray has it. */
async function failingTrace(): Promise<typeof fails> {
  const xray = new XRayClient(clientFor(platform.url));
  let found: typeof fails | undefined;
  await until(async () => {
    const range = { StartTime: new Date(Date.now() - 600_000), EndTime: new Date(Date.now() + 1000) };
    const { TraceSummaries = [] } = await xray.send(new GetTraceSummariesCommand(range));
    const names = TraceSummaries.map(({ EntryPoint }) => EntryPoint?.Name ?? "");
    expect(names.toSorted()).toEqual(["fine", "orders", "orders"]);
    const traceId = TraceSummaries.find(({ HasFault }) => HasFault)?.Id ?? "";
    const { Traces = [] } = await xray.send(new BatchGetTracesCommand({ TraceIds: [traceId] }));
    const documents = Traces[0]?.Segments?.map(({ Document = "" }) => Document) ?? [];
    expect(documents).toHaveLength(2);
    const requestId = /"request_id":"([^"]+)"/.exec(documents.join(""))?.[1] ?? "";
    found = { traceId, requestId };
  });
  if (found === undefined) throw new Error("no trace");
  return found;
}

describe.concurrent("thaw traces", () => {
  it("lists traces, the latest first", async () => {
    const { code, stdout, stderr } = await client("traces");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [head, ...lines] = stdout.trimEnd().split("\n");
    expect(head).toMatch(/^time +trace +duration +result +services$/);
    expect(lines.map((line) => line.split(/ {2,}/).at(-1))).toEqual(["fine", "orders", "orders"]);
    expect(lines[2]).toMatch(new RegExp(`^\\S+Z  ${fails.traceId}  [\\d.]+ m?s +fault 200 +orders$`));
  });

  it("lists those of a function, those with errors, and what a filter says, as JSON too", async () => {
    const ids = async (...args: string[]) => {
      const { code, stdout } = await client("traces", ...args, "--json", "--since", "2d");
      expect(code).toBe(0);
      return stdout
        .trim()
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { Id: string });
    };
    expect(await ids("orders")).toHaveLength(2);
    expect(await ids("orders", "--errors")).toEqual([expect.objectContaining({ Id: fails.traceId })]);
    expect(await ids("--errors")).toEqual([expect.objectContaining({ Id: fails.traceId })]);
    expect(await ids("fine", "--errors")).toEqual([]);
    expect(await ids("--filter", 'service("fine")', "--limit", "1")).toHaveLength(1);
    expect(await ids("--limit", "2")).toHaveLength(2);
  });

  it("says where there are none, and what is wrong", async () => {
    expect(await client("traces", "idle")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^No traces since /) as string,
    });
    for (const args of [["--filter", "service("], ["--limit", "x"], ["--since", "soon"], ['a"b']])
      expect(await client("traces", ...args)).toMatchObject({ code: 2, stdout: "" });
  });
});

describe.concurrent("thaw trace", () => {
  it("shows a trace with all that there is about its request", async () => {
    const { code, stdout, stderr } = await client("trace", fails.traceId);
    expect({ code, stderr }).toEqual({ code: 3, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Trace ${fails.traceId} `));
    expect(stdout).toMatch(/^orders AWS::Lambda +█.* m?s {2}fault$/m);
    expect(stdout).toMatch(/^ {2}orders AWS::Lambda::Function +.*fault TypeError: no such order/m);
    expect(stdout).toMatch(/^ {4}Initialization +[█▏▎▍▌▋▊▉]+ +[\d.]+ m?s$/m);
    expect(stdout).toMatch(/^orders failed: TypeError: no such order$/m);
    expect(stdout).toContain(`request ${fails.requestId}, version $LATEST, `);
    expect(stdout).toMatch(/^ {4}.*at .*handler \(\/?.*index\.js:3:\d+\)$/m);
    expect(stdout).toMatch(/^ {2}time {4}[█░]{20} {2}[\d.]+ m?s of 1 min$/m);
    expect(stdout).toMatch(/^ {2}memory {2}[█░]{20} {2}\d+ of 128 MB$/m);
    expect(stdout).toMatch(/^ {2}cold start: its init took [\d.]+ m?s$/m);
    expect(stdout).toMatch(/^ {2,}\+[\d.]+ ms {2}INFO\tlooking for gone$/m);
    expect(stdout).not.toContain("looking for 7");
    expect(stdout).not.toContain("\u001b");
  });

  it("shows a request by its id, of its function or searched for in all logs", async () => {
    for (const named of [["--function", "orders"], []]) {
      const { code, stdout } = await client("trace", fails.requestId, ...named);
      expect(code).toBe(3);
      expect(stdout).toMatch(/^orders failed: TypeError: no such order\nrequest /);
      expect(stdout).toMatch(new RegExp(`^Trace ${fails.traceId}\n  orders AWS::Lambda `, "m"));
    }
    const json = await client("trace", fails.requestId, "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      function: "orders",
      requestId: fails.requestId,
      failed: true,
      error: { type: "TypeError", message: "no such order\u001b[2J" },
      timeoutMs: 60_000,
      report: { memoryMb: 128, initMs: expect.any(Number) as number },
      traceId: fails.traceId,
      spans: [{ name: "orders", kind: "AWS::Lambda", fault: true }],
    });
  });

  it("exits with 1 where there is none, and with 2 where it is no id", async () => {
    const trace = `1-${Math.floor(Date.now() / 1000).toString(16)}-${"0".repeat(24)}`;
    expect(await client("trace", trace)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining(`There is no trace ${trace} in us-east-1`) as string,
    });
    expect(await client("trace", "66ffbfb0-ab81-4cb6-bb08-cc5eb1c96be2")).toMatchObject({
      code: 1,
      stdout: "",
    });
    expect(await client("trace", "orders")).toMatchObject({ code: 2, stdout: "" });
  });
});

describe.concurrent("thaw why", () => {
  it("tells of the last failure, though others went well since", async () => {
    const { code, stdout } = await client("why", "orders");
    expect(code).toBe(3);
    expect(stdout).toMatch(/^orders failed: TypeError: no such order\n/);
    expect(stdout).toContain(`request ${fails.requestId}`);
    expect(stdout).toContain(`Trace ${fails.traceId}`);
  });

  it("tells of a time-out with the time against its limit", async () => {
    const { code, stdout } = await client("why", "slow");
    expect(code).toBe(3);
    expect(stdout).toMatch(/^slow failed: Sandbox\.Timedout: Task timed out after 1\.00 seconds$/m);
    expect(stdout).toMatch(/^ {2}time {4}█{20} {2}1 s of 1 s$/m);
    expect(stdout).toMatch(/INFO\twaiting$/m);
  });

  it("tells of an init that failed by what its runtime logged of it", async () => {
    const { code, stdout } = await client("why", "broken");
    expect(code).toBe(3);
    expect(stdout).toMatch(/^broken failed: TypeError: no init\n/);
    expect(stdout).toMatch(/^ {2}.*at .*index\.js:1:\d+/m);
  });

  it("reads JSON logs", async () => {
    const { code, stdout } = await client("why", "structured", "--json");
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      function: "structured",
      error: {
        type: "TypeError",
        stack: expect.arrayContaining([expect.stringContaining("index.js:3")]) as string[],
      },
      report: { status: "error" },
    });
  });

  it("knows of throttles, which leave no log", async () => {
    await until(async () =>
      expect(await client("why", "stopped")).toMatchObject({
        code: 3,
        stdout: expect.stringMatching(/^stopped was throttled: 1 invocations since /) as string,
      }),
    );
  });

  it("says that nothing failed", async () => {
    for (const name of ["fine", "idle"])
      expect(await client("why", name)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(new RegExp(`^${name} has not failed since `)) as string,
      });
    expect(await client("why", "nobody")).toMatchObject({ code: 1, stdout: "" });
  });
});
