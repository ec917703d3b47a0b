// OpenTelemetry's own SDK against the addresses that AWS's OTLP endpoints have, and functions that send from inside.
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Sha256 } from "../../src/cli/bench/signing.ts";
import { SignatureV4 } from "@smithy/signature-v4";
import { GetMetricStatisticsCommand, CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  FilterLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { BatchGetTracesCommand, GetTraceSummariesCommand, XRayClient } from "@aws-sdk/client-xray";
import { ROOT_CONTEXT, type SpanContext, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { LoggerProvider, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, expect, it } from "vitest";
import { create, invoke, lambdaFor, until } from "../lifecycle/support.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";

const resource = resourceFromAttributes({ "service.name": "shop" });
let platform: TestPlatform;
let lambda: LambdaClient;
let xray: XRayClient;
let logs: CloudWatchLogsClient;
let signing: { server: Server; url: string };

beforeAll(async () => {
  platform = await startPlatform();
  lambda = lambdaFor(platform.url);
  xray = new XRayClient(clientFor(platform.url));
  logs = new CloudWatchLogsClient(clientFor(platform.url));
  signing = await signingProxy(platform.url);
});
afterAll(async () => {
  lambda.destroy();
  xray.destroy();
  logs.destroy();
  signing.server.close();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

/** Signs what it is sent as AWS's endpoints want it, as users' own proxies and collectors do. */
async function signingProxy(target: string): Promise<{ server: Server; url: string }> {
  const services: Readonly<Record<string, string>> = { traces: "xray", metrics: "monitoring", logs: "logs" };
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const path = request.url ?? "";
      const answer = await send(
        target,
        path,
        services[path.split("/")[2] ?? ""] ?? "",
        Buffer.concat(chunks),
        {
          "content-type": request.headers["content-type"] ?? "",
          ...(request.headers["content-encoding"] === undefined
            ? {}
            : { "content-encoding": request.headers["content-encoding"] }),
          ...(request.headers["x-aws-log-group"] === undefined
            ? {}
            : { "x-aws-log-group": "otlp", "x-aws-log-stream": "one" }),
        },
      );
      response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function send(
  target: string,
  path: string,
  service: string,
  body: Buffer,
  headers: Record<string, string>,
): Promise<Response> {
  const { host, hostname, port } = new URL(target);
  const signer = new SignatureV4({
    service,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    sha256: Sha256,
  });
  const request = {
    method: "POST",
    protocol: "http:",
    hostname,
    port: Number(port),
    path,
    query: {},
    headers: { ...headers, host, "x-amz-content-sha256": createHash("sha256").update(body).digest("hex") },
    body,
  };
  const signed = await signer.sign(request);
  return fetch(`${target}${path}`, { method: "POST", headers: signed.headers, body: new Uint8Array(body) });
}

function parentOf(context: SpanContext) {
  return trace.setSpanContext(ROOT_CONTEXT, context);
}

async function documents(TraceIds: string[]) {
  const { Traces = [] } = await xray.send(new BatchGetTracesCommand({ TraceIds }));
  return (Traces[0]?.Segments ?? []).map(
    ({ Document = "" }) => JSON.parse(Document) as Record<string, unknown>,
  );
}

it("takes spans of OpenTelemetry's SDK, in protobuf, as segments and subsegments", async () => {
  const exporter = new OTLPTraceExporter({ url: `${signing.url}/v1/traces` });
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer("test");
  const span = tracer.startSpan("GET /orders", {
    kind: SpanKind.SERVER,
    attributes: { "http.request.method": "GET", "url.path": "/orders", "http.response.status_code": 500 },
  });
  const { traceId, spanId } = span.spanContext();
  const attributes = { "db.system": "sqlite", order: 7 };
  const child = tracer.startSpan(
    "query",
    { kind: SpanKind.CLIENT, attributes },
    parentOf(span.spanContext()),
  );
  child.recordException(new RangeError("too far"));
  child.setStatus({ code: SpanStatusCode.ERROR });
  child.end();
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
  await provider.forceFlush();
  await until(async () => {
    expect(await documents([traceId])).toMatchObject([
      {
        id: spanId,
        name: "shop",
        fault: true,
        http: { request: { method: "GET", url: "/orders" }, response: { status: 500 } },
        subsegments: [
          {
            name: "sqlite",
            namespace: "remote",
            annotations: { order: 7 },
            cause: { exceptions: [{ type: "RangeError", message: "too far" }] },
          },
        ],
      },
    ]);
  });
  const range = { StartTime: new Date(Date.now() - 600_000), EndTime: new Date(Date.now() + 60_000) };
  const { TraceSummaries = [] } = await xray.send(
    new GetTraceSummariesCommand({ ...range, FilterExpression: 'service("shop")' }),
  );
  expect(TraceSummaries).toMatchObject([{ HasFault: true }]);
  await provider.shutdown();
});

it("takes metrics in protobuf, with what totals have grown by", async () => {
  const exporter = new OTLPMetricExporter({ url: `${signing.url}/v1/metrics` });
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter("test");
  const orders = meter.createCounter("orders");
  const seconds = meter.createHistogram("seconds", { unit: "s" });
  orders.add(3, { kind: "book" });
  seconds.record(2);
  await provider.forceFlush();
  orders.add(4, { kind: "book" });
  seconds.record(4);
  await provider.forceFlush();
  await provider.shutdown();
  const cloudwatch = new CloudWatchClient(clientFor(platform.url));
  const statistics = (MetricName: string, Dimensions: { Name: string; Value: string }[]) =>
    cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace: "shop",
        MetricName,
        Dimensions,
        StartTime: new Date(Date.now() - 3_600_000),
        EndTime: new Date(Date.now() + 60_000),
        Period: 86_400,
        Statistics: ["Sum", "SampleCount"],
      }),
    );
  await until(async () => {
    const { Datapoints = [] } = await statistics("orders", [{ Name: "kind", Value: "book" }]);
    expect(Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0)).toBe(7);
    const timed = (await statistics("seconds", [])).Datapoints ?? [];
    expect(timed.reduce((sum, { Sum = 0 }) => sum + Sum, 0)).toBe(6);
    expect(timed[0]?.Unit).toBe("Seconds");
  });
  cloudwatch.destroy();
});

it("takes log records, in JSON and compressed, as events of the stream that is named", async () => {
  await logs.send(new CreateLogGroupCommand({ logGroupName: "otlp" }));
  await logs.send(new CreateLogStreamCommand({ logGroupName: "otlp", logStreamName: "one" }));
  const exporter = new OTLPLogExporter({
    url: `${signing.url}/v1/logs`,
    headers: { "x-aws-log-group": "otlp", "x-aws-log-stream": "one" },
    compression: "gzip" as never,
  });
  const provider = new LoggerProvider({ resource, processors: [new SimpleLogRecordProcessor({ exporter })] });
  provider.getLogger("test").emit({ body: { order: 7 }, severityText: "WARN", attributes: { a: true } });
  await provider.forceFlush();
  await until(async () => {
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: "otlp" }));
    expect(events.map(({ message = "" }) => JSON.parse(message) as unknown)).toMatchObject([
      {
        resource: { attributes: { "service.name": "shop" } },
        scope: { name: "test" },
        severityText: "WARN",
        body: { order: 7 },
        attributes: { a: true },
      },
    ]);
  });
  await provider.shutdown();
});

