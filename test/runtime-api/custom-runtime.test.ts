import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { has, openApiBench, program, WALLS } from "./support.ts";
import type { ApiBench } from "./support.ts";
import { until } from "../support/until.ts";

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "thaw-programs-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const source = (name: string): string => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

/** The runtime of AWS Lambda Developer Guide, "Tutorial: Building a custom runtime", as written there. */
const TUTORIAL = {
  bootstrap: `#!/bin/sh

set -euo pipefail

# Initialization - load function handler
source $LAMBDA_TASK_ROOT/"$(echo $_HANDLER | cut -d. -f1).sh"

# Processing
while true
do
  HEADERS="$(mktemp)"
  # Get an event. The HTTP request will block until one is received
  EVENT_DATA=$(curl -sS -LD "$HEADERS" "http://\${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next")

  # Extract request ID by scraping response headers received above
  REQUEST_ID=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$HEADERS" | tr -d '[:space:]' | cut -d: -f2)

  # Run the handler function from the script
  RESPONSE=$($(echo "$_HANDLER" | cut -d. -f2) "$EVENT_DATA")

  # Send the response
  curl "http://\${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/$REQUEST_ID/response"  -d "$RESPONSE"
done
`,
  "function.sh": `function handler () {
  EVENT_DATA=$1
  echo "$EVENT_DATA" 1>&2;
  RESPONSE="Echoing request: '$EVENT_DATA'"

  echo $RESPONSE
}
`,
};

