import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec } from "#engine/contract";
import { openApiBench, program, WALLS } from "./support.ts";
import type { ApiBench } from "./support.ts";
import { until } from "../support/until.ts";

interface Told {
  readonly time: string;
  readonly type: string;
  readonly record: Readonly<Record<string, unknown>> | string;
}

const FUNCTION = `
  const { readFileSync } = require("node:fs");
  if (process.env.FAIL) throw new TypeError("no init");
  exports.handler = async ({ read, exit, fail, hang }) => {
    if (read) return readFileSync(process.env.TELEMETRY_FILE, "utf8");
    if (exit) process.exit(3);
    if (hang) await new Promise((resolve) => setTimeout(resolve, 60_000));
    console.log("function speaks");
    if (fail) throw new RangeError("as asked");
    return "done";
  };
`;

const SAMPLED = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";
const TRACED = /^Root=1-5759e988-bd862e3fe1be46a994272793;Parent=[0-9a-f]{16};Sampled=1$/;

/** Runs a function once beside the telemetry extension and gives all that this was told of the init and of that event. */
async function telemetry(
  bench: ApiBench,
  name: string,
  environment: Record<string, string>,
): Promise<readonly Told[]> {
  const inside = bench.walls !== "process";
  const file = inside ? "/tmp/told.ndjson" : join(bench.folder, `${name}.ndjson`);
  const host = inside ? {} : { TELEMETRY_HOST: "127.0.0.1" };
  const layer = await bench.layer({ "extensions/telemetry.mjs": program("extension.mjs") });
  const spec = await bench.spec(
    { "index.js": FUNCTION },
    {
      name,
      layers: [layer],
      environment: { ...bench.variables, TELEMETRY_FILE: file, ...host, ...environment },
    },
  );
  expect((await bench.invoke(spec, {}, { traceHeader: SAMPLED })).payload).toBe("done");
  // Where it is frozen after the event, the rest comes when it runs again.
  const told = await until(async () => {
    const { payload } = await bench.invoke(spec, { read: true });
    const all = String(payload)
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Told);
    const last = all.findIndex(({ type }) => type === "platform.report");
    expect(last).toBeGreaterThan(0);
    return all.slice(0, last + 1);
  });
  bench.engine.retire(spec.id);
  return told;
}

/** Runs a function once beside the telemetry extension, which writes to the log the platform's events that it is told. */
async function ended(
  bench: ApiBench,
  name: string,
  event: object,
  over: Partial<FunctionSpec> = {},
): Promise<(type: string) => readonly unknown[]> {
  const layer = await bench.layer({ "extensions/telemetry.mjs": program("extension.mjs") });
  const host = bench.walls === "process" ? { TELEMETRY_HOST: "127.0.0.1" } : {};
  const environment = { ...bench.variables, ...host, ...over.environment };
  const spec = await bench.spec({ "index.js": FUNCTION }, { ...over, name, layers: [layer], environment });
  expect((await bench.invoke(spec, event)).functionError).toBe("Unhandled");
  // Where it is frozen after the event, the rest comes in its shutdown phase.
  bench.engine.retire(spec.id);
  return (type) =>
    bench.lines.flatMap(({ group, message }) => {
      if (group !== `/aws/lambda/${name}` || !message.startsWith('{"time":')) return [];
      const told = JSON.parse(message) as Told;
      return told.type === type ? [told.record] : [];
    });
}

const typesOf = (told: readonly Told[]): string[] => told.map(({ type }) => type);
const recordOf = (told: readonly Told[], type: string): Told["record"] | undefined =>
  told.find((each) => each.type === type)?.record;

