// S3 through boto3 and the AWS CLI, against a booted platform.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { awsVariables, run, works } from "../support/tools.ts";

let platform: TestPlatform;
let folder: string;
beforeAll(async () => {
  platform = await startPlatform();
  folder = await mkdtemp(join(tmpdir(), "thaw-s3-"));
});
afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
  await rm(folder, { recursive: true });
});

it.skipIf(!works("python3", "-c", "import boto3"))("boto3 (needs a Python that has it)", async () => {
  const script = join(import.meta.dirname, "boto3_s3.py");
  const env = { ...awsVariables(platform.url), PYTHONWARNINGS: "ignore" };
  const { code, stdout, stderr } = await run("python3", [script, platform.url], { env });
  expect(stderr).toBe("");
  expect({ code, last: stdout.trim().split("\n").at(-1) }).toEqual({ code: 0, last: "done" });
});

describe.skipIf(!works("aws", "--version"))("the AWS CLI (needs `aws` on PATH)", () => {
  async function aws(...args: string[]): Promise<string> {
    const env = { ...awsVariables(platform.url), AWS_PAGER: "" };
    const { code, stdout, stderr } = await run("aws", args, { env, cwd: folder });
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
    return stdout;
  }

  it("makes, syncs, lists, reads, moves and removes", async () => {
    const tree = join(folder, "tree");
    await mkdir(join(tree, "sub folder"), { recursive: true });
    // Beyond eight megabytes, the CLI uploads in parts.
    const large = Buffer.alloc(9 << 20, "0123456789");
    await Promise.all([
      writeFile(join(tree, "large"), large),
      writeFile(join(tree, "sub folder/ä+b.txt"), "text"),
    ]);
    await aws("s3", "mb", "s3://cli-bucket");
    await aws("s3", "sync", "tree", "s3://cli-bucket/to", "--no-progress");
    const listed = await aws("s3", "ls", "s3://cli-bucket", "--recursive", "--summarize");
    expect(listed).toContain("to/sub folder/ä+b.txt");
    expect(listed).toMatch(/Total Objects: 2\s+Total Size: 9437188/);
    expect(await aws("s3", "sync", "tree", "s3://cli-bucket/to", "--no-progress")).toBe("");
    await aws("s3", "cp", "s3://cli-bucket/to/large", "back", "--no-progress");
    expect((await readFile(join(folder, "back"))).equals(large)).toBe(true);
    await aws("s3", "mv", "s3://cli-bucket/to/large", "s3://cli-bucket/moved", "--no-progress");
    // Which empties it first.
    await aws("s3", "rb", "s3://cli-bucket", "--force");
  });
});
