import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  ListFunctionsCommand,
} from "@aws-sdk/client-lambda";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startPlatform } from "../support/platform.ts";
import {
  create,
  definition,
  guestsIn,
  health,
  HELLO,
  invoke,
  lambdaFor,
  logged,
  send,
  SPINS,
  temporaryFolder,
  until,
  WAITS,
} from "./support.ts";

const folder = temporaryFolder();

it.concurrent("keeps functions, logs and acknowledged events over a SIGKILL, and ends the guests that it left", async () => {
  const data = join(folder, "kept");
  const first = await startPlatform(["--data", data, "--concurrency", "2"]);
  const lambda = lambdaFor(first.url);
  await create(lambda, "hello", HELLO);
  await invoke(lambda, "hello", { before: "crash" });
  await until(async () => expect((await logged(first.url, "hello")).join("")).toContain("REPORT"));

  // Both places are taken, so the event is acknowledged and cannot run.
  await create(lambda, "waits", WAITS);
  await create(lambda, "spins", SPINS);
  const cut = [invoke(lambda, "waits"), invoke(lambda, "spins")].map((answer) => answer.catch(() => "cut"));
  await until(async () => expect(await health(first.url)).toMatchObject({ running: 2, busy: 2 }));
  await until(async () => expect((await logged(first.url, "spins")).join("")).toContain("spinning"));
  await until(async () => expect((await logged(first.url, "waits")).join("")).toContain("waiting"));
  await send(lambda, "hello", { event: "acknowledged" });
  const orphans = guestsIn(data);
  expect(orphans.length).toBeGreaterThanOrEqual(2);
  await first.stop("SIGKILL");
  expect(await Promise.all(cut)).toEqual(["cut", "cut"]);
  const second = await startPlatform(["--data", data]);
  await until(() => expect(guestsIn(data).filter((pid) => orphans.includes(pid))).toEqual([]));
  const restarted = lambdaFor(second.url);
  const { Functions = [] } = await restarted.send(new ListFunctionsCommand({}));
  expect(Functions.map(({ FunctionName }) => FunctionName)).toEqual(["hello", "spins", "waits"]);
  expect((await logged(second.url, "hello")).join("")).toContain('hello {"before":"crash"}');
  await until(async () =>
    expect((await logged(second.url, "hello")).join("")).toContain('hello {"event":"acknowledged"}'),
  );
  expect(await invoke(restarted, "hello", 1)).toEqual({ error: undefined, payload: { hello: 1 } });
  expect(await second.stop()).toBe(0);
  expect(guestsIn(data)).toEqual([]);
  expect(second.errors()).toBe("");
});

it.concurrent("leaves no idle guest behind: they see their descriptor close", async () => {
  const data = join(folder, "idle");
  const platform = await startPlatform(["--data", data]);
  const lambda = lambdaFor(platform.url);
  await create(lambda, "hello", HELLO);
  await invoke(lambda, "hello");
  expect(guestsIn(data)).not.toEqual([]);
  await platform.stop("SIGKILL");
  await until(() => expect(guestsIn(data)).toEqual([]));
});

it.concurrent("keeps every function whose creation was answered, and finishes its creation", async () => {
  const data = join(folder, "creating");
  const first = await startPlatform(["--data", data]);
  const lambda = lambdaFor(first.url);
  const names = Array.from({ length: 12 }, (_, index) => `function-${index}`);
  const answered: string[] = [];
  const creations = names.map(async (name) => {
    await lambda.send(new CreateFunctionCommand(await definition(name, HELLO)));
    answered.push(name);
  });
  await Promise.any(creations);
  const acknowledged = [...answered];
  await first.stop("SIGKILL");
  await Promise.allSettled(creations);

  const second = await startPlatform(["--data", data]);
  const restarted = lambdaFor(second.url);
  expect(acknowledged).not.toEqual([]);
  // Those that were under way are there or not, but none is stuck half-way.
  const { Functions = [] } = await restarted.send(new ListFunctionsCommand({}));
  for (const { FunctionName } of Functions)
    await until(async () =>
      expect(await restarted.send(new GetFunctionConfigurationCommand({ FunctionName }))).toMatchObject({
        State: "Active",
      }),
    );
  const [name = ""] = acknowledged;
  expect(Functions.map(({ FunctionName }) => FunctionName)).toEqual(expect.arrayContaining(acknowledged));
  expect(await invoke(restarted, name, name)).toEqual({ error: undefined, payload: { hello: name } });
  expect(await second.stop()).toBe(0);
});
