import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
  type CreateFunctionRequest,
  type LambdaClient,
} from "@aws-sdk/client-lambda";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { managedRuntime } from "#engine/runtimes/catalogue";
import { RuntimeDiscovery } from "#engine/runtimes/discover";
import { create, lambdaFor, temporaryFolder } from "../lifecycle/support.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { zipOf } from "../support/zip.ts";

const folder = temporaryFolder();
/** Those that a failing test leaves running. */
let started: TestPlatform[] = [];
afterEach(async () => {
  await Promise.all(started.map((platform) => platform.stop("SIGKILL")));
  started = [];
});

async function start(...flags: readonly string[]): Promise<TestPlatform> {
  const platform = await startPlatform(flags);
  started.push(platform);
  return platform;
}

const FunctionName = "fn";
const CODE = `
import os
from snapshot_restore_py import register_after_restore
told = [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]
if "BROKEN" in os.environ and told != ["on-demand"]:
    raise ValueError("not this one")
register_after_restore(told.append, "restored")
def handler(event, context):
    return told
`;

/** One that SnapStart is for and this host has. */
async function snapStartRuntime(): Promise<CreateFunctionRequest["Runtime"] | undefined> {
  const discovery = new RuntimeDiscovery({ folder: join(folder, "none"), path: process.env["PATH"] ?? "" });
  for (const name of ["python3.13", "python3.12", "python3.14"] as const) {
    const runtime = managedRuntime(name);
    // oxlint-disable-next-line no-await-in-loop
    if (runtime !== undefined && (await discovery.find(runtime)) !== undefined) return name;
  }
  return undefined;
}

const Runtime = await snapStartRuntime();

async function invoke(lambda: LambdaClient, Qualifier?: string): Promise<{ told: unknown; report: string }> {
  const { Payload, LogResult } = await lambda.send(
    new InvokeCommand({ FunctionName, Qualifier, LogType: "Tail" }),
  );
  const report = Buffer.from(LogResult ?? "", "base64").toString();
  return { told: JSON.parse(Buffer.from(Payload ?? []).toString()) as unknown, report };
}

async function publish(lambda: LambdaClient, Version: string, State: string): Promise<void> {
  expect(await lambda.send(new PublishVersionCommand({ FunctionName, Description: Version }))).toMatchObject({
    Version,
    State: "Pending",
    SnapStart: { ApplyOn: "PublishedVersions", OptimizationStatus: "On" },
  });
  const get = new GetFunctionConfigurationCommand({ FunctionName, Qualifier: Version });
  await expect.poll(() => lambda.send(get), { timeout: 20_000 }).toMatchObject({ State });
}

describe("SnapStart, through Lambda's API", () => {
  it("restores published versions alone, fails those whose init fails, and comes back after a crash", async ({
    skip,
  }) => {
    if (Runtime === undefined) skip("this host has no Python that Lambda has SnapStart for");
    const data = join(folder, "data");
    const first = await start("--data", data);
    const lambda = lambdaFor(first.url);
    const Code = { ZipFile: await zipOf({ "index.py": CODE }) };
    await create(lambda, FunctionName, "", { Runtime, Code, SnapStart: { ApplyOn: "PublishedVersions" } });
    expect((await invoke(lambda)).told).toEqual(["on-demand"]);
    await publish(lambda, "1", "Active");
    const restored = await invoke(lambda, "1");
    expect(restored.told).toEqual(["snap-start", "restored"]);
    expect(restored.report).toMatch(/\tRestore Duration: [\d.]+ ms\tBilled Restore Duration: \d+ ms\t\n$/);
    const broken = { FunctionName, Environment: { Variables: { BROKEN: "1" } } };
    await lambda.send(new UpdateFunctionConfigurationCommand(broken));
    await waitUntilFunctionUpdatedV2(
      { client: lambda, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.2 },
      { FunctionName },
    );
    await publish(lambda, "2", "Failed");
    expect((await invoke(lambda)).told).toEqual(["on-demand"]);
    await first.stop("SIGKILL");

    const second = await start("--data", data);
    const again = lambdaFor(second.url);
    // What was initialised has gone with the platform: this one says that it was initialised by itself.
    const normal = await invoke(again, "1");
    expect(normal.told).toEqual(["snap-start", "restored"]);
    expect(normal.report).toContain("Init Duration");
    expect(await second.stop()).toBe(0);
  });
});
