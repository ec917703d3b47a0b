import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { awsVariables, run, works } from "../support/tools.ts";
import { zipOf } from "../support/zip.ts";

describe.skipIf(!works("aws", "--version"))("the AWS CLI (needs `aws` on PATH)", () => {
  let platform: TestPlatform;
  let folder: string;

  beforeAll(async () => {
    platform = await startPlatform();
    folder = await mkdtemp(join(tmpdir(), "thaw-cli-"));
    const code = "exports.handler = async (e) => { console.log('seen', e.n); return e; };";
    await writeFile(join(folder, "function.zip"), await zipOf({ "index.js": code }));
  });

  afterAll(async () => {
    expect(await platform.stop()).toBe(0);
    await rm(folder, { recursive: true });
  });

  async function aws(...args: string[]) {
    const env = { ...awsVariables(platform.url), AWS_PAGER: "" };
    return run("aws", [...args, "--output", "json"], { env, cwd: folder });
  }

  it("creates, waits, invokes, reads logs, and deletes", async () => {
    const runtime = `nodejs${process.versions.node.split(".")[0]}.x`;
    const create = ["lambda", "create-function", "--function-name", "cli", "--runtime", runtime];
    const rest = [
      "--handler",
      "index.handler",
      "--role",
      "arn:aws:iam::000000000000:role/thaw-basic-execution",
    ];
    const created = await aws(...create, ...rest, "--zip-file", "fileb://function.zip");
    expect(created.stderr).toBe("");
    expect(JSON.parse(created.stdout)).toMatchObject({ FunctionName: "cli", State: "Pending" });
    expect((await aws("lambda", "wait", "function-active-v2", "--function-name", "cli")).code).toBe(0);

    // Version 1 of the CLI takes raw text, version 2 base64 unless told.
    await writeFile(join(folder, "event.json"), '{"n":5}');
    const invoked = await aws(
      "lambda",
      "invoke",
      "--function-name",
      "cli",
      "--payload",
      "fileb://event.json",
      "out.json",
    );
    expect(JSON.parse(invoked.stdout)).toEqual({ StatusCode: 200, ExecutedVersion: "$LATEST" });
    expect(await readFile(join(folder, "out.json"), "utf8")).toBe('{"n":5}');

    const unknown = await aws("lambda", "get-function", "--function-name", "nobody");
    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toContain(
      "(ResourceNotFoundException) when calling the GetFunction operation: Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody",
    );
    const role = await aws("iam", "get-role", "--role-name", "thaw-basic-execution");
    expect(JSON.parse(role.stdout)).toMatchObject({ Role: { RoleName: "thaw-basic-execution" } });
    expect((await aws("lambda", "delete-function", "--function-name", "cli")).code).toBe(0);
  });
});
