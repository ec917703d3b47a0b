// A function that chooses to reach less than others: the variable THAW_NETWORK.
import {
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bubblewrapUsable } from "#engine/sandbox/bubblewrap/usable";
import { tagOf } from "#engine/sandbox/network/addresses";
import { PATH } from "#engine/sandbox/network/shell";
import { lacking } from "../sandbox-network/machine.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { zipOf } from "../support/zip.ts";

const RUNTIME = `nodejs${process.versions.node.split(".")[0]}.x` as "nodejs20.x";
const CODE = `const net = require("node:net");
const { networkInterfaces } = require("node:os");
exports.handler = async () => {
  const url = new URL(process.env.AWS_ENDPOINT_URL);
  const platform = await new Promise((resolve) => {
    const socket = net.connect({ host: url.hostname, port: url.port });
    socket.once("connect", () => resolve("reached")).once("error", (error) => resolve(error.code));
  });
  const own = networkInterfaces().eth0.find(({ family }) => family === "IPv4").address;
  return { platform, own };
};`;

const { usable } = await bubblewrapUsable();
const asRoot = process.getuid?.() === 0;
const missing = lacking("ip", "nft", "nsenter", "unshare");

describe.skipIf(!usable || !asRoot || missing !== undefined)("THAW_NETWORK of a function", () => {
  let folder: string;
  let platform: TestPlatform;
  let lambda: LambdaClient;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thaw-function-network-"));
    platform = await startPlatform(["--sandbox", "bubblewrap", "--data", folder]);
    lambda = new LambdaClient(clientFor(platform.url));
  });
  afterAll(async () => {
    lambda.destroy();
    await platform.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function create(name: string, network: string): Promise<void> {
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Runtime: RUNTIME,
        Handler: "index.handler",
        Role: "arn:aws:iam::000000000000:role/thaw-basic-execution",
        Timeout: 20,
        Environment: { Variables: { THAW_NETWORK: network } },
        Code: { ZipFile: await zipOf({ "index.js": CODE }) },
      }),
    );
    await waitUntilFunctionActiveV2(
      { client: lambda, maxWaitTime: 30, minDelay: 0.05 },
      { FunctionName: name },
    );
  }

  /** Its own address, as a function finds it. */
  async function invoke(name: string): Promise<string> {
    const { Payload, FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: name }));
    expect(FunctionError).toBe(undefined);
    const said = JSON.parse(Buffer.from(Payload ?? []).toString()) as { platform: string; own: string };
    expect(said.platform).toBe("reached");
    return said.own;
  }

  /** The addresses that the host's rules let reach the platform alone; what that means is held by test/sandbox-network. */
  function sealed(): readonly string[] {
    const table = `thaw-${tagOf(folder)}`;
    return execFileSync("nft", ["list", "set", "inet", table, "sealed4"], {
      encoding: "utf8",
      env: { PATH },
    }).split(/[\s,{}]+/);
  }

  it("reaches the platform alone with none, until that is changed", async () => {
    await create("quiet", "none");
    const quiet = await invoke("quiet");
    expect(sealed()).toContain(quiet);
    await create("open", "egress");
    expect(sealed()).not.toContain(await invoke("open"));
    await lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: "quiet",
        Environment: { Variables: { THAW_NETWORK: "egress" } },
      }),
    );
    await waitUntilFunctionUpdatedV2(
      { client: lambda, maxWaitTime: 30, minDelay: 0.05 },
      { FunctionName: "quiet" },
    );
    expect(sealed()).not.toContain(await invoke("quiet"));
    // The address of the one that has ended is free for others.
    await vi.waitFor(() => expect(sealed()).not.toContain(quiet), { timeout: 20_000 });
  });

  it("is refused where it is misspelt", async () => {
    await expect(create("wrong", "nonee")).rejects.toMatchObject({
      name: "InvalidParameterValueException",
      message: "The environment variable THAW_NETWORK must be egress or none, not nonee.",
    });
  });
});
