import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#core/clock";
import type { FunctionSpec } from "#engine/contract";
import { createMetricSink } from "#telemetry/metric-sink";
import { has, openApiBench, program, WALLS } from "./support.ts";
import type { ApiBench } from "./support.ts";
import { until } from "../support/until.ts";

describe.each(WALLS)("in $walls", ({ walls, missing }) => {
  describe.skipIf(missing !== undefined)(missing ?? "extensions", () => {
    const metrics = createMetricSink({ clock: systemClock });
    let bench: ApiBench;
    beforeAll(async () => {
      bench = await openApiBench(walls, { metrics });
    });
    afterAll(() => bench.close());

    /** A Node.js function with an extension in a layer. */
    async function extended(
      environment: Record<string, string> = {},
      over: Partial<FunctionSpec> = {},
    ): Promise<FunctionSpec> {
      const layer = await bench.layer({ "extensions/watcher": program("extension.py") });
      return bench.spec(
        {
          "index.js": `exports.handler = async ({ sleep = 0, crash }) => {
        console.log("function speaks");
        if (crash) process.exit(4);
        await new Promise((resolve) => setTimeout(resolve, sleep));
        return "done";
      };`,
        },
        { layers: [layer], environment: { ...bench.variables, ...environment }, ...over },
      );
    }

    describe.skipIf(!has("python3"))("an external extension of a managed runtime", () => {
      it("lives through init, invoke and shutdown", async () => {
        const name = "whole-life";
        const spec = await extended({}, { name });
        const first = await bench.invoke(spec);
        expect(first.payload).toBe("done");
        expect(first.tail).toContain("EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n");
        // The log's tail ends when the extension is done too.
        expect(first.tail).toContain(`[watcher] invoke ${first.requestId} X-Amzn-Trace-Id\n`);
        expect((await bench.invoke(spec)).payload).toBe("done");
        expect(bench.log()).toContain(
          '[watcher] registered {"accountId":"000000000000","functionName":"whole-life","functionVersion":"$LATEST","handler":"index.handler"} handler variable None\n',
        );
        bench.engine.retire(spec.id);
        await until(() => expect(bench.log()).toContain("[watcher] shutdown for spindown"));
      });

      it("holds back the end of the invocation, but not the answer", async () => {
        const spec = await extended({ EXTENSION_MODE: "slow" }, { name: "slow-extension" });
        await bench.invoke(spec);
        const { requestId } = await bench.invoke(spec, {}, { tail: false });
        expect(bench.log()).not.toContain(`REPORT RequestId: ${requestId}`);
        expect(bench.engine.status().busy).toBe(1);
        await until(() => expect(bench.log()).toContain(`REPORT RequestId: ${requestId}`));
        const FunctionName = "slow-extension";
        const lingered = metrics
          .read()
          .filter(({ address }) => address.name === "PostRuntimeExtensionsDuration")
          .filter(({ address }) => address.dimensions["FunctionName"] === FunctionName)
          .map(({ address, minutes }) => [address.dimensions, minutes.every(({ min }) => min > 0)]);
        expect(lingered).toEqual([
          [{ FunctionName }, true],
          [{ FunctionName, Resource: FunctionName }, true],
        ]);
        const report = new RegExp(`REPORT RequestId: ${requestId}\tDuration: (\\d+)`).exec(bench.log());
        expect(Number(report?.[1])).toBeGreaterThanOrEqual(1500);
        bench.engine.retire(spec.id);
      });

      it("is told when the function runs out of time", async () => {
        const spec = await extended({}, { name: "timed-out", timeoutMs: 1000 });
        await bench.invoke(spec);
        expect((await bench.invoke(spec, { sleep: 60_000 })).payload).toMatchObject({
          errorType: "Sandbox.Timedout",
        });
        await until(() => expect(bench.log()).toContain("[watcher] shutdown for timeout"));
      });

      it("is told when the runtime ends", async () => {
        const spec = await extended({}, { name: "crashed" });
        await bench.invoke(spec);
        const answer = await bench.invoke(spec, { crash: true });
        expect(answer.payload).toEqual({
          errorType: "Runtime.ExitError",
          errorMessage: `RequestId: ${answer.requestId} Error: Runtime exited with error: exit status 4`,
        });
        await until(() => expect(bench.log()).toContain("[watcher] shutdown for failure with 2000.0 ms"));
        expect((await bench.invoke(spec)).payload).toBe("done");
        bench.engine.retire(spec.id);
      });

      it.each([
        ["crash at start", "Extension.Crash", "exit status 7"],
        ["init error", "Extension.InitError", "Fatal.ConnectFailed"],
        ["crash in invoke", "Extension.Crash", "exit status 7"],
      ])("ends the environment by its %s", async (mode, errorType, message) => {
        const spec = await extended({ EXTENSION_MODE: mode }, { name: mode.replaceAll(" ", "-") });
        const answer = await bench.invoke(spec, { sleep: 2000 });
        expect(answer).toMatchObject({
          functionError: "Unhandled",
          payload: { errorType, errorMessage: `RequestId: ${answer.requestId} Error: ${message}` },
        });
        await until(() => expect(bench.engine.status().environments).toBe(0));
      });

      it("is told once of an init that it fails itself", async () => {
        const spec = await extended({ EXTENSION_MODE: "init error" }, { name: "told-once" });
        await bench.invoke(spec);
        const told = bench.lines
          .filter(({ group }) => group === spec.logging.group)
          .filter(({ message }) => message.startsWith("EXTENSION\t"));
        const line =
          "EXTENSION\tName: watcher\tState: InitError\tEvents: [INVOKE, SHUTDOWN]\tError Type: Fatal.ConnectFailed\n";
        // In the init phase and in its repetition.
        expect(told.map(({ message }) => message)).toEqual([line, line]);
      });
    });

    describe("an extension that cannot be run", () => {
      it("fails the init, and is named in the log", async () => {
        const layer = await bench.package([
          { name: "extensions/plain", data: "#!/bin/sh\n", mode: 0o100644 },
          { name: "extensions/folder/other", data: "" },
        ]);
        const spec = await bench.spec(
          { "index.js": "exports.handler = async () => 1;" },
          { layers: [layer] },
        );
        const answer = await bench.invoke(spec);
        expect(answer.payload).toEqual({
          errorType: "Extension.LaunchError",
          errorMessage: `RequestId: ${answer.requestId} Error: fork/exec /opt/extensions/plain: permission denied`,
        });
        expect(bench.log()).toContain(
          "EXTENSION\tName: plain\tState: LaunchError\tEvents: []\tError Type: PermissionDenied\n",
        );
      });

      it("because there are ten others fails the init", async () => {
        const names = Array.from(
          { length: 11 },
          (_, index) => `extensions/e${String(index).padStart(2, "0")}`,
        );
        const layer = await bench.layer(Object.fromEntries(names.map((name) => [name, "#!/bin/sh\n"])));
        const spec = await bench.spec(
          { "index.js": "exports.handler = async () => 1;" },
          { name: "eleven", layers: [layer] },
        );
        const answer = await bench.invoke(spec);
        expect(answer.payload).toEqual({
          errorType: "Extension.LaunchError",
          errorMessage: `RequestId: ${answer.requestId} Error: ErrTooManyExtensions`,
        });
        expect(bench.log()).toContain(
          "EXTENSION\tName: e10\tState: LaunchError\tEvents: []\tError Type: TooManyExtensions\n",
        );
      });
    });

    describe("an internal extension", () => {
      it("registers from within the function's own process", async () => {
        const layer = await bench.layer({
          wrapper: '#!/bin/sh\nexport WRAPPED="$*"\nexec "$@"\n',
        });
        const spec = await bench.spec(
          {
            "index.mjs": `
          const api = "http://" + process.env.AWS_LAMBDA_RUNTIME_API + "/2020-01-01/extension/";
          const registered = await fetch(api + "register", {
            method: "POST", headers: { "Lambda-Extension-Name": "inner" }, body: '{"events":["INVOKE"]}' });
          const headers = { "Lambda-Extension-Identifier": registered.headers.get("lambda-extension-identifier") };
          const seen = [];
          const next = async () => {
            for (;;) seen.push((await (await fetch(api + "event/next", { headers })).json()).requestId);
          };
          next();
          export const handler = async (event, context) => {
            while (!seen.includes(context.awsRequestId)) await new Promise((resolve) => setTimeout(resolve, 5));
            return { status: registered.status, wrapped: process.env.WRAPPED };
          };`,
          },
          {
            name: "inner",
            layers: [layer],
            environment: { AWS_LAMBDA_EXEC_WRAPPER: "WRAPPER" },
          },
        );
        // Where guests see the host's paths, /opt is a folder of the platform's.
        const probe = await bench.spec(
          { "index.js": 'exports.handler = async () => process.env.LD_LIBRARY_PATH.split(":").at(-1);' },
          { layers: [layer] },
        );
        const opt = String((await bench.invoke(probe)).payload).replace(/\/lib$/, "");
        bench.engine.retire(probe.id);
        const wrapped = { ...spec, environment: { AWS_LAMBDA_EXEC_WRAPPER: `${opt}/wrapper` } };
        for (let round = 0; round < 2; round++) {
          const { payload } = await bench.invoke(wrapped);
          expect(payload).toEqual({
            status: 200,
            wrapped: expect.stringMatching(/^\S*node\S* .*bootstrap\.cjs$/) as string,
          });
        }
        expect(bench.log()).toContain("EXTENSION\tName: inner\tState: Ready\tEvents: [INVOKE]\n");
        bench.engine.retire(wrapped.id);
      });
    });

    describe("a wrapper script that is not there", () => {
      it("ends the runtime with status 127", async () => {
        const spec = await bench.spec(
          { "index.js": "exports.handler = async () => 1;" },
          { environment: { AWS_LAMBDA_EXEC_WRAPPER: "/nowhere/wrapper" } },
        );
        const answer = await bench.invoke(spec);
        expect(answer.payload).toMatchObject({
          errorMessage: `RequestId: ${answer.requestId} Error: Runtime exited with error: exit status 127`,
        });
        expect(bench.log()).toContain("/nowhere/wrapper: does not exist\n");
      });
    });

    describe.skipIf(!has("python3"))(
      "an extension that is the runtime's client, as Lambda Web Adapter is",
      () => {
        it("passes events on to the web server that `bootstrap` runs", async () => {
          const layer = await bench.layer({ "extensions/web-adapter": program("web-adapter.py") });
          const server = createServer().listen(0, "127.0.0.1");
          await new Promise((resolve) => server.once("listening", resolve));
          const { port } = server.address() as AddressInfo;
          await new Promise((resolve) => server.close(resolve));
          const spec = await bench.provided(
            {
              bootstrap: `#!/usr/bin/env node
          require("node:http").createServer(async (request, response) => {
            let text = "";
            for await (const chunk of request) text += chunk;
            response.end(JSON.stringify({ path: request.url, got: text === "" ? null : JSON.parse(text) }));
          }).listen(process.env.PORT, "127.0.0.1");`,
            },
            { name: "web", layers: [layer], environment: { ...bench.variables, PORT: String(port) } },
          );
          for (const n of [1, 2]) {
            const answer = await bench.invoke(spec, { n });
            expect(answer.payload).toEqual({ path: "/events", got: { n } });
          }
          bench.engine.retire(spec.id);
        });
      },
    );
  });
});
