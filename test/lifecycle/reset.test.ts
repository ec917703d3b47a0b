import { CreateRoleCommand, IAMClient, ListRolesCommand } from "@aws-sdk/client-iam";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import {
  create,
  guestsIn,
  health,
  HELLO,
  invoke,
  lambdaFor,
  logged,
  send,
  UNTIL_SHUTDOWN,
  until,
} from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "thaw-test-"));
const data = join(folder, "data");
let platform: TestPlatform;

beforeAll(async () => {
  // As plain processes, functions can be told through files of this test what to do.
  const flags = ["--allow-reset", "--concurrency", "3", "--sandbox", "process"];
  platform = await startPlatform(["--data", data, ...flags]);
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
  rmSync(folder, { recursive: true, force: true });
});

const reset = (url = platform.url, headers: Record<string, string> = {}) =>
  fetch(`${url}/_thaw/reset`, { method: "POST", headers });

async function names() {
  const { Functions = [] } = await lambdaFor(platform.url).send(new ListFunctionsCommand({}));
  const { logGroups = [] } = await new CloudWatchLogsClient(clientFor(platform.url)).send(
    new DescribeLogGroupsCommand({}),
  );
  const { Roles = [] } = await new IAMClient(clientFor(platform.url)).send(new ListRolesCommand({}));
  return {
    functions: Functions.map(({ FunctionName }) => FunctionName),
    groups: logGroups.map(({ logGroupName }) => logGroupName),
    roles: Roles.map(({ RoleName }) => RoleName),
  };
}

const EMPTY = { functions: [], groups: [], roles: ["thaw-basic-execution"] };

it("empties functions, logs, roles and warm environments, and the same names can be used again", async () => {
  const lambda = lambdaFor(platform.url);
  await create(lambda, "again", HELLO);
  await invoke(lambda, "again");
  await until(async () => expect(await logged(platform.url, "again")).not.toEqual([]));
  const allow = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
  const trust = { Version: "2012-10-17", Statement: [allow] };
  await new IAMClient(clientFor(platform.url)).send(
    new CreateRoleCommand({ RoleName: "mine", AssumeRolePolicyDocument: JSON.stringify(trust) }),
  );
  expect(guestsIn(data)).toHaveLength(1);

  const answer = await reset();
  expect(answer.status).toBe(200);
  expect(await names()).toEqual(EMPTY);
  await until(() => expect(guestsIn(data)).toEqual([]));
  expect(await health(platform.url)).toMatchObject({ environments: 0, running: 0 });
  await expect(invoke(lambda, "again")).rejects.toMatchObject({ name: "ResourceNotFoundException" });

  await create(lambda, "again", `exports.handler = async () => "another";`);
  expect(await invoke(lambda, "again")).toEqual({ error: undefined, payload: "another" });
});

it("empties what was queued, while invocations under way are answered and their environments end", async () => {
  await reset();
  const lambda = lambdaFor(platform.url);
  const release = join(folder, "release");
  await create(
    lambda,
    "busy",
    `const { existsSync } = require("node:fs");
    exports.handler = async () => {
      while (!existsSync(${JSON.stringify(release)})) await new Promise((resolve) => setTimeout(resolve, 10));
      return "answered";
    };`,
  );
  await create(lambda, "queued", HELLO);
  const answers = [1, 2, 3].map(() => invoke(lambda, "busy"));
  await until(async () => expect(await health(platform.url)).toMatchObject({ running: 3 }));
  // Every place is taken, so these wait.
  for (let id = 0; id < 5; id++) await send(lambda, "queued", { id });

  expect((await reset()).status).toBe(200);
  expect(await names()).toEqual(EMPTY);
  await create(lambda, "queued", HELLO);
  writeFileSync(release, "");
  for (const answer of answers) expect(await answer).toEqual({ error: undefined, payload: "answered" });
  await until(async () => expect(await health(platform.url)).toMatchObject({ environments: 0, running: 0 }));

  // The queue holds nothing of before: an event sent now is the first that the new function of that name sees.
  await send(lambda, "queued", { id: "after" });
  await until(async () => expect((await logged(platform.url, "queued")).join("")).toContain("after"));
  const seen = (await logged(platform.url, "queued")).filter((line) => line.includes("hello"));
  expect(seen).toHaveLength(1);
});

it("is asked twice at once, or among other requests, without harm", async () => {
  const lambda = lambdaFor(platform.url);
  const work = Array.from({ length: 6 }, (_, index) => create(lambda, `racing-${index}`, HELLO));
  const resets = [reset(), reset(), reset()];
  await Promise.allSettled(work);
  for (const answer of resets) expect((await answer).status).toBe(200);
  await reset();
  expect(await names()).toEqual(EMPTY);
});

it("is refused to web pages and to other methods", async () => {
  const lambda = lambdaFor(platform.url);
  await create(lambda, "stays", HELLO);
  expect((await reset(platform.url, { origin: "http://example.com" })).status).toBe(403);
  expect((await reset(platform.url, { origin: "null" })).status).toBe(403);
  expect((await fetch(`${platform.url}/_thaw/reset`)).status).toBe(404);
  expect((await names()).functions).toEqual(["stays"]);
});

it("is refused without --allow-reset", async () => {
  const other = await startPlatform();
  const lambda = lambdaFor(other.url);
  await create(lambda, "stays", UNTIL_SHUTDOWN);
  const answer = await reset(other.url);
  expect(answer.status).toBe(403);
  expect(await answer.json()).toEqual({ message: "Reset is off. Start the platform with --allow-reset." });
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  expect(Functions).toHaveLength(1);
  expect(await other.stop()).toBe(0);
});
