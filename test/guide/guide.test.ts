import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  type Runtime,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { run, works } from "../support/tools.ts";
import { zipOf } from "../support/zip.ts";

const folder = join(import.meta.dirname, "..", "..", "examples", "guide");
const python = works("python3", "-c", "import boto3");

/** `python3.11`, of the Python that has boto3. */
async function pythonRuntime(): Promise<Runtime> {
  const { stdout } = await run("python3", ["-c", "import sys; print(f'python3.{sys.version_info.minor}')"]);
  return stdout.trim() as Runtime;
}

describe.skipIf(!python)("the guide's asynchronous example (needs a python3 with boto3)", () => {
  let platform: TestPlatform;
  let lambda: LambdaClient;

  beforeAll(async () => {
    platform = await startPlatform();
    lambda = new LambdaClient(clientFor(platform.url));
  });
  afterAll(async () => {
    expect(await platform.stop()).toBe(0);
  });

  async function deploy(name: string, source: string): Promise<void> {
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Runtime: await pythonRuntime(),
        Handler: "app.handler",
        Timeout: 30,
        Role: "arn:aws:iam::000000000000:role/thaw-basic-execution",
        Code: { ZipFile: await zipOf({ "app.py": source }) },
      }),
    );
    const waiter = { client: lambda, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.2 };
    await waitUntilFunctionActiveV2(waiter, { FunctionName: name });
  }

  async function invoke(name: string) {
    const payload = Buffer.from('{"order_id":42}');
    const response = await lambda.send(new InvokeCommand({ FunctionName: name, Payload: payload }));
    return { error: response.FunctionError, body: Buffer.from(response.Payload ?? []).toString("utf8") };
  }

  it("fails unrepaired, as on AWS, and works with its missing import", async () => {
    const read = (example: string) => readFile(join(folder, example, "app.py"), "utf8");
    const repaired = await read("09-invokes-async");
    await deploy("my-async-function", await read("08-my-async-function"));
    await deploy("unrepaired", repaired.replace("import json\n", ""));
    await deploy("repaired", repaired);

    const unrepaired = await invoke("unrepaired");
    expect(unrepaired.error).toBe("Unhandled");
    expect(JSON.parse(unrepaired.body)).toMatchObject({
      errorType: "NameError",
      errorMessage: expect.stringContaining("name 'json' is not defined") as string,
    });

    expect(await invoke("repaired")).toEqual({ error: undefined, body: "null" });
    const logs = new CloudWatchLogsClient(clientFor(platform.url));
    const query = { logGroupName: "/aws/lambda/my-async-function", filterPattern: "got" };
    await vi.waitFor(
      async () => {
        const { events = [] } = await logs.send(new FilterLogEventsCommand(query));
        expect(events.map(({ message }) => message?.trim())).toEqual([
          "my-async-function got {'order_id': 42}",
        ]);
      },
      { timeout: 20_000, interval: 50 },
    );
  });
});

it("every example of the folder tells how it is deployed", async () => {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.filter((each) => each.isDirectory())) {
    const text = await readFile(join(folder, entry.name, "function.json"), "utf8");
    expect(JSON.parse(text)).toMatchObject({
      name: expect.any(String) as string,
      handler: expect.any(String) as string,
    });
  }
});
