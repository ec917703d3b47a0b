import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DeleteProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  type LambdaClient,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create, HELLO, lambdaFor, temporaryFolder, until } from "../lifecycle/support.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { thaw } from "./support.ts";

const folder = temporaryFolder();
const data = join(folder, "data");
let platform: TestPlatform;
let lambda: LambdaClient;

const client = (...args: string[]) => thaw(["cost", ...args, "--endpoint", platform.url]);

interface Sheet {
  readonly prices: object;
  readonly rows: readonly ({ readonly function: string; readonly cost: { readonly total: number } } & Record<
    | "requests"
    | "billedMs"
    | "coldMs"
    | "gbSeconds"
    | "storageGbSeconds"
    | "provisionedGbSeconds"
    | "streamedBytes",
    number
  >)[];
  readonly total: { readonly requests: number };
}

async function sheet(...args: string[]): Promise<Sheet> {
  const { code, stdout, stderr } = await client("--json", ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as Sheet;
}

const row = async (name: string) => (await sheet()).rows.find((each) => each.function === name);

/** Invokes a function and tells what its REPORT says was billed. */
async function billed(name: string, Qualifier?: string): Promise<{ ms: number; init: number | undefined }> {
  const { LogResult = "" } = await lambda.send(
    new InvokeCommand({ FunctionName: name, Qualifier, LogType: "Tail" }),
  );
  const log = Buffer.from(LogResult, "base64").toString();
  const init = /Init Duration: ([\d.]+) ms/.exec(log)?.[1];
  return {
    ms: Number(/Billed Duration: (\d+) ms/.exec(log)?.[1]),
    init: init === undefined ? undefined : Number(init),
  };
}

const STREAMS = `exports.handler = awslambda.streamifyResponse(async (_, stream) => {
  stream.write(Buffer.alloc(7 * 1024 * 1024));
  stream.end();
});`;

async function open(): Promise<void> {
  platform = await startPlatform(["--data", data]);
  lambda = lambdaFor(platform.url);
}

beforeAll(async () => {
  await open();
  await create(lambda, "cart", HELLO, { MemorySize: 256, EphemeralStorage: { Size: 1536 } });
  await create(lambda, "streams", STREAMS);
  await create(lambda, "kept", HELLO, { MemorySize: 512 });
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
});

describe.sequential("thaw cost", () => {
  let ms = 0;

  it("says that nothing has run", async () => {
    expect(await client()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Nothing has run since \d{4}-\d\d-\d\d\.\n$/) as string,
    });
  });

  it("counts what REPORT bills, init included, by memory and storage", async () => {
    const cold = await billed("cart");
    const warm = await billed("cart");
    expect(cold.init).toBeGreaterThan(0);
    ms = cold.ms + warm.ms;
    const found = await row("cart");
    expect(found).toMatchObject({ requests: 2, billedMs: ms, coldMs: Math.ceil(cold.init ?? 0) });
    expect(found?.gbSeconds).toBeCloseTo((0.25 * ms) / 1000, 10);
    expect(found?.storageGbSeconds).toBeCloseTo((1 * ms) / 1000, 10);
    const price = 2 * 0.0000002 + ((0.25 * ms) / 1000) * 0.0000166667 + (ms / 1000) * 0.0000000309;
    expect(found?.cost.total).toBeCloseTo(price, 12);
    const { stdout } = await client("cart");
    const day = new Date().toISOString().slice(0, 8);
    expect(stdout).toMatch(
      new RegExp(`^${day}\\d\\d +2 +${ms.toLocaleString("en-US")} +\\d+ +0\\.\\d+ +\\$0\\.0`, "m"),
    );
    expect(stdout).toMatch(/^total +2 /m);
    expect(stdout).toMatch(
      /US dollars; AWS's public price list, AWSLambda of \d{4}-\d\d, without the free tier/,
    );
    expect(
      (await sheet("--free-tier")).rows.find((each) => each.function === "cart")?.cost.total,
    ).toBeCloseTo((ms / 1000) * 0.0000000309, 14);
  });

  it("counts streamed bytes beyond 6 MB", async () => {
    const { EventStream } = await lambda.send(
      new InvokeWithResponseStreamCommand({ FunctionName: "streams" }),
    );
    let bytes = 0;
    for await (const { PayloadChunk } of EventStream ?? []) bytes += PayloadChunk?.Payload?.length ?? 0;
    expect(bytes).toBe(7 * 1024 * 1024);
    expect(await row("streams")).toMatchObject({ requests: 1, streamedBytes: 1024 * 1024 });
  });

  it("counts provisioned concurrency while it is configured, to five minutes", async () => {
    const of = { FunctionName: "kept", Qualifier: "1" };
    await lambda.send(new PublishVersionCommand({ FunctionName: "kept" }));
    await lambda.send(
      new PutProvisionedConcurrencyConfigCommand({ ...of, ProvisionedConcurrentExecutions: 2 }),
    );
    await until(async () => expect((await row("kept"))?.provisionedGbSeconds).toBeGreaterThan(0));
    await lambda.send(new DeleteProvisionedConcurrencyConfigCommand(of));
    // Of two environments with half a gigabyte.
    expect((await row("kept"))?.provisionedGbSeconds).toBeCloseTo(300, 0);
  });

  it("keeps what it told, though the platform is killed, and over a restart", async () => {
    const { ms: last } = await billed("cart");
    const told = await sheet();
    expect(await row("cart")).toMatchObject({ requests: 3, billedMs: ms + last });
    platform.kill("SIGKILL");
    await platform.stop();
    await open();
    expect(await sheet()).toEqual(told);
    expect(await platform.stop()).toBe(0);
    await open();
    expect(await sheet()).toEqual(told);
  });

  it("takes other prices, and says where there are none of a region", async () => {
    const shown = await client("--show-prices");
    const prices = JSON.parse(shown.stdout) as {
      source: string;
      regions: Record<string, { request: number }>;
    };
    prices.source = "a contract";
    for (const region of Object.values(prices.regions)) region.request = 1;
    const file = join(folder, "prices.json");
    writeFileSync(file, JSON.stringify(prices));
    const found = await sheet("--prices", file);
    expect(found.prices).toMatchObject({ source: "a contract", unknownRegions: [] });
    expect(found.rows.find((each) => each.function === "cart")?.cost.total).toBeGreaterThan(3);
    delete prices.regions["us-west-2"];
    writeFileSync(file, JSON.stringify(prices));
    const elsewhere = lambdaFor(platform.url);
    elsewhere.config.region = () => Promise.resolve("us-west-2");
    await create(elsewhere, "west", HELLO);
    await elsewhere.send(new InvokeCommand({ FunctionName: "west" }));
    const { stdout } = await client("--prices", file);
    expect(stdout).toMatch(/^west +us-west-2 +1 /m);
    expect(stdout).toContain("There are no prices for us-west-2: those of us-east-1 are used.\n");
    expect((await sheet("--region", "us-west-2")).rows).toHaveLength(1);
  });

  it("tells what is wrong", async () => {
    const bad = join(folder, "bad.json");
    writeFileSync(bad, "{}");
    for (const args of [
      ["--since", "soon"],
      ["--by", "week"],
      ["--prices", bad],
      ["--prices", join(folder, "none.json")],
    ])
      expect(await client(...args)).toMatchObject({ code: 2, stdout: "" });
    expect(await thaw(["cost", "--endpoint", "http://127.0.0.1:1"])).toMatchObject({
      code: 1,
      stderr: "thaw: There is no platform at http://127.0.0.1:1.\n",
    });
    const refused = await fetch(`${platform.url}/_thaw/cost?by=week`);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toEqual({
      message: expect.stringContaining("by is day or month") as string,
    });
    const page = await fetch(`${platform.url}/_thaw/cost`, { headers: { origin: "http://evil.example" } });
    expect(page.status).toBe(403);
  });
});
