import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBench } from "./support.ts";
import type { Bench } from "./support.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ maxEnvironments: 3 });
});
afterAll(() => bench.close());

const NODE = `
  const seen = [];
  exports.handler = async (event, context) => {
    seen.push(context.tenantId);
    console.log("called");
    return { pid: process.pid, seen };
  };`;

interface Seen {
  readonly pid: number;
  readonly seen: readonly string[];
}

describe("a function that isolates its tenants", () => {
  it("has environments of one tenant each, and the longest idle gives way whoever's it is", async () => {
    const spec = await bench.spec({ "index.js": NODE }, { tenancy: "PER_TENANT" });
    const call = async (tenantId: string): Promise<Seen> =>
      (await bench.invoke(spec, {}, { tenantId })).payload as Seen;
    const calls = [];
    // oxlint-disable-next-line no-await-in-loop
    for (const tenant of ["blue", "green", "red", "blue", "green"]) calls.push(await call(tenant));
    const [blue, green, red, blueAgain, greenAgain] = calls as [Seen, Seen, Seen, Seen, Seen];
    expect(new Set([blue.pid, green.pid, red.pid]).size).toBe(3);
    expect(blueAgain).toEqual({ pid: blue.pid, seen: ["blue", "blue"] });
    expect(greenAgain).toEqual({ pid: green.pid, seen: ["green", "green"] });
    // All three places are taken; red is idle for the longest.
    expect(await call("white")).toMatchObject({ seen: ["white"] });
    expect(await call("blue")).toMatchObject({ pid: blue.pid });
    expect(await call("red")).toMatchObject({ seen: ["red"] });
  });

  it("serves tenants at the same time by environments of their own", async () => {
    const spec = await bench.spec({ "index.js": NODE }, { tenancy: "PER_TENANT", name: "busy" });
    const tenants = ["a", "b", "a", "b", "a", "b"];
    const answers: { tenantId: string; answer: Seen }[] = [];
    // As many at a time as there are places for environments.
    for (const start of [0, 3])
      answers.push(
        // oxlint-disable-next-line no-await-in-loop
        ...(await Promise.all(
          tenants.slice(start, start + 3).map(async (tenantId) => {
            const { payload } = await bench.invoke(spec, {}, { tenantId });
            return { tenantId, answer: payload as Seen };
          }),
        )),
      );
    for (const { tenantId, answer } of answers) expect(new Set(answer.seen)).toEqual(new Set([tenantId]));
  });

  it("names the tenant in JSON logs", async () => {
    const logging = {
      group: "/aws/lambda/json",
      format: "JSON",
      applicationLevel: "INFO",
      systemLevel: "INFO",
    } as const;
    const spec = await bench.spec({ "index.js": NODE }, { tenancy: "PER_TENANT", name: "json", logging });
    const { tail } = await bench.invoke(spec, {}, { tenantId: "blue" });
    const lines = (tail ?? "")
      .trim()
      .split("\n")
      .map(
        (line) => JSON.parse(line) as { type?: string; tenantId?: string; record?: { tenantId?: string } },
      );
    expect(lines.map(({ type, tenantId, record }) => [type, tenantId ?? record?.tenantId])).toEqual([
      ["platform.start", "blue"],
      [undefined, "blue"],
      ["platform.report", "blue"],
    ]);
  });

  it("is told its tenant in Python", async ({ skip }) => {
    const python = (await bench.engine.runtimes()).find(({ runtime }) => runtime.name === "python3.11");
    skip(python?.interpreter === undefined, "python3.11 is not on this host");
    const spec = await bench.spec(
      { "app.py": "def handler(event, context): return context.tenant_id" },
      { runtime: "python3.11", handler: "app.handler", name: "python" },
    );
    expect((await bench.invoke(spec, {}, { tenantId: "blue" })).payload).toBe("blue");
    expect((await bench.invoke(spec)).payload).toBeNull();
  });
});