it("refuses who signs for another service or not at all, and what it cannot read", async () => {
  const json = { "content-type": "application/json" };
  const status = async (answer: Promise<Response>) => (await answer).status;
  const body = Buffer.from("{}");
  expect(
    await status(fetch(`${platform.url}/v1/traces`, { method: "POST", headers: json, body: "{}" })),
  ).toBe(403);
  expect(await status(send(platform.url, "/v1/traces", "logs", body, json))).toBe(403);
  expect(await status(send(platform.url, "/v1/logs", "logs", body, json))).toBe(400);
  expect(await status(send(platform.url, "/v1/traces", "xray", body, { "content-type": "text/plain" }))).toBe(
    415,
  );
  expect(await status(send(platform.url, "/v1/traces", "xray", Buffer.from("{"), json))).toBe(400);
  const binary = { "content-type": "application/x-protobuf" };
  expect(await status(send(platform.url, "/v1/traces", "xray", Buffer.from([10, 200]), binary))).toBe(400);
  const rejected = { resourceSpans: [{ scopeSpans: [{ spans: [{ name: "no id" }] }] }] };
  const answer = await send(platform.url, "/v1/traces", "xray", Buffer.from(JSON.stringify(rejected)), json);
  expect(await answer.json()).toMatchObject({ partialSuccess: { rejectedSpans: "1" } });
});

it("takes what functions send to their Runtime API's address, in their name", async () => {
  await create(
    lambda,
    "sender",
    `exports.handler = async () => {
      const send = async (signal, body) => {
        const url = "http://" + process.env.AWS_LAMBDA_RUNTIME_API + "/v1/" + signal;
        const headers = { "content-type": "application/json" };
        return (await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })).status;
      };
      const times = { startTimeUnixNano: Date.now() + "000000", endTimeUnixNano: Date.now() + 5 + "000000" };
      const span = { traceId: "5b8efff798038103d269b633813fc60c", spanId: "eee19b7ec3c1b174", name: "work", kind: 2, ...times };
      const resource = { attributes: [{ key: "service.name", value: { stringValue: "inside" } }] };
      return [
        await send("traces", { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }),
        await send("logs", { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "told" } }] }] }] }),
      ];
    };`,
  );
  expect((await invoke(lambda, "sender")).payload).toEqual([200, 200]);
  expect(await documents(["5b8efff798038103d269b633813fc60c"])).toMatchObject([{ name: "inside" }]);
  const { events = [] } = await logs.send(
    new FilterLogEventsCommand({ logGroupName: "/aws/lambda/sender", logStreamNames: ["otlp"] }),
  );
  expect(events.map(({ message = "" }) => (JSON.parse(message) as { body: string }).body)).toEqual(["told"]);
});