describe.each(WALLS)("in $walls", ({ walls, missing }) => {
  describe.skipIf(missing !== undefined)(missing ?? "custom runtimes", () => {
    let bench: ApiBench;
    beforeAll(async () => {
      bench = await openApiBench(walls);
    });
    afterAll(() => bench.close());

    describe.skipIf(!has("curl") || !has("bash"))("a custom runtime in shell", () => {
      it("runs unchanged, as AWS's tutorial has it", async () => {
        const spec = await bench.provided(TUTORIAL, { handler: "function.handler" });
        for (const text of ["one", "two"]) {
          const result = await bench.engine.invoke({
            spec,
            requestId: `request-${text}`,
            invokedArn: spec.arn,
            payload: Buffer.from(JSON.stringify({ text })),
            clientContext: undefined,
            traceHeader: undefined,
            tail: true,
          });
          expect(Buffer.from(result.payload).toString()).toBe(`Echoing request: '{"text":"${text}"}'`);
          expect(result.functionError).toBeUndefined();
          expect(Buffer.from(result.logTail ?? []).toString()).toContain(`{"text":"${text}"}\n`);
        }
        expect(bench.engine.status().environments).toBe(1);
        bench.engine.retire(spec.id);
      });
    });

    describe.skipIf(!has("go"))("a custom runtime in Go", () => {
      it("serves events, tells errors and is replaced when it exits", async () => {
        const binary = join(scratch, "go-bootstrap");
        execFileSync("go", ["build", "-o", binary, source("bootstrap.go")], {
          env: { ...process.env, CGO_ENABLED: "0", GOCACHE: join(scratch, "go-cache"), GOFLAGS: "-mod=mod" },
        });
        const spec = await bench.provided({ bootstrap: readFileSync(binary) });
        const answer = await bench.invoke(spec, { name: "Ann" });
        expect(answer.payload).toMatchObject({ hello: "Ann" });
        expect(answer.tail).toContain("handling Ann\n");
        expect(answer.tail).toContain("Init Duration");
        expect(await bench.invoke(spec, { name: "Bob", fail: true })).toMatchObject({
          functionError: "Unhandled",
          payload: { errorMessage: "as asked", errorType: "errorString" },
        });
        const dead = await bench.invoke(spec, { exit: 3 });
        expect(dead).toMatchObject({
          functionError: "Unhandled",
          payload: {
            errorType: "Runtime.ExitError",
            errorMessage: `RequestId: ${dead.requestId} Error: Runtime exited with error: exit status 3`,
          },
        });
        expect((await bench.invoke(spec, { name: "Cy" })).payload).toMatchObject({ hello: "Cy" });
        bench.engine.retire(spec.id);
      });
    });

    describe.skipIf(!has("rustc"))("a custom runtime in Rust", () => {
      it("serves events", async () => {
        const binary = join(scratch, "rust-bootstrap");
        execFileSync("rustc", ["--edition", "2021", "-o", binary, source("bootstrap.rs")]);
        const spec = await bench.provided({ bootstrap: readFileSync(binary) }, { runtime: "provided.al2" });
        for (const n of [1, 2]) {
          const answer = await bench.invoke(spec, { n });
          expect(answer.payload).toEqual({ n });
          expect(answer.tail).toContain(`rust sees {"n":${n}}\n`);
        }
        bench.engine.retire(spec.id);
      });
    });

    describe.skipIf(!has("python3"))("a custom runtime in Python", () => {
      it("finds its variables and its client context", async () => {
        const spec = await bench.provided(
          { bootstrap: program("bootstrap.py") },
          { environment: { TRICKY: "a 'b' \"c\" $HOME `d` \\ \n e\n", ...bench.variables } },
        );
        const answer = await bench.invoke(spec, {}, { clientContext: '{"custom":{"k":"v"}}' });
        expect(answer.payload).toMatchObject({
          context: '{"custom":{"k":"v"}}',
          variables: {
            TRICKY: "a 'b' \"c\" $HOME `d` \\ \n e\n",
            AWS_LAMBDA_FUNCTION_NAME: "hello",
            _HANDLER: "index.handler",
          },
        });
        // Recorded: test_introspection_invoke[provided.al2023].
        expect((answer.payload as { variables: object }).variables).not.toHaveProperty("AWS_EXECUTION_ENV");
        expect((answer.payload as { deadline: number }).deadline).toBeGreaterThan(Date.now() - 60_000);
        bench.engine.retire(spec.id);
      });

      it("that misbehaves is refused, and harms no later event", async () => {
        const spec = await bench.provided(
          { bootstrap: program("bootstrap.py") },
          { environment: bench.variables },
        );
        expect((await bench.invoke(spec, { wrongId: true })).payload).toMatchObject({ statuses: [400, 403] });
        expect((await bench.invoke(spec, { twice: true })).payload).toMatchObject({ statuses: [] });
        await until(() => expect(bench.log()).toContain("second answer: 403"));
        expect(await bench.invoke(spec, { large: 7_000_000 })).toMatchObject({
          functionError: "Unhandled",
          payload: { errorType: "Function.ResponseSizeTooLarge" },
        });
        expect((await bench.invoke(spec, {})).functionError).toBeUndefined();
        expect(bench.engine.status().environments).toBe(1);
        bench.engine.retire(spec.id);
      });

      it("is killed when it runs out of time, and replaced", async () => {
        const spec = await bench.provided(
          { bootstrap: program("bootstrap.py") },
          { timeoutMs: 4000, environment: bench.variables },
        );
        const late = await bench.invoke(spec, { sleep: 60 });
        expect(late.payload).toEqual({
          errorType: "Sandbox.Timedout",
          errorMessage: `RequestId: ${late.requestId} Error: Task timed out after 4.00 seconds`,
        });
        expect((await bench.invoke(spec, {})).functionError).toBeUndefined();
        bench.engine.retire(spec.id);
      });

      it("tells that its init failed by its own document", async () => {
        const spec = await bench.provided(
          { bootstrap: program("bootstrap.py") },
          { environment: { FAIL_INIT: "1", ...bench.variables } },
        );
        const answer = await bench.invoke(spec);
        expect(answer).toMatchObject({
          functionError: "Unhandled",
          payload: { errorMessage: "cannot load", errorType: "Runtime.ImportModuleError", stackTrace: [] },
        });
        expect(bench.log()).toContain("Status: error\tError Type: Runtime.ImportModuleError");
      });
    });

    describe("a hostile runtime", () => {
      it("holds up no other function, whatever it sends to its Runtime API", async () => {
        const hostile = await bench.provided(
          { bootstrap: program("hostile.mjs") },
          { name: "hostile", timeoutMs: 3000, environment: bench.variables },
        );
        const neighbour = await bench.spec({ "index.js": "exports.handler = async (event) => event;" });
        await bench.invoke(neighbour, 0);
        const attack = bench.invoke(hostile);
        let served = 0;
        const state = { over: false };
        void attack.then(() => (state.over = true));
        while (!state.over) {
          expect((await bench.invoke(neighbour, served)).payload).toBe(served);
          served++;
        }
        expect(served).toBeGreaterThan(0);
        // It answers in the end, or runs out of time: the worst that it can do is to end its own environment.
        expect(["Sandbox.Timedout", undefined]).toContain(
          ((await attack).payload as { errorType?: string }).errorType,
        );
        bench.engine.retire(neighbour.id);
        bench.engine.retire(hostile.id);
      });
    });

    describe("a bootstrap that cannot be run", () => {
      it.each([
        [
          "is missing",
          { other: "" },
          0o755,
          "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
        ],
        [
          "is not executable",
          { bootstrap: "#!/bin/sh\n" },
          0o644,
          "fork/exec /var/task/bootstrap: permission denied",
        ],
        ["is no program", { bootstrap: "hello" }, 0o755, "fork/exec /var/task/bootstrap: exec format error"],
        [
          "needs an interpreter that is not there",
          { bootstrap: "#!/nowhere/sh\n" },
          0o755,
          "fork/exec /var/task/bootstrap: no such file or directory",
        ],
      ])("because it %s is told in AWS's words", async (_why, files, mode, message) => {
        const code = await bench.package(
          Object.entries(files).map(([name, data]) => ({ name, data, mode: 0o100_000 | mode })),
        );
        const spec = await bench.provided({}, { code });
        const answer = await bench.invoke(spec);
        const { errorType, errorMessage } = answer.payload as { errorType: string; errorMessage: string };
        expect(errorType).toBe("Runtime.InvalidEntrypoint");
        expect(
          errorMessage.replaceAll(/\/\S*\/code\/[^/\s]+(?:\/[^/\s]+)*(?=\/bootstrap)/g, "/var/task"),
        ).toBe(`RequestId: ${answer.requestId} Error: ${message}`);
      });
    });
  });
});
