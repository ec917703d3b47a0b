// S3 through boto3, against a booted platform.
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { awsVariables, run, works } from "../support/tools.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

it.skipIf(!works("python3", "-c", "import boto3"))("boto3 (needs a Python that has it)", async () => {
  const script = join(import.meta.dirname, "boto3_s3.py");
  const env = { ...awsVariables(platform.url), PYTHONWARNINGS: "ignore" };
  const { code, stdout, stderr } = await run("python3", [script, platform.url], { env });
  expect(stderr).toBe("");
  expect({ code, last: stdout.trim().split("\n").at(-1) }).toEqual({ code: 0, last: "done" });
});
