// What a function does to its descriptors and processes stays its own trouble: the platform keeps its memory and serves on.
import { readFileSync } from "node:fs";
import {
  LambdaClient,
  CreateFunctionCommand,
  InvokeCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { zipOf } from "../support/zip.ts";

let platform: TestPlatform;
let lambda: LambdaClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = new LambdaClient(clientFor(platform.url));
});
afterAll(() => platform.stop());

const MB = 1024 * 1024;

/** Creates a function whose handler has this body, and invokes it. */
async function run(FunctionName: string, body: string): Promise<string> {
  const source = `const fs = require("node:fs"); exports.handler = async () => { ${body} };`;
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: `nodejs${process.versions.node.split(".")[0] ?? ""}.x` as "nodejs22.x",
      Handler: "index.handler",
      Role: "arn:aws:iam::000000000000:role/thaw-basic-execution",
      Timeout: 100,
      MemorySize: 512,
      Code: { ZipFile: await zipOf({ "index.js": source }) },
    }),
  );
  await waitUntilFunctionActiveV2(
    { client: lambda, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 },
    { FunctionName },
  );
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName }));
  return Payload?.transformToString() ?? "";
}

function platformPeakBytes(): number {
  const status = readFileSync(`/proc/${platform.pid}/status`, "latin1");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

/** Writes to a descriptor that may be non-blocking. */
const WRITE_ALL = `const writeAll = (fd, bytes) => {
  for (let at = 0; at < bytes.length; )
    try { at += fs.writeSync(fd, bytes, at); } catch (error) { if (error.code !== "EAGAIN") throw error; }
};`;

describe("a hostile function", () => {
  it.runIf(process.platform === "linux")("may print without end, in lines or in none", async () => {
    const lines = `writeAll(1, Buffer.from(("x".repeat(99) + "\\n").repeat(10_000)))`;
    const none = `writeAll(2, Buffer.alloc(1_000_000, 97))`;
    const printing = `${WRITE_ALL} for (let i = 0; i < 150; i++) { ${lines}; ${none}; } return "printed";`;
    expect(await run("prints", printing)).toBe('"printed"');
    const frames = `const frame = Buffer.alloc(14); frame.writeUInt32BE(10); frame[4] = 0x86;
      const many = Buffer.concat(Array(100_000).fill(frame));
      ${WRITE_ALL} for (let i = 0; i < 20; i++) writeAll(4, many); return "framed";`;
    expect(await run("frames", frames)).toBe('"framed"');
    expect(platformPeakBytes()).toBeLessThan(640 * MB);
  });

  it.each([
    ["bytes that are no frame", "fs.writeSync(4, Buffer.alloc(1000, 255))", "Function.ResponseSizeTooLarge"],
    ["a frame of the platform's own", "fs.writeSync(4, Buffer.from([0, 0, 0, 1, 1]))", "Runtime.ExitError"],
    ["a second init", "fs.writeSync(4, Buffer.from([0, 0, 0, 1, 0x82]))", "Runtime.ExitError"],
  ])("that writes %s to the platform is ended", async (what, body, errorType) => {
    const name = what.replaceAll(/\W/g, "-");
    const wait = "await new Promise((resolve) => setTimeout(resolve, 20_000));";
    expect(JSON.parse(await run(name, `${body}; ${wait}`))).toMatchObject({ errorType });
  });

  it("leaves the platform serving", async () => {
    expect(await run("plain", "return 1")).toBe("1");
    expect(platform.errors()).not.toMatch(/uncaught|nothing caught/);
  });
});
