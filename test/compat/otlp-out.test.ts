// A collector that is written here, as small as one can be: OpenTelemetry Protocol Specification, "OTLP/HTTP".
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { InvokeCommand } from "@aws-sdk/client-lambda";
import { expect, it } from "vitest";
import { create, invoke, lambdaFor, until } from "../lifecycle/support.ts";
import { startPlatform } from "../support/platform.ts";

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface Resource {
  readonly attributes: readonly Attribute[];
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly status?: { readonly code: number };
}

interface Received {
  readonly resourceSpans?: readonly {
    resource: Resource;
    scopeSpans: readonly { spans: readonly Span[] }[];
  }[];
  readonly resourceLogs?: readonly {
    resource: Resource;
    scopeLogs: readonly { logRecords: readonly { body: { stringValue: string }; severityText?: string }[] }[];
  }[];
  readonly resourceMetrics?: readonly {
    scopeMetrics: readonly { metrics: readonly { name: string; summary?: object; gauge?: object }[] }[];
  }[];
}

/** @param first what the first request is answered with */
async function openCollector(first = 200) {
  const received: Received[] = [];
  const authorisations = new Set<string | undefined>();
  let status = first;
  const server = createServer((request, response) => {
    void (async () => {
      let body = "";
      for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
      authorisations.add(request.headers.authorization);
      response.writeHead(status, { "content-type": "application/json" }).end("{}");
      if (status === 200) received.push(JSON.parse(body) as Received);
      status = 200;
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const spans = () => received.flatMap(({ resourceSpans = [] }) => resourceSpans);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    authorisations,
    spans: () =>
      spans().flatMap(({ resource, scopeSpans }) =>
        scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, service: serviceOf(resource) }))),
      ),
    logs: () =>
      received
        .flatMap(({ resourceLogs = [] }) => resourceLogs)
        .flatMap(({ resource, scopeLogs }) =>
          scopeLogs.flatMap(({ logRecords }) =>
            logRecords.map((record) => ({ ...record, service: serviceOf(resource) })),
          ),
        ),
    metrics: () =>
      received
        .flatMap(({ resourceMetrics = [] }) => resourceMetrics)
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics)),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function serviceOf({ attributes }: Resource): string | undefined {
  return attributes.find(({ key }) => key === "service.name")?.value.stringValue;
}

it("sends a function's traces, logs and metrics to a collector, also where that is not ready at first", async () => {
  const collector = await openCollector(503);
  const platform = await startPlatform([], {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Bearer%20it",
    OTEL_METRIC_EXPORT_INTERVAL: "500",
  });
  const lambda = lambdaFor(platform.url);
  const source = `exports.handler = async ({ fail }) => {
    console.error("a complaint");
    if (fail) throw new RangeError("too far");
  };`;
  await create(lambda, "told", source, { TracingConfig: { Mode: "Active" } });
  await invoke(lambda, "told");
  const root = "1-5759e988-bd862e3fe1be46a994272793".replace(
    "5759e988",
    Math.floor(Date.now() / 1000).toString(16),
  );
  const failing = new InvokeCommand({ FunctionName: "told", Payload: '{"fail":true}' });
  failing.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers["x-amzn-trace-id"] =
        `Root=${root};Sampled=1`;
      return next(args);
    },
    { step: "build" },
  );
  await lambda.send(failing);
  await until(() => {
    const spans = collector.spans().filter(({ traceId }) => traceId === root.slice(2).replace("-", ""));
    expect(spans.map(({ name }) => name).toSorted()).toEqual(["Invocation", "Overhead", "told", "told"]);
    const service = spans.find(({ parentSpanId }) => parentSpanId === undefined);
    const run = spans.find(({ parentSpanId }) => parentSpanId === service?.spanId);
    expect(run).toMatchObject({ service: "told", status: { code: 2 } });
    expect(spans.find(({ name }) => name === "Invocation")?.parentSpanId).toBe(run?.spanId);
    const complaint = collector.logs().find(({ body }) => body.stringValue.includes("a complaint"));
    expect(complaint).toMatchObject({ service: "told", severityText: "ERROR" });
    const names = collector.metrics().map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["aws_lambda_invocations", "thaw_environments"]));
  });
  expect(collector.authorisations).toEqual(new Set(["Bearer it"]));
  const exposed = await (await fetch(`${platform.url}/_thaw/metrics`)).text();
  expect(exposed).toMatch(/^thaw_otlp_items_total\{signal="traces",outcome="exported"\} [1-9]/m);
  lambda.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
  await collector.close();
});

it("tells loudly of what a collector does not take, and runs functions all the same", async () => {
  const collector = await openCollector();
  await collector.close();
  const platform = await startPlatform(["--otlp", collector.url]);
  const lambda = lambdaFor(platform.url);
  await create(lambda, "untold", `exports.handler = async () => console.log("a word");`);
  expect((await invoke(lambda, "untold")).error).toBeUndefined();
  lambda.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toMatch(
    /OTLP: telemetry was dropped signal=logs dropped=\d+ reason="?the collector does not answer/,
  );
});
