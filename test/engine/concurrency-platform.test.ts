import {
  CreateAliasCommand,
  DeleteFunctionConcurrencyCommand,
  GetAccountSettingsCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  TooManyRequestsException,
  type LambdaClient,
} from "@aws-sdk/client-lambda";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { create, lambdaFor, temporaryFolder } from "../lifecycle/support.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";

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
const TYPE = `exports.handler = async () => process.env.AWS_LAMBDA_INITIALIZATION_TYPE;`;

async function invoke(lambda: LambdaClient, Qualifier?: string): Promise<unknown> {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName, Qualifier }));
  return JSON.parse(Buffer.from(Payload ?? []).toString()) as unknown;
}

async function ready(lambda: LambdaClient, Qualifier: string, allocated: number): Promise<void> {
  const get = new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier });
  await expect
    .poll(() => lambda.send(get), { timeout: 20_000 })
    .toMatchObject({
      Status: "READY",
      RequestedProvisionedConcurrentExecutions: allocated,
      AllocatedProvisionedConcurrentExecutions: allocated,
      AvailableProvisionedConcurrentExecutions: allocated,
    });
}

describe("concurrency, through Lambda's API", () => {
  it("throttles as recorded, gives versions their environments ahead, and keeps both over a crash", async () => {
    const data = join(folder, "data");
    const first = await start("--data", data);
    const lambda = lambdaFor(first.url);
    await create(lambda, FunctionName, TYPE);
    expect(await invoke(lambda)).toBe("on-demand");
    await lambda.send(new PublishVersionCommand({ FunctionName }));
    await lambda.send(new CreateAliasCommand({ FunctionName, Name: "live", FunctionVersion: "1" }));

    // Recorded as test_lambda_concurrency_block: what is provisioned is all that was reserved.
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 1 }));
    const put = { FunctionName, Qualifier: "live", ProvisionedConcurrentExecutions: 1 };
    expect(await lambda.send(new PutProvisionedConcurrencyConfigCommand(put))).toMatchObject({
      $metadata: { httpStatusCode: 202 },
      Status: "IN_PROGRESS",
    });
    await ready(lambda, "live", 1);
    const throttle = await invoke(lambda).catch((error: unknown) => error);
    expect(throttle).toBeInstanceOf(TooManyRequestsException);
    expect(throttle).toMatchObject({
      message: "Rate Exceeded.",
      Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
      Type: "User",
      retryAfterSeconds: "1",
      $metadata: { httpStatusCode: 429 },
    });
    expect(await invoke(lambda, "live")).toBe("provisioned-concurrency");
    await first.stop("SIGKILL");

    const second = await start("--data", data);
    const restarted = lambdaFor(second.url);
    await ready(restarted, "live", 1);
    expect(await invoke(restarted, "live")).toBe("provisioned-concurrency");
    await expect(invoke(restarted)).rejects.toMatchObject({ name: "TooManyRequestsException" });
    const { AccountLimit } = await restarted.send(new GetAccountSettingsCommand({}));
    expect(AccountLimit).toMatchObject({
      ConcurrentExecutions: 1000,
      UnreservedConcurrentExecutions: 999,
    });
    await restarted.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
    expect(await invoke(restarted)).toBe("on-demand");
    expect(await second.stop()).toBe(0);
  });

  it("begins anew after a reset", async () => {
    const platform = await start("--allow-reset");
    const lambda = lambdaFor(platform.url);
    await create(lambda, FunctionName, TYPE);
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
    await expect(invoke(lambda)).rejects.toMatchObject({ name: "TooManyRequestsException" });
    const reset = await fetch(`${platform.url}/_thaw/reset`, { method: "POST" });
    expect(reset.ok).toBe(true);
    await create(lambda, FunctionName, TYPE);
    expect(await invoke(lambda)).toBe("on-demand");
    expect(await platform.stop()).toBe(0);
  });
});
