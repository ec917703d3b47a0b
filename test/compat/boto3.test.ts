import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { awsVariables, run, works } from "../support/tools.ts";

/** Debian's own interpreter brings a boto3 that is older than AWS_ENDPOINT_URL. */
const pythons = ["python3", "/usr/bin/python3"].filter((file) => works(file, "-c", "import boto3"));

describe.skipIf(pythons.length === 0)("boto3 (needs a Python that has it)", () => {
  let platform: TestPlatform;
  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(async () => {
    expect(await platform.stop()).toBe(0);
  });

  it.each(pythons)("%s: the whole life of a function", async (python) => {
    const script = join(import.meta.dirname, "boto3_life.py");
    const { code, stdout, stderr } = await run(python, [script, platform.url], {
      env: awsVariables(platform.url),
    });
    expect(stderr).toBe("");
    expect({ code, last: stdout.trim().split("\n").at(-1) }).toEqual({ code: 0, last: "done" });
  });

  it.each(pythons.map((python, index) => [python, String(index)]))(
    "%s: topics, filters, batches and FIFO topics",
    async (python, suffix) => {
      const script = join(import.meta.dirname, "boto3_sns.py");
      const { code, stdout, stderr } = await run(python, [script, platform.url, suffix], {
        env: awsVariables(platform.url),
      });
      expect(stderr).toBe("");
      expect({ code, stdout }).toEqual({ code: 0, stdout: "done\n" });
    },
  );
});
