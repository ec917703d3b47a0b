import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/commands.ts";
import { create, HELLO, lambdaFor, logged, RUNTIME, temporaryFolder, until } from "../lifecycle/support.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { run } from "../support/tools.ts";
import { ensureBuilt } from "../support/built.ts";
import { thaw } from "./support.ts";

const folder = temporaryFolder();
let platform: TestPlatform;

/** Runs a client command against the platform of these tests. */
const client = (args: readonly string[], input?: string) =>
  thaw([...args, "--endpoint", platform.url], input === undefined ? {} : { input });

beforeAll(async () => {
  platform = await startPlatform();
  const lambda = lambdaFor(platform.url);
  await create(lambda, "hello", HELLO);
  await create(lambda, "fails", `exports.handler = async () => { throw new TypeError("no such order"); };`);
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

describe.concurrent("--help", () => {
  it.each(commands.map(({ name, examples }) => [name, examples] as const))(
    "of %s shows its examples",
    async (name, examples) => {
      const { code, stdout, stderr } = await thaw([name, "--help"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(examples.length).toBeGreaterThan(0);
      for (const [what, line] of examples) expect(stdout).toContain(`  # ${what}\n  ${line}`);
    },
  );

  it("names every command", async () => {
    const { code, stdout } = await thaw(["--help"]);
    expect(code).toBe(0);
    for (const { name } of commands) expect(stdout).toMatch(new RegExp(`^  ${name}\\b.*`, "m"));
    expect(stdout).toContain(commands[0]?.summary.slice(0, 20));
  });

  it("is what bad usage is answered with, or a message that says what is wrong", async () => {
    for (const args of [[], ["nonsense"], ["invoke"], ["invoke", "a", "b"], ["logs", "x", "--nonsense"]]) {
      const { code, stdout, stderr } = await thaw(args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: "" });
      expect(stderr).toMatch(/^(?:Usage|error): /);
    }
  });
});

describe.concurrent("thaw env", () => {
  it("prints what sh evaluates to exactly the settings", async () => {
    const main = join(await ensureBuilt(), "main.js");
    const secret = `it's"$HOME"\`id\`\\;#!`;
    const script = `eval "$("$0" "$1" env --region eu-west-1 --endpoint "http://h:1/?a=1&b")"
      printf '%s\\n' "$AWS_ENDPOINT_URL" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_REGION" "$AWS_DEFAULT_REGION"`;
    const { stdout, stderr } = await run("sh", ["-c", script, process.execPath, main], {
      env: { THAW_ROOT_KEY: `AKID:${secret}` },
    });
    expect(stderr).toBe("");
    expect(stdout.split("\n")).toEqual(["http://h:1/?a=1&b", "AKID", secret, "eu-west-1", "eu-west-1", ""]);
  });

  it("--json prints the same as JSON", async () => {
    const { stdout } = await thaw(["env", "--json"], { env: { THAW_PORT: "5000" } });
    expect(JSON.parse(stdout)).toEqual({
      AWS_ENDPOINT_URL: "http://127.0.0.1:5000",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: "us-east-1",
      AWS_DEFAULT_REGION: "us-east-1",
    });
  });
});

describe.concurrent("what scripts read", () => {
  it("thaw doctor --json tells each limit and part", async () => {
    const { code, stdout } = await thaw(["doctor", "--json"]);
    expect(code).toBe(0);
    const { checks, parts } = JSON.parse(stdout) as {
      checks: { limit: string; level: string }[];
      parts: object[];
    };
    expect(checks).toContainEqual(expect.objectContaining({ limit: "timeout", level: "enforced" }));
    expect(checks.map(({ limit }) => limit)).toEqual(expect.arrayContaining(["memory", "cpu", "network"]));
    for (const { level } of checks) expect(["enforced", "watched", "not enforced"]).toContain(level);
    expect(parts).toContainEqual(expect.objectContaining({ name: RUNTIME }));
  });

  it("thaw runtimes --json tells the interpreter of each runtime", async () => {
    const { code, stdout } = await thaw(["runtimes", "--json"]);
    expect(code).toBe(0);
    const found = JSON.parse(stdout) as object[];
    expect(found).toContainEqual({
      name: RUNTIME,
      state: "available",
      version: process.versions.node,
      path: expect.stringMatching(/^\//),
    });
  });

  it("thaw version --json", async () => {
    const [plain, json] = await Promise.all([thaw(["version"]), thaw(["version", "--json"])]);
    expect(plain.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(JSON.parse(json.stdout)).toEqual({
      thaw: plain.stdout.trim(),
      node: process.version,
      platform: process.platform,
      arch: process.arch,
    });
  });

  it("has no colour and no warnings where it is no terminal", async () => {
    const outputs = await Promise.all([
      thaw(["doctor"]),
      thaw(["runtimes"]),
      thaw(["--help"]),
      client(["invoke", "fails", "--tail"]),
      client(["logs", "hello"]),
    ]);
    for (const { stdout, stderr } of outputs) {
      expect(stdout + stderr).not.toContain("\u001b");
      expect(stderr).not.toContain("Warning");
    }
    expect(platform.output()).not.toContain("\u001b");
  });
});

describe.concurrent("thaw invoke", () => {
  it("prints the response and exits with 0", async () => {
    expect(await client(["invoke", "hello", "--payload", '{"a":[1]}'])).toEqual({
      code: 0,
      stdout: '{"hello":{"a":[1]}}\n',
      stderr: "",
    });
    expect(await client(["invoke", "hello"])).toMatchObject({ code: 0, stdout: '{"hello":{}}\n' });
  });

  it("takes the event from a file and from standard input", async () => {
    const file = join(folder, "event.json");
    writeFileSync(file, '{"from":"file"}');
    expect(await client(["invoke", "hello", "-p", `@${file}`])).toMatchObject({
      stdout: '{"hello":{"from":"file"}}\n',
    });
    expect(await client(["invoke", "hello", "-p", "-"], '{"from":"stdin"}')).toMatchObject({
      stdout: '{"hello":{"from":"stdin"}}\n',
    });
  });

  it("exits with 3 where the function fails, and prints its error", async () => {
    const { code, stdout, stderr } = await client(["invoke", "fails"]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ errorType: "TypeError", errorMessage: "no such order" });
  });

  it("exits with 1 where there is no such function", async () => {
    const { code, stdout, stderr } = await client(["invoke", "nobody"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^thaw: ResourceNotFoundException: Function not found: arn:\S+:function:nobody\S*\n$/,
    );
  });

  it("exits with 1 where the event is no JSON, and with 2 where there is none to read", async () => {
    const wrong = await client(["invoke", "hello", "-p", "{"]);
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toMatch(
      /^thaw: InvalidRequestContentException: Could not parse request body into json/,
    );
    const missing = await client(["invoke", "hello", "-p", `@${folder}/nothing`]);
    expect(missing).toMatchObject({ code: 2, stdout: "" });
    expect(missing.stderr).toMatch(/^thaw: --payload: ENOENT/);
  });

  it("--tail prints the log beside the response, --json all of it together", async () => {
    const tail = await client(["invoke", "hello", "--tail"]);
    expect(tail.stdout).toBe('{"hello":{}}\n');
    expect(tail.stderr).toMatch(/START RequestId: [^]*hello \{\}[^]*REPORT RequestId: /);
    const json = await client(["invoke", "fails", "--json", "--tail"]);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout)).toEqual({
      status: 200,
      functionError: "Unhandled",
      executedVersion: "$LATEST",
      log: expect.stringContaining("no such order"),
      payload: expect.stringContaining("no such order"),
    });
  });

  it("--async queues the event", async () => {
    expect(await client(["invoke", "hello", "--async", "-p", '"later"'])).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    await until(async () =>
      expect((await logged(platform.url, "hello")).join("")).toContain('hello "later"'),
    );
  });
});

describe.concurrent("thaw logs", () => {
  it("prints what was logged, filtered, as text and as JSON", async () => {
    await client(["invoke", "hello", "-p", '{"mark":"needle"}']);
    await until(async () => expect((await logged(platform.url, "hello")).join("")).toContain("needle"));
    const all = await client(["logs", "hello"]);
    expect(all).toMatchObject({ code: 0, stderr: "" });
    expect(all.stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z INIT_START /m);
    const filtered = await client([
      "logs",
      "/aws/lambda/hello",
      "--filter",
      "needle",
      "--json",
      "--since",
      "1d",
    ]);
    const events = filtered.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(events).toEqual([
      expect.objectContaining({
        message: expect.stringContaining('hello {"mark":"needle"}'),
        logStreamName: expect.stringContaining("[$LATEST]"),
        timestamp: expect.any(Number),
      }),
    ]);
    const future = new Date(Date.now() + 3_600_000).toISOString();
    expect(await client(["logs", "hello", "--since", future])).toMatchObject({ code: 0, stdout: "" });
  });

  it("tells where there is no such group, and what a time must look like", async () => {
    const unknown = await client(["logs", "nobody"]);
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toMatch(
      /^thaw: ResourceNotFoundException: The specified log group does not exist/,
    );
    expect(await client(["logs", "hello", "--since", "soon"])).toMatchObject({
      code: 2,
      stderr: "thaw: --since: must be as 90s, 15m, 2h, 3d or an ISO time\n",
    });
  });
});

describe.concurrent("where nothing listens", () => {
  it.each([
    ["invoke", "hello"],
    ["logs", "hello"],
  ])("thaw %s tells how to start it", async (...args) => {
    // Port 1 (tcpmux) is reserved and served by nobody.
    expect(await thaw([...args, "--endpoint", "http://127.0.0.1:1"])).toEqual({
      code: 1,
      stdout: "",
      stderr: "thaw: nothing answers at the endpoint. Start it with: thaw up\n",
    });
  });
});

describe.concurrent("thaw runtimes", () => {
  it.each([
    [["frobnicate"], 2, "thaw: runtimes: no action frobnicate; try add\n"],
    [["add"], 2, "thaw: runtimes add: name a runtime, such as nodejs24.x\n"],
    [["add", "cobol85"], 1, "thaw: cobol85 is no runtime that Thaw can run\n"],
  ])("%j is refused", async (args, code, stderr) => {
    expect(await thaw(["runtimes", ...args], { env: { THAW_CACHE: folder } })).toEqual({
      code,
      stdout: "",
      stderr,
    });
  });
});
