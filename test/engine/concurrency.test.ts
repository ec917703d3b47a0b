import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "#core/clock";
import { AwsError } from "#core/errors";
import type { FunctionSpec } from "#engine/contract";
import { createMetricSink } from "#telemetry/metric-sink";
import type { AggregatingMetricSink } from "#telemetry/metric-sink";
import { openBench } from "./support.ts";
import type { Bench } from "./support.ts";

let bench: Bench;
let metrics: AggregatingMetricSink;
beforeEach(async () => {
  metrics = createMetricSink({ clock: systemClock });
  bench = await openBench({ metrics, concurrencyLimit: 20 });
});
afterEach(async () => {
  await bench.close();
  metrics.close();
});

/** When it ran, by the host's monotonic clock, and how its environment was initialised. */
const TIMED = `exports.handler = async ({ ms, exit }) => {
  const from = Number(process.hrtime.bigint() / 1000n);
  if (exit) process.exit(1);
  await new Promise((resolve) => setTimeout(resolve, ms));
  const type = process.env.AWS_LAMBDA_INITIALIZATION_TYPE;
  return { from, to: Number(process.hrtime.bigint() / 1000n), type };
};`;

interface Timed {
  readonly from: number;
  readonly to: number;
  readonly type: string;
}

const timed = (overrides: Partial<FunctionSpec> = {}) => bench.spec({ "index.js": TIMED }, overrides);

function reserve(spec: FunctionSpec, reserved: number): void {
  const { account, region, arn } = spec;
  bench.engine.configureConcurrency({ account, region, arn, reserved, provisioned: [] });
}

function provision(spec: FunctionSpec, count: number, qualifier = spec.version): void {
  const { account, region, arn } = spec;
  const targets = [{ spec, count }];
  const provisioned = count === 0 ? [] : [{ qualifier, targets }];
  bench.engine.configureConcurrency({ account, region, arn, reserved: undefined, provisioned });
}

const stateOf = (spec: FunctionSpec, qualifier = spec.version) =>
  bench.engine.provisioned(spec.arn, qualifier);

async function ready(spec: FunctionSpec, allocated: number): Promise<void> {
  await expect
    .poll(() => stateOf(spec), { timeout: 20_000 })
    .toEqual({ status: "READY", statusReason: undefined, allocated, available: allocated });
}

/** All values of a metric with just these dimensions. */
function metric(name: string, dimensions: Readonly<Record<string, string>>) {
  const minutes = metrics
    .read()
    .filter(({ address }) => address.name === name && same(address.dimensions, dimensions))
    .flatMap((series) => series.minutes);
  return {
    sum: minutes.reduce((sum, minute) => sum + minute.sum, 0),
    count: minutes.reduce((count, minute) => count + minute.count, 0),
    max: Math.max(...minutes.map(({ max }) => max)),
  };
}

