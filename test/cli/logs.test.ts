import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create, invoke, lambdaFor, logged, until } from "../lifecycle/support.ts";
import { ensureBuilt } from "../support/built.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { thaw } from "./support.ts";

let platform: TestPlatform;

/** Logs its event as it is, and whatever would move a cursor. */
const ECHO = `exports.handler = async (event) => { console.log(event.text); return "\\u001b"; };`;

const FAILS = `exports.handler = async (event) => { console.log(event.text); throw new Error(event.text); };`;

const client = (...args: string[]) => thaw([...args, "--endpoint", platform.url]);

beforeAll(async () => {
  platform = await startPlatform();
  const lambda = lambdaFor(platform.url);
  await Promise.all(["one", "two", "later"].map((name) => create(lambda, name, ECHO)));
  for (const text of ["refused", "refused", "taken \u001b[31mred\u001b[0m \u009b2J"])
    await invoke(lambda, "one", { text });
  await invoke(lambda, "two", { text: "refused" });
  const shared = { LoggingConfig: { LogGroup: "/shop" } };
  for (const name of ["cart", "cartoon"]) {
    await create(lambda, name, FAILS, shared);
    await invoke(lambda, name, { text: `of ${name}` });
  }
  await until(async () => expect((await logged(platform.url, "one")).join("")).toContain("red"));
  await until(async () => expect((await client("logs", "/shop")).stdout.match(/REPORT/g)).toHaveLength(2));
  await until(async () => expect((await logged(platform.url, "two")).join("")).toContain("REPORT"));
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
});

describe.concurrent("thaw logs query", () => {
  it("prints the answer as a table", async () => {
    const asked = await client(
      "logs",
      "query",
      "one,two",
      "filter @message like /INFO/ | parse @message '*\\t*\\tINFO\\t*' as a, b, text | stats count(*) as n by text | sort n desc, text",
    );
    expect(asked).toMatchObject({ code: 0, stderr: "" });
    const lines = asked.stdout.trimEnd().split("\n");
    expect(lines[0]?.split(/ {2,}/).toSorted()).toEqual(["n", "text"]);
    expect(lines[1]?.split(/ {2,}/).toSorted()).toEqual(["3", "refused"]);
    expect(lines[2]).toContain("taken red");
    expect(lines.at(-1)).toMatch(/^2 rows; 4 of \d+ events match, [\d,]+ bytes were read$/);
    for (const control of ["\u001b", "\u009b"]) expect(asked.stdout).not.toContain(control);
  });

  it("prints it to other programs as JSON", async () => {
    const { code, stdout } = await client(
      "logs",
      "query",
      "/aws/lambda/one",
      'filter @type = "REPORT" | stats count(*) as reports',
      "--json",
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ reports: "3" });
    const limited = await client("logs", "query", "one", "fields @message", "--limit", "2", "--json");
    expect(limited.stdout.trimEnd().split("\n")).toHaveLength(2);
  });

  it("says that nothing was found, which is no failure", async () => {
    expect(await client("logs", "query", "one", "filter @message like /nowhere/")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Nothing was found\.\n0 rows; 0 of /) as string,
    });
  });

  it("tells what is wrong with the question or its range", async () => {
    for (const [args, message] of [
      [["one", "stats stats"], /^error: logs query: /],
      [["one"], /^error: logs query: say what to ask/],
      [["one", "fields @message", "--limit", "0"], /^error: --limit: must be/],
      [
        ["one", "fields @message", "--since", "1h", "--until", "2h"],
        /^error: --since: must be a time before/,
      ],
      [["one", "fields @message", "--until", "soon"], /^error: --until: must be as/],
    ] as const) {
      const { code, stdout, stderr } = await client("logs", "query", ...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(message);
    }
    expect(await client("logs", "query", "one,nobody", "fields @message")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("There is no function nobody, and no log group") as string,
    });
    expect(await client("logs", "one", "two")).toMatchObject({ code: 2 });
  });
});

describe("thaw logs", () => {
  it("lets no line move the cursor", async () => {
    const text = await client("logs", "one");
    expect(text.stdout).toContain("\tINFO\ttaken red \n");
    const json = await client("logs", "one", "--json");
    expect(json.stdout).toContain(String.raw`\u001b[31mred\u001b[0m \u009b2J`);
  });

  it("follows a function to the group that it logs to, which others may share", async () => {
    const { code, stdout } = await client("logs", "cart");
    expect(code).toBe(0);
    expect(stdout).toContain("INFO\tof cart\n");
    expect(stdout).not.toContain("cartoon");
    const question = ["stats count_distinct(@logStream) as streams", "--json"];
    const asked = await client("logs", "query", "cart,cartoon", ...question);
    expect(JSON.parse(asked.stdout)).toEqual({ streams: "2" });
    expect((await client("why", "cart")).stdout).toMatch(/^cart failed: Error: of cart\n/);
  });

  it("--tail prints what comes, from the first line of a function on, until Ctrl-C", async () => {
    const main = join(await ensureBuilt(), "main.js");
    const child = spawn(process.execPath, [main, "logs", "later", "--tail", "--endpoint", platform.url], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [printed, told] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (told += chunk.toString()));
    const ended = once(child, "exit");
    await until(() => expect(told).toContain("The function later has logged nothing yet. Waiting for it…"));
    const lambda = lambdaFor(platform.url);
    for (const text of ["first", "second"]) {
      await invoke(lambda, "later", { text });
      await until(() => expect(printed).toContain(`INFO\t${text}\n`));
    }
    child.kill("SIGINT");
    expect(await ended).toEqual([0, null]);
    expect(printed.match(/INFO\t/g)).toHaveLength(2);
  });
});
