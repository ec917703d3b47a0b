import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CreateFunctionCommand, GetFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import type { DoctorReport } from "../../src/cli/command.ts";
import { commands } from "../../src/cli/commands.ts";
import { settings } from "../../src/config/settings.ts";
import {
  create,
  definition,
  HELLO,
  lambdaFor,
  logged,
  RUNTIME,
  temporaryFolder,
  until,
} from "../lifecycle/support.ts";
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
  await create(lambda, "silent", HELLO);
  await create(lambda, "fails", `exports.handler = async () => { throw new TypeError("no such order"); };`);
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  // Of the one function that is there to fail.
  expect(platform.errors().replace(/^.* warn {2}.*dotnet8.*:missing .*\n/m, "")).toBe("");
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
      expect(stderr).toMatch(/^(?:Usage: |error: .*\n(?:\(Did you mean .*\n)?hint: thaw .*--help )/);
    }
  });

  it("tells the variable of every setting", async () => {
    const [up, invoke] = await Promise.all([thaw(["up", "--help"]), thaw(["invoke", "--help"])]);
    for (const { flags, variable } of Object.values(settings)) {
      expect(up.stdout).toContain(flags);
      expect(up.stdout.replace(/\s+/g, " ")).toContain(`[${variable}]`);
    }
    expect(invoke.stdout.replace(/\s+/g, " ")).toContain("[THAW_ENDPOINT, AWS_ENDPOINT_URL]");
  });

  it("of thaw test says what it takes, without running anything", async () => {
    const { code, stdout } = await thaw(["test", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("--soak");
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

  it("clears what would win over it, and keeps keys of a real account out", async () => {
    const env = {
      AWS_PROFILE: "work",
      AWS_ACCESS_KEY_ID: "AKIAREAL",
      AWS_SECRET_ACCESS_KEY: "real",
      AWS_SESSION_TOKEN: "real",
    };
    const { stdout } = await thaw(["env"], { env });
    expect(stdout).toMatch(/^unset AWS_PROFILE AWS_SESSION_TOKEN\n/);
    expect(stdout).toContain("export AWS_ACCESS_KEY_ID=test\n");
    expect(stdout.toLowerCase()).not.toContain("real");
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
    const { checks, runtimes } = JSON.parse(stdout) as DoctorReport;
    expect(checks).toContainEqual(expect.objectContaining({ limit: "timeout", level: "enforced" }));
    const limits = checks.map(({ limit }) => limit);
    expect(limits).toEqual(
      expect.arrayContaining(["memory", "cpu", "ephemeral storage size", "file system"]),
    );
    expect(limits).toContainEqual(expect.stringMatching(/^network/));
    for (const { level, remedy } of checks) {
      expect(["enforced", "watched", "not enforced"]).toContain(level);
      if (level !== "enforced") expect(remedy).toMatch(/\w/);
    }
    expect(runtimes).toContainEqual(expect.objectContaining({ name: RUNTIME, state: "available" }));
    for (const { state, remedy } of runtimes) if (state === "missing") expect(remedy).toMatch(/\w/);
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
      addable: true,
    });
    for (const name of ["provided", "provided.al2", "provided.al2023"])
      expect(found).toContainEqual(
        expect.objectContaining({
          name,
          state: process.platform === "linux" ? "available" : "missing",
          addable: false,
        }),
      );
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

  it("comes as the AWS variables say", async () => {
    const env = {
      AWS_ENDPOINT_URL: platform.url,
      AWS_ACCESS_KEY_ID: "123456789012",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: "eu-west-1",
    };
    const elsewhere = await thaw(["invoke", "hello"], { env });
    expect(elsewhere.stderr).toContain("arn:aws:lambda:eu-west-1:123456789012:function:hello");
    const flags = ["--root-key", "test:test", "--region", "us-east-1"];
    expect(await thaw(["invoke", "hello", ...flags], { env })).toMatchObject({ code: 0, stderr: "" });
    const refused = await thaw(["invoke", "hello"], { env: { ...env, AWS_ACCESS_KEY_ID: "AKIAREAL" } });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^thaw: UnrecognizedClientException: .*\nhint: credentials come from /);
  });

  it("--tenant-id says whom it is for", async () => {
    await create(
      lambdaFor(platform.url),
      "tenants",
      "exports.handler = async (_, { tenantId }) => tenantId;",
      {
        TenancyConfig: { TenantIsolationMode: "PER_TENANT" },
      },
    );
    expect(await client(["invoke", "tenants", "--tenant-id", "blue"])).toMatchObject({ stdout: '"blue"\n' });
    expect((await client(["invoke", "tenants"])).stderr).toContain("Add a valid tenant ID");
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
    expect(missing.stderr).toMatch(/^error: --payload: ENOENT.*\nhint: thaw invoke --help /);
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

  it("tells the time of a line once", async () => {
    await client(["invoke", "hello", "-p", '{"mark":"once"}']);
    await until(async () => expect((await logged(platform.url, "hello")).join("")).toContain("once"));
    const { stdout } = await client(["logs", "hello"]);
    for (const line of stdout.trim().split("\n")) expect(line.match(/\d{4}-\d\d-\d\dT/g)).toHaveLength(1);
    expect(stdout).toMatch(/^\S+Z\t\S+\tINFO\thello \{"mark":"once"\}$/m);
  });

  it("tells in plain words where there is nothing to read, and what a time must look like", async () => {
    const unknown = await client(["logs", "nobody"]);
    expect(unknown).toEqual({
      code: 1,
      stdout: "",
      stderr: `thaw: There is no function nobody, and no log group /aws/lambda/nobody, in us-east-1 at ${platform.url}.\n`,
    });
    expect(await client(["logs", "silent"])).toMatchObject({
      code: 1,
      stderr: "thaw: The function silent has logged nothing yet.\n",
    });
    expect((await client(["logs", "/no/group"])).stderr).toContain("There is no log group /no/group in ");
    expect(await client(["logs", "hello", "--since", "soon"])).toMatchObject({
      code: 2,
      stderr:
        "error: --since: must be as 90s, 15m, 2h, 3d or an ISO time\nhint: thaw logs --help shows what may be given\n",
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
      stderr: "thaw: nothing answers at 127.0.0.1:1. Start the platform with: thaw up --port 1\n",
    });
  });
});

describe.concurrent("thaw runtimes", () => {
  const choice = "Those that can be added: nodejs18.x, nodejs20.x, nodejs22.x, nodejs24.x, nodejs26.x";
  it.each([
    [["frobnicate"], "runtimes: no action frobnicate; try add"],
    [["add"], `runtimes add: name a runtime. ${choice}`],
    [["add", "cobol85"], `cobol85 is no runtime that Thaw can run. ${choice}`],
  ])("%j is refused", async (args, message) => {
    expect(await thaw(["runtimes", ...args], { env: { THAW_CACHE: folder } })).toEqual({
      code: 2,
      stdout: "",
      stderr: `error: ${message}\nhint: thaw runtimes --help shows what may be given\n`,
    });
  });

  it("tells how to fetch one that is missing as the user calls the program", async () => {
    // The fetched ones are in the cache, which is empty: a host itself has one or two of the five.
    const { stdout } = await thaw(["runtimes"], { env: { THAW_CACHE: folder, THAW_PROGRAM: "./thaw" } });
    const missing = stdout.split("\n").filter((line) => /^nodejs\S+ +missing/.test(line));
    for (const line of missing) expect(line).toMatch(/^(nodejs\S+) +missing +→ \.\/thaw runtimes add \1$/);
    expect(missing).not.toEqual([]);
  });

  it("add does nothing about one that is here", async () => {
    const { code, stderr } = await thaw(["runtimes", "add", RUNTIME], { env: { THAW_CACHE: folder } });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^thaw: ${RUNTIME} is here already: ${process.versions.node} /`));
  });
});

describe.concurrent("a function whose runtime is not here", () => {
  it("is failed, and the reason told wherever one looks", async () => {
    const lambda = lambdaFor(platform.url);
    const missing = await definition("missing", HELLO, { Runtime: "dotnet8" });
    await lambda.send(new CreateFunctionCommand(missing));
    const target = { FunctionName: "missing" };
    await until(async () => {
      const { State } = await lambda.send(new GetFunctionConfigurationCommand(target));
      expect(State).toBe("Failed");
    });
    const found = await lambda.send(new GetFunctionConfigurationCommand(target));
    expect(found).toMatchObject({
      StateReasonCode: "InvalidRuntime",
      StateReason: expect.stringContaining("dotnet8"),
    });
    const { code, stderr } = await client(["invoke", "missing"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`ResourceConflictException: `);
    expect(stderr).toContain(found.StateReason);
    await until(() => expect(platform.errors()).toMatch(/ warn {2}.*dotnet8.* function=arn:\S+:missing /));
  });
});