function same(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** How many of the runs were under way at the same moment, at most. */
function mostAtOnce(runs: readonly Timed[]): number {
  const events = runs
    .flatMap(({ from, to }) => [
      { at: from, step: 1 },
      { at: to, step: -1 },
    ])
    .toSorted((a, b) => a.at - b.at || a.step - b.step);
  let now = 0;
  let most = 0;
  for (const { step } of events) most = Math.max(most, (now += step));
  return most;
}

describe("reserved concurrency under load", () => {
  it("of 5 never lets a sixth run for 64 clients, and tells of every throttle", async () => {
    const spec = await timed();
    const other = await timed({ id: "another", name: "another" });
    reserve(spec, 5);
    const runs: Timed[] = [];
    const reasons = new Map<unknown, number>();
    let running = 0;
    const client = async (): Promise<void> => {
      while (runs.length < 60) {
        try {
          const { payload } = await bench.invoke(spec, { ms: 20 });
          runs.push(payload as Timed);
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          expect(error).toMatchObject({ code: "TooManyRequestsException", status: 429 });
          expect(Number(error.headers["retry-after"])).toBeGreaterThanOrEqual(1);
          const reason = error.members["Reason"];
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
          await new Promise((resolve) => systemClock.after(5, () => resolve(undefined)));
        }
        running = Math.max(running, bench.engine.status().running);
      }
    };
    await Promise.all(Array.from({ length: 64 }, client));

    expect(mostAtOnce(runs)).toBeLessThanOrEqual(5);
    expect(running).toBeLessThanOrEqual(5);
    expect(metric("ConcurrentExecutions", { FunctionName: spec.name }).max).toBe(5);
    const throttles = [...reasons.values()].reduce((sum, count) => sum + count, 0);
    expect(reasons.get("ReservedFunctionConcurrentInvocationLimitExceeded")).toBeGreaterThan(59);
    expect(metric("Throttles", { FunctionName: spec.name }).sum).toBe(throttles);
    expect(metric("Throttles", {}).sum).toBe(throttles);
    expect(metric("Invocations", { FunctionName: spec.name }).sum).toBe(runs.length);
    // None of it counted as unreserved, and another function is not held up.
    expect(metric("UnreservedConcurrentExecutions", {}).max).toBe(0);
    expect(metric("ClaimedAccountConcurrency", {}).max).toBe(5);
    await bench.invoke(other, { ms: 1 });
    expect(metric("UnreservedConcurrentExecutions", {}).max).toBe(1);
    expect(metric("ClaimedAccountConcurrency", {}).max).toBe(6);
    expect(bench.engine.status().running).toBe(0);
  });

  it("of 0 stops a function until it is taken back", async () => {
    const spec = await timed();
    reserve(spec, 0);
    await expect(bench.invoke(spec, { ms: 1 })).rejects.toMatchObject({
      members: { Reason: "ReservedFunctionConcurrentInvocationLimitExceeded" },
    });
    provision(spec, 0);
    expect((await bench.invoke(spec, { ms: 1 })).functionError).toBeUndefined();
  });

  it("is shared by all versions of the function", async () => {
    const latest = await timed();
    const published = await timed({ version: "1" });
    reserve(latest, 1);
    const first = bench.invoke(latest, { ms: 300 });
    await expect(bench.invoke(published, { ms: 1 })).rejects.toMatchObject({
      code: "TooManyRequestsException",
    });
    await first;
    expect((await bench.invoke(published, { ms: 1 })).functionError).toBeUndefined();
  });
});

describe("provisioned environments", () => {
  it("serve without a cold start, spill over when all are busy, and say what they are", async () => {
    const spec = await timed({ version: "1" });
    provision(spec, 2, "live");
    expect(stateOf(spec, "live")).toMatchObject({ status: "IN_PROGRESS", allocated: 0 });
    await expect.poll(() => stateOf(spec, "live")?.status, { timeout: 20_000 }).toBe("READY");
    expect(bench.engine.status().environments).toBe(2);
    const logged = bench.lines.map(({ message }) => message);
    expect(logged.filter((line) => line.startsWith("INIT_START"))).toHaveLength(2);
    expect(logged.filter((line) => /^INIT_REPORT Init Duration: \d+\.\d\d ms\n$/.test(line))).toHaveLength(2);

    const invokedArn = `${spec.arn}:live`;
    const answers = await Promise.all([1, 2, 3].map(() => bench.invoke(spec, { ms: 300 }, { invokedArn })));
    const types = answers.map(({ payload }) => (payload as Timed).type);
    expect(types).toEqual(["provisioned-concurrency", "provisioned-concurrency", "on-demand"]);
    expect(answers[2]?.tail).toContain("Init Duration");
    // On AWS, too, the first invocation of each tells how long its init had taken ahead of it, and is not billed for it.
    const [, took, billed] =
      /\tDuration: ([\d.]+) ms\tBilled Duration: (\d+) ms\t.*\tInit Duration: [\d.]+ ms\t/.exec(
        answers[0]?.tail ?? "",
      ) ?? [];
    expect(Number(billed)).toBe(Math.ceil(Number(took)));

    const of = { FunctionName: spec.name, Resource: `${spec.name}:live` };
    expect(metric("ProvisionedConcurrencyInvocations", of).sum).toBe(2);
    expect(metric("ProvisionedConcurrencySpilloverInvocations", of).sum).toBe(1);
    expect(metric("ProvisionedConcurrentExecutions", of).max).toBe(2);
    expect(metric("ProvisionedConcurrencyUtilization", of)).toMatchObject({ max: 1, count: 2 });
    expect(metric("Invocations", { ...of, ExecutedVersion: "1" }).sum).toBe(3);
    expect(metric("UnreservedConcurrentExecutions", {}).max).toBe(1);
    expect((await bench.invoke(spec, { ms: 1 }, { invokedArn })).tail).not.toContain("Init Duration");
  });

  it("are kept through deaths", async () => {
    const spec = await timed({ version: "1" });
    provision(spec, 2);
    await ready(spec, 2);
    for (let n = 0; n < 3; n++) {
      expect((await bench.invoke(spec, { ms: 1, exit: true })).functionError).toBe("Unhandled");
      await ready(spec, 2);
    }
    expect(metric("Errors", { FunctionName: spec.name })).toMatchObject({ sum: 3, count: 3 });
    const { payload } = await bench.invoke(spec, { ms: 1 });
    expect(payload).toMatchObject({ type: "provisioned-concurrency" });
  });

  it("take their share out of what is unreserved", async () => {
    const spec = await timed({ version: "1" });
    const other = await timed({ name: "other" });
    provision(spec, 2);
    await ready(spec, 2);
    reserve(await timed({ name: "third" }), 17);
    const running = bench.invoke(other, { ms: 400 });
    await expect(bench.invoke(other, { ms: 1 })).rejects.toMatchObject({
      members: { Reason: "ConcurrentInvocationLimitExceeded" },
    });
    expect((await bench.invoke(spec, { ms: 1 })).functionError).toBeUndefined();
    await running;
  });

  it("are neither evicted nor expired", async () => {
    await bench.close();
    bench = await openBench({ metrics, maxEnvironments: 3, idleMs: 1 });
    const spec = await timed({ version: "1" });
    provision(spec, 2);
    await ready(spec, 2);
    for (const name of ["a", "b", "c"]) await bench.invoke(await timed({ name }), { ms: 1 });
    expect(stateOf(spec)).toMatchObject({ allocated: 2 });
    const { payload } = await bench.invoke(spec, { ms: 1 });
    expect(payload).toMatchObject({ type: "provisioned-concurrency" });
  });

  it("that cannot be initialised are FAILED, and invocations start on demand", async () => {
    const code = `if (process.env.AWS_LAMBDA_INITIALIZATION_TYPE !== "on-demand") throw new Error("not here");\n${TIMED}`;
    const spec = await bench.spec({ "index.js": code }, { version: "1" });
    provision(spec, 1);
    await expect
      .poll(() => stateOf(spec), { timeout: 20_000 })
      .toEqual({
        status: "FAILED",
        statusReason: "FUNCTION_ERROR_INIT_FAILURE",
        allocated: 0,
        available: 0,
      });
    const reports = bench.lines.filter(({ message }) => message.startsWith("INIT_REPORT"));
    expect(reports.map(({ message }) => message)).toEqual(
      Array(3).fill(expect.stringMatching(/Phase: init\tStatus: error\tError Type: Error\n$/)),
    );
    const { payload } = await bench.invoke(spec, { ms: 1 });
    expect(payload).toMatchObject({ type: "on-demand" });
  });

  it("follow an alias to another version, and end with their configuration", async () => {
    const [one, two] = [await timed({ version: "1" }), await timed({ version: "2" })];
    provision(one, 2, "live");
    await expect.poll(() => stateOf(one, "live")?.status, { timeout: 20_000 }).toBe("READY");
    provision(two, 2, "live");
    expect(stateOf(one, "live")).toMatchObject({ status: "IN_PROGRESS", allocated: 2, available: 2 });
    await expect.poll(() => stateOf(one, "live")?.status, { timeout: 20_000 }).toBe("READY");
    expect((await bench.invoke(two, { ms: 1 })).payload).toMatchObject({ type: "provisioned-concurrency" });
    expect((await bench.invoke(one, { ms: 1 })).payload).toMatchObject({ type: "on-demand" });
    provision(two, 0);
    expect(stateOf(two, "live")).toBeUndefined();
    // The one on demand.
    expect(bench.engine.status().environments).toBe(1);
  });
});