describe.each(WALLS)("in $walls", ({ walls, missing }) => {
  describe.skipIf(missing !== undefined)(missing ?? "telemetry", () => {
    let bench: ApiBench;
    beforeAll(async () => {
      bench = await openApiBench(walls, { traces: { write: () => undefined } });
    });
    afterAll(() => bench.close());

    describe("the Telemetry API", () => {
      it.each(["HTTP", "TCP"])("tells of everything by %s", async (protocol) => {
        const told = await telemetry(bench, `telemetry-${protocol}`, {
          TELEMETRY_PROTOCOL: protocol,
          TELEMETRY_SCHEMA: "2022-12-13",
        });
        expect(recordOf(told, "subscribed")).toEqual([200, '"OK"']);
        const types = typesOf(told).filter((type) => type.startsWith("platform."));
        // Once it has registered, the extension subscribes while the runtime is initialised.
        const subscribed = "platform.telemetrySubscription";
        expect(types.filter((type) => type !== subscribed)).toEqual([
          "platform.initStart",
          "platform.initRuntimeDone",
          "platform.extension",
          "platform.initReport",
          "platform.start",
          "platform.runtimeDone",
          "platform.report",
        ]);
        expect(types.slice(1, types.indexOf("platform.initReport"))).toContain(subscribed);
        expect(recordOf(told, "platform.initStart")).toEqual({
          initializationType: "on-demand",
          phase: "init",
          runtimeVersion: expect.stringMatching(/^nodejs:20\.v/) as string,
          runtimeVersionArn: expect.stringMatching(/^arn:aws:lambda:us-east-1::runtime:/) as string,
          functionName: `telemetry-${protocol}`,
          functionVersion: "$LATEST",
          instanceId: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/) as string,
          instanceMaxMemory: 256 * 1024 * 1024,
        });
        expect(recordOf(told, "platform.initReport")).toEqual({
          initializationType: "on-demand",
          phase: "init",
          status: "success",
          metrics: { durationMs: expect.any(Number) as number },
        });
        expect(bench.log()).toContain(
          "TELEMETRY\tName: telemetry.mjs\tState: Subscribed\tTypes: [Platform, Function, Extension]\n",
        );
        expect(recordOf(told, "platform.telemetrySubscription")).toEqual({
          name: "telemetry.mjs",
          state: "Subscribed",
          types: ["platform", "function", "extension"],
        });
        expect(recordOf(told, "platform.extension")).toEqual({
          name: "telemetry.mjs",
          state: "Ready",
          events: ["INVOKE", "SHUTDOWN"],
        });
        expect(recordOf(told, "platform.runtimeDone")).toMatchObject({
          status: "success",
          metrics: { producedBytes: 6 },
          spans: ["responseLatency", "responseDuration", "runtimeOverhead"].map((name) => ({
            name,
            start: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
            durationMs: expect.any(Number) as number,
          })),
        });
        expect(recordOf(told, "platform.report")).toMatchObject({
          status: "success",
          metrics: { memorySizeMB: 256, maxMemoryUsedMB: expect.any(Number) as number },
        });
        for (const type of ["platform.start", "platform.runtimeDone", "platform.report"])
          expect(recordOf(told, type)).toMatchObject({
            tracing: {
              spanId: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
              type: "X-Amzn-Trace-Id",
              value: expect.stringMatching(TRACED) as string,
            },
          });
        expect(recordOf(told, "function")).toMatch(/function speaks\n$/);
        expect(recordOf(told, "extension")).toBe("extension speaks\n");
      });

      it.each([
        // github.com/aws-samples/aws-lambda-extensions/issues/85: the runtime has done well.
        ["by its function's error", { fail: true }, { status: "success" }, "error"],
        ["by its end", { exit: true }, { status: "error", errorType: "Runtime.ExitError" }, "error"],
        ["by its time", { hang: true }, { status: "timeout" }, "timeout"],
      ])("tells that a runtime is done %s", async (how, event, end, status) => {
        const records = await ended(bench, how.replaceAll(/\W/g, "-"), event, { timeoutMs: 2000 });
        await until(() => {
          expect(records("platform.runtimeDone")).toEqual([
            {
              requestId: expect.any(String) as string,
              ...end,
              metrics: { durationMs: expect.any(Number) as number, producedBytes: 0 },
            },
          ]);
          expect(records("platform.report")).toMatchObject([{ status }]);
        });
      });

      it("tells of an init that fails, and of its repetition", async () => {
        const records = await ended(bench, "no-init", {}, { environment: { FAIL: "1" } });
        await until(() => {
          const done = ["init", "invoke"].map((phase) => ({
            initializationType: "on-demand",
            phase,
            status: "error",
            errorType: expect.any(String) as string,
          }));
          expect(records("platform.initStart")).toMatchObject([{ phase: "init" }, { phase: "invoke" }]);
          expect(records("platform.initRuntimeDone")).toEqual(done);
          expect(records("platform.initReport")).toEqual(
            done.map((record) => ({ ...record, metrics: { durationMs: expect.any(Number) as number } })),
          );
        });
      });

      it("refuses a subscription that it cannot serve, naming all that is wrong", async () => {
        const layer = await bench.layer({
          "extensions/picky": `#!/bin/bash
        API="http://$AWS_LAMBDA_RUNTIME_API"
        ID=$(curl -sS -D - -o /dev/null -H "Lambda-Extension-Name: picky" -d '{"events":[]}' "$API/2020-01-01/extension/register" \\
          | tr -d '\\r' | sed -n 's/^Lambda-Extension-Identifier: //p')
        curl -sS -w ' %{http_code}\\n' -X PUT -H "Lambda-Extension-Identifier: $ID" "$API/2022-07-01/telemetry" \\
          -d '{"types":[],"destination":{"protocol":"HTTP","URI":"http://example.com:80/"},"buffering":{"maxItems":5}}'
        curl -sS -w ' %{http_code}\\n' -X PUT "$API/2020-08-15/logs" -d '{}'
        curl -sS -H "Lambda-Extension-Identifier: $ID" "$API/2020-01-01/extension/event/next"
      `,
        });
        const spec = await bench.spec(
          { "index.js": "exports.handler = async () => 1;" },
          { name: "picky", layers: [layer] },
        );
        expect((await bench.invoke(spec)).payload).toBe(1);
        const log = bench.log();
        expect(log).toContain(
          '{"errorMessage":"types should not be empty; URI host must be sandbox.localdomain; maxItems must be between 1000 and 10000","errorType":"Telemetry.ValidationError"} 400\n',
        );
        expect(log).toContain('"errorType":"Extension.MissingExtensionIdentifier"} 403\n');
        bench.engine.retire(spec.id);
      });
    });

    describe("the Logs API", () => {
      it("tells what it knows, in its own words", async () => {
        const told = await telemetry(bench, "logs", {
          TELEMETRY_API: "Logs",
          TELEMETRY_SCHEMA: "2021-03-18",
        });
        expect(recordOf(told, "subscribed")).toEqual([200, '"OK"']);
        expect(typesOf(told).filter((type) => type.startsWith("platform."))).toEqual([
          "platform.logsSubscription",
          "platform.extension",
          "platform.start",
          "platform.runtimeDone",
          "platform.end",
          "platform.report",
        ]);
        expect(recordOf(told, "platform.runtimeDone")).toEqual({
          requestId: expect.any(String) as string,
          status: "success",
        });
        expect(recordOf(told, "function")).toMatch(/function speaks\n$/);
      });

      it("tells of a runtime that ended", async () => {
        const environment = { TELEMETRY_API: "Logs", TELEMETRY_SCHEMA: "2021-03-18" };
        const records = await ended(bench, "fault", { exit: true }, { environment });
        await until(() => {
          expect(records("platform.fault")).toEqual([
            expect.stringMatching(
              /^RequestId: \S+ Error: Runtime exited with error: exit status 3\nRuntime.ExitError$/,
            ),
          ]);
          expect(records("platform.runtimeDone")).toMatchObject([{ status: "failure" }]);
        });
      });
    });
  });
});
