// X-Ray's own SDKs in functions, and beside them: AWS X-Ray Developer Guide, "Sending segment documents to the X-Ray daemon".
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { InvokeCommand, PublishLayerVersionCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { BatchGetTracesCommand, XRayClient } from "@aws-sdk/client-xray";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packLayer, type Layer } from "../../src/cli/commands/demo/layers.ts";
import { bubblewrapUsable } from "../../src/engine/sandbox/bubblewrap/usable.ts";
import { create, lambdaFor, until } from "../lifecycle/support.ts";
import { zip } from "../engine/zip.ts";
import { packages } from "../support/packages.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";

const XRAY_SDK = [
  "aws-xray-sdk-core",
  "atomic-batcher",
  "cls-hooked",
  "async-hook-jl",
  "stack-chain",
  "emitter-listener",
  "shimmer",
  "semver",
  "@smithy/service-error-classification",
  "@aws-sdk/types",
];

const SDK = `const AWSXRay = require("aws-xray-sdk-core");
exports.handler = async ({ order }) => {
  AWSXRay.getSegment().addNewSubsegment("unfinished");
  const answer = await AWSXRay.captureAsyncFunc("## checkout", async (part) => {
    part.addAnnotation("order", order);
    const inner = part.addNewSubsegment("price");
    inner.close();
    part.close();
    return process.env.AWS_XRAY_DAEMON_ADDRESS;
  });
  return answer;
};`;

const POWERTOOLS = `const { Tracer } = require("@aws-lambda-powertools/tracer");
const tracer = new Tracer({ serviceName: "shop" });
exports.handler = async () => {
  const segment = tracer.getSegment();
  const part = segment.addNewSubsegment("## " + process.env._HANDLER);
  tracer.setSegment(part);
  tracer.annotateColdStart();
  tracer.addServiceNameAnnotation();
  tracer.addErrorAsMetadata(new RangeError("too far"));
  part.close();
  tracer.setSegment(segment);
};`;

const PYTHON = `import boto3
from aws_xray_sdk.core import patch_all, xray_recorder
patch_all()

@xray_recorder.capture("## price")
def price(order):
    xray_recorder.put_annotation("order", order)
    return order

def handler(event, context):
    boto3.client("sts").get_caller_identity()
    return price(event["order"])
`;

interface Part {
  readonly name: string;
  readonly origin?: string;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, unknown>>;
  readonly cause?: object;
  readonly subsegments?: readonly Part[];
}

const pythonLayer = await hostPython();

async function hostPython(): Promise<Layer | undefined> {
  const packed = await packLayer("", {
    name: "xray",
    hostPackages: [
      "aws_xray_sdk",
      "wrapt",
      "jsonpickle",
      "pkg_resources",
      "boto3",
      "botocore",
      "s3transfer",
      "jmespath",
      "dateutil",
      "urllib3",
      "six",
    ],
  });
  return typeof packed === "string" || packed.runtime === undefined ? undefined : packed;
}

function newRoot(): string {
  const digits = Array.from({ length: 24 }, () => Math.floor(Math.random() * 16).toString(16)).join("");
  return `1-${Math.floor(Date.now() / 1000).toString(16)}-${digits}`;
}

async function documents(xray: XRayClient, traceId: string): Promise<readonly Part[]> {
  const { Traces = [] } = await xray.send(new BatchGetTracesCommand({ TraceIds: [traceId] }));
  return (Traces[0]?.Segments ?? []).map(({ Document = "" }) => JSON.parse(Document) as Part);
}

/** Invokes a function in a trace of its own. */
async function traced(lambda: LambdaClient, name: string, event: object) {
  const root = newRoot();
  const command = new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) });
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers["x-amzn-trace-id"] = `Root=${root};Sampled=1`;
      return next(args);
    },
    { step: "build" },
  );
  const { Payload, FunctionError } = await lambda.send(command);
  const payload = JSON.parse(Payload?.transformToString() ?? "") as unknown;
  expect(FunctionError, JSON.stringify(payload)).toBeUndefined();
  return { root, payload };
}

const bubblewrap = (await bubblewrapUsable()).usable;
const isRoot = process.getuid?.() === 0;

