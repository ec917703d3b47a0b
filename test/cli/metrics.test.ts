import { InvokeCommand } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create, HELLO, lambdaFor } from "../lifecycle/support.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { thaw } from "./support.ts";

let platform: TestPlatform;

beforeAll(async () => {
  platform = await startPlatform();
  const lambda = lambdaFor(platform.url);
  await create(lambda, "hello", HELLO);
  await create(lambda, "idle", HELLO);
  for (let n = 0; n < 3; n++) await lambda.send(new InvokeCommand({ FunctionName: "hello" }));
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
});

const metrics = (...args: string[]) => thaw(["metrics", ...args, "--endpoint", platform.url]);

describe.concurrent("thaw metrics", () => {
  it("shows a function's metrics as lines of bars", async () => {
    const { code, stdout, stderr } = await metrics("hello");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^hello {2}\d{4}-\d\d-\d\dT\d\d:\d\dZ to now, 1 min a bar$/m);
    expect(stdout).toMatch(/^Invocations {4} +█? *[▁▂▃▄▅▆▇█ ]* {2}3$/m);
    expect(stdout).toMatch(/^Errors .* {2}0 \(0 %\)$/m);
    expect(stdout).toMatch(/^Duration p99 .* [\d.,]+ ms$/m);
  });

  it("shows them to other programs as JSON", async () => {
    const { code, stdout } = await metrics("hello", "--json", "--since", "3d");
    expect(code).toBe(0);
    const shown = JSON.parse(stdout) as { period: number; metrics: { metric: string; sum?: number }[] };
    expect(shown.period).toBe(21_600);
    expect(shown.metrics.find(({ metric }) => metric === "Invocations")?.sum).toBe(3);
  });

  it("says where there is nothing to show, and what a time looks like", async () => {
    expect(await metrics("idle")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^idle has no metrics since /) as string,
    });
    const absent = { code: 1, stdout: "", stderr: expect.stringContaining("There is no function nobody in") };
    expect(await metrics("nobody")).toMatchObject(absent);
    expect(await thaw(["traces", "nobody", "--endpoint", platform.url])).toMatchObject(absent);
    const future = new Date(Date.now() + 60_000).toISOString();
    for (const time of ["soon", future])
      expect(await metrics("hello", "--since", time)).toMatchObject({ code: 2, stdout: "" });
  });
});
