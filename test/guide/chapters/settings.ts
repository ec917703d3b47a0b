import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { beforeAll, expect, it } from "vitest";
import { noCli, type Reader, settingsFile } from "../support.ts";

const CONFIGURATION = "update-function-configuration";

/** The guide's own settings, the command that each is for, and the file with the repaired ones. */
const SETTINGS = [
  {
    file: "3.1-memory",
    command: CONFIGURATION,
    unrepaired: { functionName: "my-function", memorySize: 1024 },
    repaired: { MemorySize: 1024 },
  },
  {
    file: "6.2-concurrency",
    command: "put-function-concurrency",
    unrepaired: { functionName: "my-function", reservedConcurrentExecutions: 100 },
    repaired: { ReservedConcurrentExecutions: 100 },
  },
  {
    file: "7.1-timeout",
    command: CONFIGURATION,
    unrepaired: { functionName: "my-function", timeout: 300 },
    repaired: { Timeout: 300 },
  },
] as const;

const FunctionName = "my-function";

export function settings(reader: () => Reader): void {
  /** What of the settings the function has. */
  async function current() {
    const { lambda } = reader();
    const { MemorySize, Timeout } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    const { ReservedConcurrentExecutions } = await lambda.send(
      new GetFunctionConcurrencyCommand({ FunctionName }),
    );
    return { MemorySize, Timeout, ReservedConcurrentExecutions };
  }
  const FRESH = { MemorySize: 128, Timeout: 1, ReservedConcurrentExecutions: undefined };

  beforeAll(() => reader().deploy("7.1-my-function"));

  it("my-function times out at first", async () => {
    expect(await reader().invoke(FunctionName)).toMatchObject({
      error: "Unhandled",
      body: { errorType: "Sandbox.Timedout" },
      log: expect.stringContaining("Task timed out after 1.00 seconds") as string,
    });
  });

  it.skipIf(noCli)("unrepaired, the AWS CLI refuses each (needs `aws` on PATH)", async () => {
    const folder = await mkdtemp(join(tmpdir(), "thaw-settings-"));
    try {
      const tried = SETTINGS.map(async ({ file, command, unrepaired }) => {
        const path = join(folder, `${file}.json`);
        await writeFile(path, JSON.stringify(unrepaired));
        const { code, stdout, stderr } = await reader().aws(
          "lambda",
          command,
          "--cli-input-json",
          `file://${path}`,
        );
        expect(code).not.toBe(0);
        expect(stdout).toBe("");
        for (const name of Object.keys(unrepaired))
          expect(stderr).toContain(`Unknown parameter in input: "${name}", must be one of: FunctionName, `);
      });
      await Promise.all(tried);
    } finally {
      await rm(folder, { recursive: true });
    }
    expect(await current()).toEqual(FRESH);
  });

  it("unrepaired, a request without the CLI changes nothing, as on AWS", async () => {
    const client = new LambdaClient(reader().settings);
    let body = "";
    client.middlewareStack.add(
      (next) => (args) => {
        const { request } = args as { request: { body: string; headers: Record<string, string> } };
        request.body = body;
        request.headers["content-length"] = String(body.length);
        return next(args);
      },
      { step: "build", priority: "low" },
    );
    const [memory, concurrency, timeout] = SETTINGS;
    // Members that an operation does not have are ignored.
    for (const { unrepaired } of [memory, timeout]) {
      body = JSON.stringify(unrepaired);
      await client.send(new UpdateFunctionConfigurationCommand({ FunctionName }));
      await reader().updated(FunctionName);
    }
    body = JSON.stringify(concurrency.unrepaired);
    // And this operation lacks then what it must have.
    await expect(
      client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 1 })),
    ).rejects.toThrow(
      "Value null at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must not be null",
    );
    expect(await current()).toEqual(FRESH);
  });

  it.skipIf(noCli)(
    "repaired, the AWS CLI applies each, and my-function ends (needs `aws` on PATH)",
    async () => {
      for (const { file, command, repaired } of SETTINGS) {
        const { stdout, stderr } = await reader().aws(
          "lambda",
          command,
          "--cli-input-json",
          `file://${settingsFile(file)}`,
        );
        expect(stderr).toBe("");
        expect(JSON.parse(stdout)).toMatchObject(repaired);
        await reader().updated(FunctionName);
      }
      expect(await current()).toEqual({ MemorySize: 1024, Timeout: 300, ReservedConcurrentExecutions: 100 });
      expect(await reader().invoke(FunctionName)).toMatchObject({
        error: undefined,
        body: { status: "done" },
        log: expect.stringContaining("Memory Size: 1024 MB") as string,
      });
    },
  );
}