describe.each([
  { kind: "bubblewrap", flags: ["--sandbox", "bubblewrap"], usable: bubblewrap },
  {
    kind: "bubblewrap without a network",
    flags: ["--sandbox", "bubblewrap", "--network", "none"],
    usable: bubblewrap,
  },
  {
    kind: "bubblewrap for an ordinary user",
    flags: ["--sandbox", "bubblewrap"],
    usable: bubblewrap && isRoot,
    user: 65_534,
  },
  { kind: "plain processes", flags: ["--sandbox", "process"], usable: true },
])("X-Ray's SDKs in $kind", ({ flags, usable, user }) => {
  describe.skipIf(!usable)("reach the daemon", () => {
    let platform: TestPlatform;
    let lambda: LambdaClient;
    let xray: XRayClient;

    beforeAll(async () => {
      const home = user === undefined ? {} : { HOME: "/tmp", TMPDIR: "/tmp" };
      platform = await startPlatform(flags, home, user === undefined ? {} : { user });
      lambda = lambdaFor(platform.url);
      xray = new XRayClient(clientFor(platform.url));
    });
    afterAll(async () => {
      lambda.destroy();
      xray.destroy();
      expect(await platform.stop()).toBe(0);
      expect(platform.errors()).toBe("");
    });

    async function deploy(name: string, source: string, ...needed: string[]): Promise<void> {
      const files = { "index.js": source, ...packages(...needed) };
      const entries = Object.entries(files).map(([file, data]) => ({ name: file, data }));
      await create(lambda, name, "", { Code: { ZipFile: zip(entries) } });
    }

    /** What lies in the function's segment, once all of it has come. */
    async function partsOf(root: string, name: string): Promise<readonly Part[]> {
      let parts: readonly Part[] = [];
      await until(async () => {
        const run = (await documents(xray, root)).find(({ origin }) => origin === "AWS::Lambda::Function");
        parts = run?.subsegments ?? [];
        expect(parts.map((part) => part.name)).toContain(name);
      });
      return parts;
    }

    it("aws-xray-sdk", async () => {
      await deploy("sdk", SDK, ...XRAY_SDK);
      const { root, payload } = await traced(lambda, "sdk", { order: 7 });
      expect(payload).toMatch(/^[\d.]+:\d+$/);
      const parts = await partsOf(root, "## checkout");
      const checkout = parts.find(({ name }) => name === "## checkout");
      expect(checkout).toMatchObject({ annotations: { order: 7 }, subsegments: [{ name: "price" }] });
      expect(parts.map(({ name }) => name)).toEqual(expect.arrayContaining(["Initialization", "Invocation"]));
    });

    it("Powertools' Tracer", async () => {
      await deploy(
        "powertools",
        POWERTOOLS,
        ...XRAY_SDK,
        "@aws-lambda-powertools/tracer",
        "@aws-lambda-powertools/commons",
        "@aws/lambda-invoke-store",
      );
      const { root } = await traced(lambda, "powertools", {});
      const own = (await partsOf(root, "## index.handler")).find(({ name }) => name.startsWith("##"));
      expect(own?.annotations).toEqual({ ColdStart: true, Service: "shop" });
      expect(own?.cause).toMatchObject({ exceptions: [{ type: "RangeError", message: "too far" }] });
    });

    it.skipIf(pythonLayer === undefined)(
      "aws_xray_sdk with patch_all (needs python3-aws-xray-sdk, python3-boto3)",
      async () => {
        const layer = await lambda.send(
          new PublishLayerVersionCommand({ LayerName: "xray", Content: { ZipFile: pythonLayer?.zip } }),
        );
        await create(lambda, "python", "", {
          Runtime: pythonLayer?.runtime as "python3.11",
          Handler: "app.handler",
          Layers: [layer.LayerVersionArn ?? ""],
          Code: { ZipFile: zip([{ name: "app.py", data: PYTHON }]) },
        });
        const { root, payload } = await traced(lambda, "python", { order: 8 });
        expect(payload).toBe(8);
        const parts = await partsOf(root, "## price");
        expect(parts.find(({ name }) => name === "## price")?.annotations).toEqual({ order: 8 });
        expect(parts).toContainEqual(expect.objectContaining({ name: "sts", namespace: "aws" }));
      },
    );

    it("and what is no segment is dropped and counted", async () => {
      const source = `const { createSocket } = require("node:dgram");
        exports.handler = async () => {
          const [host, port] = process.env.AWS_XRAY_DAEMON_ADDRESS.split(":");
          const socket = createSocket("udp4");
          const send = (text) => new Promise((resolve) => socket.send(text, Number(port), host, resolve));
          await send("no header");
          await send('{"format":"json","version":1}\\n{"id":"1"}');
          socket.close();
          const ask = (path) => fetch("http://" + host + ":" + port + path, { method: "POST", body: "{}" });
          const answer = await ask("/GetSamplingRules");
          return [answer.status, (await answer.json()).SamplingRuleRecords[0].SamplingRule.RuleName];
        };`;
      await create(lambda, "hostile", source);
      expect((await traced(lambda, "hostile", {})).payload).toEqual([200, "Default"]);
      await until(async () => {
        const metrics = await (await fetch(`${platform.url}/_thaw/metrics`)).text();
        expect(metrics).toContain('thaw_xray_daemon_documents_total{outcome="malformed"} 1\n');
        expect(metrics).toContain('thaw_xray_daemon_documents_total{outcome="refused"} 1\n');
      });
    });
  });
});

it("programs of this machine reach X-Ray's daemon where it is asked for", async () => {
  const { port, platform } = await startWithDaemon();
  const xray = new XRayClient(clientFor(platform.url));
  const root = newRoot();
  const segment = { id: "53995c3f42cd8ad8", name: "shop", trace_id: root, start_time: 1, end_time: 2 };
  const socket = createSocket("udp4");
  await until(async () => {
    socket.send(`{"format":"json","version":1}\n${JSON.stringify(segment)}`, port, "127.0.0.1");
    expect(await documents(xray, root)).toEqual([segment]);
  });
  socket.close();
  const ask = (body: object, headers = {}) =>
    fetch(`http://127.0.0.1:${port}/SamplingTargets`, {
      method: "POST",
      body: JSON.stringify(body),
      headers,
    });
  const statistics = {
    RuleName: "Default",
    ClientID: "0123456789abcdef01234567",
    Timestamp: 1,
    RequestCount: 1,
    SampledCount: 1,
  };
  const targets = await ask({ SamplingStatisticsDocuments: [statistics] });
  expect(await targets.json()).toMatchObject({
    SamplingTargetDocuments: [{ RuleName: "Default", FixedRate: 0.05 }],
  });
  expect((await ask({ SamplingStatisticsDocuments: 7 })).status).toBe(400);
  expect((await ask({}, { origin: "http://a.test" })).status).toBe(404);
  xray.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

/** On a port that was free a moment before: another program may have taken it meanwhile. */
async function startWithDaemon(attempts = 5): Promise<{ port: number; platform: TestPlatform }> {
  const port = await freePort();
  try {
    return { port, platform: await startPlatform(["--xray-daemon", String(port)]) };
  } catch (error) {
    if (attempts <= 1 || !/in use|EADDRINUSE/.test(String(error))) throw error;
    return startWithDaemon(attempts - 1);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
