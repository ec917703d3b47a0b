import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBench } from "./support.ts";
import type { Bench } from "./support.ts";

let bench: Bench;
let found: Set<string>;
beforeAll(async () => {
  bench = await openBench();
  const runtimes = await bench.engine.runtimes();
  found = new Set(
    runtimes.filter(({ interpreter }) => interpreter !== undefined).map(({ runtime }) => runtime.name),
  );
});
afterAll(() => bench.close());

describe("runtimes", () => {
  it("finds the platform's own Node.js", async () => {
    const major = process.versions.node.split(".")[0];
    const runtimes = await bench.engine.runtimes();
    expect(runtimes.find(({ runtime }) => runtime.name === `nodejs${major}.x`)?.interpreter).toMatchObject({
      version: process.versions.node,
    });
  });

  it.for(["python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"])(
    "runs a %s function",
    async (runtime, { skip }) => {
      skip(!found.has(runtime), `${runtime} is not on this host`);
      const spec = await bench.spec(
        {
          "app.py":
            "import sys, os\n\ndef handler(event, context):\n    print('hi')\n    if event.get('fail'): raise ValueError('no')\n    return {'v': '%d.%d' % sys.version_info[:2], 'env': dict(os.environ), 'id': context.aws_request_id}\n",
        },
        { runtime, handler: "app.handler" },
      );
      const answer = await bench.invoke(spec);
      expect(answer.payload).toMatchObject({
        v: runtime.slice("python".length),
        id: answer.requestId,
        env: { AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`, LC_CTYPE: "C.UTF-8", TZ: ":UTC" },
      });
      expect(answer.tail).toContain("hi\nEND RequestId");
      const failed = await bench.invoke(spec, { fail: true });
      expect(failed).toMatchObject({
        functionError: "Unhandled",
        payload: { errorType: "ValueError", errorMessage: "no", requestId: failed.requestId },
      });
    },
  );

  it.for(["python3.9", "python3.11", "python3.13"])(
    "gives %s functions boto3, pointed at the platform",
    async (runtime, { skip }) => {
      skip(!found.has(runtime), `${runtime} is not on this host`);
      const part = await bench.spec(
        {
          "app.py":
            "def handler(event, context):\n    try:\n        import boto3\n    except ModuleNotFoundError as error:\n        if error.name != 'boto3': raise\n        return None\n    return boto3.client('sts').meta.endpoint_url\n",
        },
        { runtime, handler: "app.handler" },
      );
      const { payload } = await bench.invoke(part);
      skip(payload === null, "no boto3 on this host fits");
      expect(payload).toBe("http://127.0.0.1:4566");
    },
  );

  it("gives Node.js functions the AWS SDK, and layers", async () => {
    const layer = await bench.package([
      { name: "nodejs/node_modules/greeting/index.js", data: 'module.exports = "from the layer";' },
    ]);
    const spec = await bench.spec(
      {
        "index.js": `exports.handler = async () => ({ greeting: require("greeting"), sdk: typeof require("@aws-sdk/client-sts").STSClient });`,
      },
      { layers: [layer] },
    );
    expect((await bench.invoke(spec)).payload).toEqual({ greeting: "from the layer", sdk: "function" });
  });

  it("logs in JSON where the function's configuration asks for it", async () => {
    const spec = await bench.spec(
      { "index.js": "exports.handler = async () => 1;" },
      {
        logging: { group: "/json", format: "JSON", applicationLevel: "INFO", systemLevel: "DEBUG" },
      },
    );
    const answer = await bench.invoke(spec);
    const events = (answer.tail ?? "")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; record: object });
    expect(
      bench.lines.some((line) => line.group === "/json" && line.message.includes('"platform.initStart"')),
    ).toBe(true);
    expect(events.map((event) => event.type)).toEqual([
      "platform.start",
      "platform.runtimeDone",
      "platform.report",
    ]);
    expect(events.at(-1)?.record).toMatchObject({
      requestId: answer.requestId,
      status: "success",
      metrics: { memorySizeMB: 256 },
    });
  });

  it("tells of a runtime that ended whatever the system's log level, and of one that did well at DEBUG alone", async () => {
    const logging = {
      group: "/json",
      format: "JSON",
      applicationLevel: "FATAL",
      systemLevel: "WARN",
    } as const;
    const source = "exports.handler = async (exit) => { if (exit) process.exit(1); throw new Error(); };";
    const spec = await bench.spec({ "index.js": source }, { logging });
    for (const [exit, status, types] of [
      [true, "error", ["platform.runtimeDone", "platform.report"]],
      [false, "error", ["platform.report"]],
    ] as const) {
      const { tail = "" } = await bench.invoke(spec, exit);
      const lines = tail.trim().split("\n");
      const records = lines.map((line) => JSON.parse(line) as { type: string; record: { status: string } });
      expect(records.map(({ type }) => type)).toEqual(types);
      expect(new Set(records.map(({ record }) => record.status))).toEqual(new Set([status]));
    }
  });

  it("leaves out what a function prints below its application log level", async () => {
    const source = `exports.handler = async () => {
      for (const level of ["debug", "error"]) process.stdout.write(JSON.stringify({ level, from: "stdout" }) + "\\n");
      console.info("through the console");
      process.stdout.write("plain\\n");
    };`;
    const logging = {
      group: "/json",
      format: "JSON",
      applicationLevel: "WARN",
      systemLevel: "WARN",
    } as const;
    const { tail = "" } = await bench.invoke(await bench.spec({ "index.js": source }, { logging }));
    expect(tail).toBe('{"level":"error","from":"stdout"}\nplain\n');
  });

  it("refuses a runtime that this host cannot run, in AWS's form", async () => {
    const spec = await bench.spec({ "index.rb": "" }, { runtime: "ruby3.4" });
    await expect(bench.invoke(spec)).rejects.toMatchObject({
      code: "InvalidRuntimeException",
      message: expect.stringContaining("ruby3.4"),
    });
    expect(bench.engine.status().running).toBe(0);
  });
});
