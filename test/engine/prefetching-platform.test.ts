// Very short functions under load, through a platform: what changes or ends meanwhile loses no call and runs none twice.
import { CloudWatchLogsClient, paginateFilterLogEvents } from "@aws-sdk/client-cloudwatch-logs";
import {
  InvokeCommand,
  type LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { join } from "node:path";
import { expect, it } from "vitest";
import { lambdaFor, send, until } from "../lifecycle/support.ts";
import { behindWalls } from "../security/escape/walls.ts";
import { NODE_RUNTIME, openWorld } from "../security/escape/world.ts";
import { clientFor, startPlatform } from "../support/platform.ts";

const SOURCE = `exports.handler = async ({ n }) => {
  console.log("ran", n);
  return { n, setting: process.env.SETTING };
};`;
const SETTINGS = { Runtime: NODE_RUNTIME, Handler: "index.handler", MemorySize: 1769 };
const CALLERS = 16;

// The log's tail would keep an event from being given ahead.
async function call(lambda: LambdaClient, name: string, n: number): Promise<unknown> {
  const Payload = Buffer.from(JSON.stringify({ n }));
  const answer = await lambda.send(new InvokeCommand({ FunctionName: name, Payload }));
  expect(answer.FunctionError).toBe(undefined);
  return JSON.parse(Buffer.from(answer.Payload ?? []).toString());
}

/** Does jobs by number, so many at once, until there are no more or one says that it was the last. */
async function parallel(count: number, job: (n: number) => Promise<boolean | void>): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop
    for (let n = next++; n < count; n = next++) if ((await job(n)) === false) return;
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

async function messagesOf(url: string, name: string, filterPattern: string): Promise<string[]> {
  const client = new CloudWatchLogsClient(clientFor(url));
  const messages: string[] = [];
  const input = { logGroupName: `/aws/lambda/${name}`, filterPattern };
  for await (const { events = [] } of paginateFilterLogEvents({ client }, input))
    messages.push(...events.map(({ message = "" }) => message));
  client.destroy();
  return messages;
}

/** How often each event has run. */
async function runs(url: string, name: string): Promise<Map<number, number>> {
  const ran = new Map<number, number>();
  for (const message of await messagesOf(url, name, "ran")) {
    const n = Number(/\tran (\d+)\n$/.exec(message)?.[1]);
    ran.set(n, (ran.get(n) ?? 0) + 1);
  }
  return ran;
}

const once = (count: number): Map<number, number> => new Map(Array.from({ length: count }, (_, n) => [n, 1]));

const byNumber = (ran: Map<number, number>): Map<number, number> =>
  new Map([...ran].toSorted(([a], [b]) => a - b));

behindWalls(
  (world, kind) => {
    it("answers every call while the function's configuration is changed", async () => {
      const { platform, lambda } = world();
      const Environment = { Variables: { SETTING: "old" } };
      await world().create("changed", { "index.js": SOURCE }, { ...SETTINGS, Environment });
      await parallel(700, async (n) => {
        if (n === 300)
          await lambda.send(
            new UpdateFunctionConfigurationCommand({
              FunctionName: "changed",
              Environment: { Variables: { SETTING: "new" } },
            }),
          );
        expect(await call(lambda, "changed", n)).toMatchObject({ n });
      });
      const waiter = { client: lambda, maxWaitTime: 60, minDelay: 0.02, maxDelay: 0.2 };
      await waitUntilFunctionUpdatedV2(waiter, { FunctionName: "changed" });
      expect(await call(lambda, "changed", 700)).toEqual({ n: 700, setting: "new" });
      await until(async () => expect(byNumber(await runs(platform.url, "changed"))).toEqual(once(701)));
    });

    it("runs asynchronous events once beside calls, and reports what they took", async () => {
      const { platform, lambda } = world();
      await world().create("events", { "index.js": SOURCE }, SETTINGS);
      await parallel(500, async (n) => {
        if (n % 2 === 0) await send(lambda, "events", { n });
        else expect(await call(lambda, "events", n)).toMatchObject({ n });
      });
      await until(async () => expect(byNumber(await runs(platform.url, "events"))).toEqual(once(500)));
      await until(async () => {
        const reports = await messagesOf(platform.url, "events", "REPORT");
        expect(reports).toHaveLength(500);
        for (const report of reports) {
          const [, duration, billed] =
            /\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms\t/.exec(report) ?? [];
          expect(Number(duration)).toBeGreaterThan(0);
          expect(Number(billed)).toBeGreaterThanOrEqual(Math.max(1, Number(duration)));
        }
      });
    });

    it("answers every call until the function is deleted, and that it is no more from then on", async () => {
      const { platform, lambda } = world();
      await world().create("deleted", { "index.js": SOURCE }, SETTINGS);
      const answered: number[] = [];
      await parallel(100_000, async (n) => {
        if (n === 500) await world().delete("deleted");
        try {
          expect(await call(lambda, "deleted", n)).toMatchObject({ n });
          answered.push(n);
        } catch (error) {
          expect((error as Error).name).toBe("ResourceNotFoundException");
          return false;
        }
        return true;
      });
      expect(answered.length).toBeGreaterThanOrEqual(500 - CALLERS);
      const expected = new Map(answered.toSorted((a, b) => a - b).map((n) => [n, 1]));
      await until(async () => expect(byNumber(await runs(platform.url, "deleted"))).toEqual(expected));
    });

    it("answers all that it has begun when it is told to end, and keeps the events that it has taken", async () => {
      const ending = await openWorld(kind);
      await ending.create("drained", { "index.js": SOURCE }, SETTINGS);
      const [answered, taken] = [new Set<number>(), new Set<number>()];
      let stopped: Promise<number | null> | undefined;
      const lambda = lambdaFor(ending.platform.url);
      await parallel(100_000, async (n) => {
        if (n === 500) stopped = ending.platform.stop("SIGTERM");
        try {
          if (n % 4 === 0) await send(lambda, "drained", { n });
          else expect(await call(lambda, "drained", n)).toMatchObject({ n });
          (n % 4 === 0 ? taken : answered).add(n);
        } catch (error) {
          // A function that failed would be no such error.
          expect((error as Error).name).not.toBe("AssertionError");
          return false;
        }
        return true;
      });
      lambda.destroy();
      expect([await stopped, ending.platform.errors()]).toEqual([0, ""]);
      const user = kind.user === undefined ? {} : { user: kind.user };
      const variables = { HOME: ending.folder, TMPDIR: ending.folder, XDG_CACHE_HOME: ending.folder };
      const data = join(ending.folder, "data");
      const again = await startPlatform(["--data", data, "--sandbox", kind.sandbox], variables, user);
      await until(async () => {
        const ran = await runs(again.url, "drained");
        for (const n of answered) expect([n, ran.get(n)]).toEqual([n, 1]);
        for (const n of taken) expect(ran.has(n)).toBe(true);
        // Of a call that nobody has an answer of, nothing was run; an event may be taken while its client is cut off.
        const others = [...ran.keys()].filter((n) => !answered.has(n) && !taken.has(n));
        expect(others.filter((n) => n % 4 !== 0)).toEqual([]);
      });
      await again.stop();
      await ending.close();
    });
  },
  // One is enough where time counts: an ordinary user's, whose guests are no other users to the host.
  ({ sandbox, user }) =>
    process.env["THAW_SOAK"] === "1"
      ? sandbox !== "oci"
      : sandbox === "bubblewrap" && (user !== undefined || process.getuid?.() !== 0),
);
