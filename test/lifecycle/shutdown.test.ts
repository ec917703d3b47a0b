import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import {
  create,
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
  UNTIL_SHUTDOWN,
  WAITS,
} from "./support.ts";

const folder = temporaryFolder();

/** A platform whose temporary data folder is the only thing in a folder that the test can look into. */
async function ephemeral(name: string, flags: readonly string[] = []) {
  const temporary = join(folder, name);
  mkdirSync(temporary);
  const platform = await startPlatform(["--ephemeral", ...flags], { TMPDIR: temporary });
  const left = () => ({ files: readdirSync(temporary), guests: guestsIn(temporary) });
  const [data = ""] = readdirSync(temporary);
  return { platform, left, guests: () => guestsIn(join(temporary, data)) };
}

const nothing = { files: [], guests: [] };

function draining(platform: TestPlatform): Promise<void> {
  return until(() => expect(platform.output()).toContain("Draining"));
}

describe.concurrent("Ctrl-C", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "as %s lets a running invocation finish, answers it, and leaves nothing",
    async (signal) => {
      const { platform, left, guests } = await ephemeral(signal);
      const lambda = lambdaFor(platform.url);
      await create(lambda, "idle", HELLO);
      await invoke(lambda, "idle");
      await create(lambda, "running", UNTIL_SHUTDOWN);
      const answer = invoke(lambda, "running");
      await until(async () => expect(await health(platform.url)).toMatchObject({ running: 1 }));
      expect(guests()).not.toEqual([]);
      const stopped = platform.stop(signal);
      expect(await answer).toEqual({ error: undefined, payload: "finished" });
      expect(await stopped).toBe(0);
      expect(left()).toEqual(nothing);
      expect(platform.errors()).toBe("");
    },
  );

  it.each([
    ["waits", WAITS],
    ["spins", SPINS],
  ])("twice ends a function that %s, answers its caller, and leaves nothing", async (name, source) => {
    const { platform, left } = await ephemeral(name, ["--grace", "600"]);
    const lambda = lambdaFor(platform.url);
    await create(lambda, name, source);
    const answer = invoke(lambda, name);
    await until(async () => expect((await logged(platform.url, name)).join("")).toMatch(/waiting|spinning/));
    platform.kill("SIGINT");
    await draining(platform);
    const stopped = platform.stop("SIGINT");
    expect(await answer).toMatchObject({ error: "Unhandled" });
    expect(await stopped).toBe(0);
    expect(left()).toEqual(nothing);
    expect(platform.errors()).toBe("");
  });

  it("once ends what still runs after the grace", async () => {
    const { platform, left } = await ephemeral("grace", ["--grace", "0.2"]);
    const lambda = lambdaFor(platform.url);
    await create(lambda, "waits", WAITS);
    const answer = invoke(lambda, "waits");
    await until(async () => expect((await logged(platform.url, "waits")).join("")).toContain("waiting"));
    const stopped = platform.stop();
    expect(await answer).toMatchObject({ error: "Unhandled" });
    expect(await stopped).toBe(0);
    expect(left()).toEqual(nothing);
  });

  it("twice loses no acknowledged event: what it cut off runs at the next start", async () => {
    const data = join(folder, "data");
    const first = await startPlatform(["--data", data, "--grace", "600"]);
    const lambda = lambdaFor(first.url);
    // It hangs on the first platform alone: the next one's address is another.
    await create(
      lambda,
      "once",
      `exports.handler = async (event) => {
        if (!process.env.AWS_ENDPOINT_URL.endsWith(":" + process.env.FIRST)) return console.log("done", event.id);
        console.log("hangs");
        await new Promise(() => setInterval(() => {}, 1000));
      };`,
      { Environment: { Variables: { FIRST: new URL(first.url).port } } },
    );
    await send(lambda, "once", { id: "one" });
    await until(async () => expect((await logged(first.url, "once")).join("")).toContain("hangs"));
    first.kill("SIGINT");
    await draining(first);
    expect(await first.stop("SIGINT")).toBe(0);
    expect(guestsIn(data)).toEqual([]);

    const second = await startPlatform(["--data", data]);
    await until(async () => expect((await logged(second.url, "once")).join("")).toContain("done one"));
    expect(await second.stop()).toBe(0);
    expect(guestsIn(data)).toEqual([]);
    expect(first.errors() + second.errors()).toBe("");
  });

  it("during the start ends the platform as properly as later", async () => {
    const { platform, left } = await ephemeral("early");
    // Two at the same moment as readiness: whichever comes first is drained, neither may kill the process.
    platform.kill("SIGTERM");
    expect(await platform.stop("SIGTERM")).toBe(0);
    expect(left()).toEqual(nothing);
  });
});
