// A disk that is full takes no new work, says so in AWS's way, and loses nothing of what was accepted.
import { CreateFunctionCommand, InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, fstatSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import {
  create,
  definition,
  health,
  HELLO,
  invoke,
  lambdaFor,
  temporaryFolder,
  until,
} from "../lifecycle/support.ts";
import { startPlatform } from "../support/platform.ts";

const folder = temporaryFolder();
/** Room beyond the reserve that the storage keeps. */
const SIZE_MB = 96;

/** Only root may mount in a namespace of its own without one of users, in which the platform is not itself. */
const mounts = process.getuid?.() === 0 && spawnSync("unshare", ["-m", "true"]).status === 0;

/** Fills a file until its disk has no byte left. */
function fill(path: string): void {
  const file = openSync(path, "a");
  try {
    for (let chunk = 65_536; chunk >= 1;)
      try {
        writeSync(file, Buffer.alloc(chunk));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        chunk = Math.floor(chunk / 2);
      }
    expect(fstatSync(file).size).toBeGreaterThan(0);
  } finally {
    closeSync(file);
  }
}

it.skipIf(!mounts)("a full disk (needs root and unshare)", async () => {
  const disk = join(folder, "disk");
  const file = join(folder, "handled.txt");
  const platform = await startPlatform(
    ["--data", join(disk, "data"), "--sandbox", "process"],
    {},
    {
      within: [
        "unshare",
        "-m",
        "sh",
        "-c",
        `mkdir -p ${disk} && mount -t tmpfs -o size=${SIZE_MB}m thaw ${disk} && exec "$@"`,
        "sh",
      ],
    },
  );
  // The disk as the platform sees it.
  const seen = join("/proc", String(platform.pid), "root", disk);
  const ballast = join(seen, "ballast");
  const lambda = lambdaFor(platform.url);
  const CODE = `const { appendFileSync, existsSync } = require("node:fs");
    exports.handler = async ({ id }) => {
      while (!existsSync(${JSON.stringify(join(folder, "go"))})) await new Promise((next) => setTimeout(next, 50));
      appendFileSync(${JSON.stringify(file)}, id + "\\n");
    };`;
  await create(lambda, "notes", CODE);
  await create(lambda, "hello", HELLO);
  await invoke(lambda, "hello", 1);
  const accepted: number[] = [];
  const refused: unknown[] = [];
  const send = async (id: number): Promise<void> => {
    try {
      await event(lambda, "notes", { id });
      accepted.push(id);
    } catch (error) {
      refused.push(error);
    }
  };
  for (let id = 0; id < 50; id++) await send(id);
  expect(refused).toEqual([]);
  fill(ballast);
  for (let id = 50; id < 150; id++) await send(id);
  expect(refused.length).toBeGreaterThan(0);
  for (const error of refused) expect(error).toMatchObject({ name: "ServiceException" });
  const another = new CreateFunctionCommand(await definition("another", HELLO));
  await expect(lambda.send(another)).rejects.toMatchObject({ name: "ServiceException" });
  // What needs no disk goes on.
  expect(await health(platform.url)).toMatchObject({ status: "ready" });
  expect((await invoke(lambda, "hello", 2)).payload).toEqual({ hello: 2 });

  rmSync(ballast);
  await until(() => event(lambda, "notes", { id: 1000 }));
  accepted.push(1000);
  spawnSync("touch", [join(folder, "go")]);
  const handled = () =>
    existsSync(file) ? new Set(readFileSync(file, "utf8").trim().split("\n").map(Number)) : new Set();
  await until(() => expect(accepted.filter((id) => !handled().has(id))).toEqual([]));
  lambda.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).not.toMatch(/nothing caught/);
});

async function event(lambda: LambdaClient, FunctionName: string, payload: unknown): Promise<void> {
  const Payload = Buffer.from(JSON.stringify(payload));
  await lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload }));
}
