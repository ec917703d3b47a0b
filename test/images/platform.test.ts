import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bubblewrapUsable } from "#engine/sandbox/bubblewrap/usable";
import { findOciRuntime } from "#engine/sandbox/oci/runtime";
import { clientFor, startPlatform } from "../support/platform.ts";
import type { TestPlatform } from "../support/platform.ts";
import { buildLayout, writeLayout } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { openRegistry } from "./registry.ts";
import type { TestRegistry } from "./registry.ts";
import { shellImage } from "./shell-image.ts";

const usable = (await bubblewrapUsable()).usable && existsSync("/bin/busybox");
const oci = await findOciRuntime().then(
  () => true,
  () => false,
);
const NOBODY = 65_534;
const root = process.getuid?.() === 0;

const CASES = [
  { name: "oci", flags: ["--sandbox", "oci"], user: undefined, there: usable && oci },
  {
    name: "oci, as an ordinary user",
    flags: ["--sandbox", "oci"],
    user: NOBODY,
    there: usable && oci && root,
  },
  {
    name: "bubblewrap, as an ordinary user",
    flags: ["--sandbox", "bubblewrap"],
    user: NOBODY,
    there: usable && root,
  },
] as const;

describe.each(CASES)("a platform with $name", ({ flags, user, there }) => {
  let folder: string;
  let platform: TestPlatform;
  let registry: TestRegistry;
  let layout: Layout;
  let client: LambdaClient;

  beforeAll(async () => {
    if (!there) return;
    folder = mkdtempSync(join(tmpdir(), "thaw-image-platform-"));
    chmodSync(folder, 0o755);
    layout = await buildLayout([shellImage()]);
    writeLayout(join(folder, "app"), layout);
    registry = await openRegistry(layout);
    const home = user === undefined ? {} : { HOME: "/nonexistent" };
    platform = await startPlatform(
      [...flags, "--images", folder, "--network", "none"],
      home,
      user === undefined ? {} : { user },
    );
    client = new LambdaClient(clientFor(platform.url));
  });
  afterAll(async () => {
    if (!there) return;
    client.destroy();
    expect(await platform.stop()).toBe(0);
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const create = async (FunctionName: string, ImageUri: string): Promise<void> => {
    await client.send(
      new CreateFunctionCommand({
        FunctionName,
        PackageType: "Image",
        Code: { ImageUri },
        Role: "arn:aws:iam::000000000000:role/thaw-basic-execution",
        Timeout: 20,
      }),
    );
    await waitUntilFunctionActiveV2({ client, maxWaitTime: 60, minDelay: 1 }, { FunctionName });
  };
  const invoke = async (FunctionName: string, command: string): Promise<string> => {
    const { Payload, FunctionError } = await client.send(
      new InvokeCommand({ FunctionName, Payload: JSON.stringify(command) }),
    );
    const text = Buffer.from(Payload ?? []).toString();
    expect(FunctionError, text).toBeUndefined();
    return text;
  };

  it.skipIf(!there)("runs an image of a registry, and one of its folder of images", async () => {
    const uri = `${registry.host}/team/app:latest`;
    await create("pulled", uri);
    const { Code } = await client.send(new GetFunctionCommand({ FunctionName: "pulled" }));
    expect(Code).toEqual({
      RepositoryType: "ECR",
      ImageUri: uri,
      ResolvedImageUri: `${registry.host}/team/app@${layout.digests[0]}`,
    });
    expect(await invoke("pulled", "pwd; cat data")).toContain("/srv|data");
    await create("local", "oci:app");
    expect(await invoke("local", "cat /etc/shadow; ls /home")).toMatch(/No such file.*No such file/);
  });
});
