import { array, assert, constantFrom, nat, option, property, record } from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { ConcurrencyGate } from "./gate.ts";
import type { FunctionGate } from "./gate.ts";
import { noMetrics, noUsage } from "./meter.ts";
import { throttled } from "./throttle.ts";

const SCOPE = { account: "111111111111", region: "us-east-1" };
let gate: ConcurrencyGate;

beforeEach(() => {
  gate = new ConcurrencyGate(10, noMetrics, noUsage);
});

const spec = (name: string, region = SCOPE.region) => ({
  ...SCOPE,
  region,
  arn: `arn:aws:lambda:${region}:${SCOPE.account}:function:${name}`,
});

const of = (name: string): FunctionGate => gate.of(spec(name), 0);

/** Reserves, and promises `provisioned` environments to version 1. */
function configure(name: string, reserved: number | undefined, provisioned = 0): void {
  const targets = [{ spec: spec(name) as never, count: provisioned }];
  gate.configure({ ...spec(name), reserved, provisioned: [{ qualifier: "1", targets }] }, 0);
}

/** How many of `count` come in, and why the last one did not. */
function enter(name: string, count: number, provisioned = false): [number, string | undefined] {
  let entered = 0;
  let reason: string | undefined;
  for (let n = 0; n < count; n++) {
    const throttle = of(name).enter(provisioned, 0);
    if (throttle === undefined) entered++;
    else reason = throttle.reason;
  }
  return [entered, reason];
}

describe("the concurrency gate", () => {
  it("shares the account's limit between functions, and each region has its own", () => {
    expect(enter("a", 6)).toEqual([6, undefined]);
    expect(enter("b", 6)).toEqual([4, "ConcurrentInvocationLimitExceeded"]);
    expect(gate.of(spec("a", "eu-west-1"), 0).enter(false, 0)).toBeUndefined();
    of("a").leave(false);
    expect(enter("b", 2)).toEqual([1, "ConcurrentInvocationLimitExceeded"]);
    expect(gate.running).toBe(11);
  });

  it("gives a function its reserved concurrency, no more, whatever others use", () => {
    configure("a", 3);
    expect(enter("b", 20)).toEqual([7, "ConcurrentInvocationLimitExceeded"]);
    expect(enter("a", 20)).toEqual([3, "ReservedFunctionConcurrentInvocationLimitExceeded"]);
  });

  it("stops a function that has none reserved", () => {
    configure("a", 0);
    expect(enter("a", 1)).toEqual([0, "ReservedFunctionConcurrentInvocationLimitExceeded"]);
    expect(enter("b", 20)).toEqual([10, "ConcurrentInvocationLimitExceeded"]);
  });

  it("keeps provisioned concurrency out of what is on demand", () => {
    configure("a", undefined, 4);
    expect(enter("b", 20)).toEqual([6, "ConcurrentInvocationLimitExceeded"]);
    expect(enter("a", 1)).toEqual([0, "ConcurrentInvocationLimitExceeded"]);
    expect(enter("a", 4, true)).toEqual([4, undefined]);
    // Recorded: reserved 1, provisioned 1: $LATEST never runs.
    configure("c", 1, 1);
    expect(enter("c", 1)).toEqual([0, "ReservedFunctionConcurrentInvocationLimitExceeded"]);
    expect(enter("c", 1, true)).toEqual([1, undefined]);
  });

  it("counts right what runs while the configuration changes", () => {
    enter("a", 4);
    configure("a", 5);
    expect(enter("b", 20)).toEqual([5, "ConcurrentInvocationLimitExceeded"]);
    expect(enter("a", 20)).toEqual([1, "ReservedFunctionConcurrentInvocationLimitExceeded"]);
    configure("a", undefined);
    for (let n = 0; n < 5; n++) of("a").leave(false);
    for (let n = 0; n < 5; n++) of("b").leave(false);
    expect(gate.running).toBe(0);
    expect(enter("a", 20)).toEqual([10, "ConcurrentInvocationLimitExceeded"]);
  });

  it("lets 10 requests a second through for each unit of concurrency", () => {
    const passing = (name: string, count: number, now: number): [number, string | undefined] => {
      let passed = 0;
      let reason: string | undefined;
      for (let n = 0; n < count; n++) {
        const throttle = of(name).enter(false, now);
        if (throttle !== undefined) reason = throttle.reason;
        else {
          passed++;
          of(name).leave(false);
        }
      }
      return [passed, reason];
    };
    configure("a", 2);
    expect(passing("a", 30, 0)).toEqual([20, "ReservedFunctionInvocationRateLimitExceeded"]);
    expect(passing("a", 30, 500)).toEqual([10, "ReservedFunctionInvocationRateLimitExceeded"]);
    expect(passing("b", 200, 0)).toEqual([100, "FunctionInvocationRateLimitExceeded"]);
    expect(of("b").enter(false, 0)).toMatchObject({ waitMs: 10 });
  });

  it("lets a function have 1,000 new environments at once, then 100 a second", () => {
    const start = (now: number) =>
      Array.from({ length: 1500 }, () => of("a").scale(now)).filter((throttle) => throttle === undefined)
        .length;
    expect(start(0)).toBe(1000);
    expect(start(5000)).toBe(500);
    expect(of("a").scale(5000)).toEqual({ reason: "FunctionInvocationRateLimitExceeded", waitMs: 10 });
    expect(of("b").scale(5000)).toBeUndefined();
  });

  it("never passes a limit, nor loses count, in any order of events", () => {
    const names = ["a", "b", "c"];
    const event = record({
      name: constantFrom(...names),
      kind: constantFrom("enter", "leave", "configure"),
      value: option(nat(4), { nil: undefined }),
    });
    assert(
      property(array(event, { maxLength: 200 }), (events) => {
        gate = new ConcurrencyGate(10, noMetrics, noUsage);
        const running = new Map(names.map((name) => [name, 0]));
        const reserved = new Map<string, number | undefined>();
        const sharing = () =>
          names.reduce((sum, n) => sum + (reserved.get(n) === undefined ? (running.get(n) ?? 0) : 0), 0);
        const claimed = () => names.reduce((sum, n) => sum + (reserved.get(n) ?? 0), 0);
        let now = 0;
        for (const { name, kind, value } of events) {
          const under = running.get(name) ?? 0;
          now += 1000;
          if (kind === "configure") {
            reserved.set(name, value);
            configure(name, value);
          } else if (kind === "leave") {
            if (under === 0) continue;
            gate.of(spec(name), now).leave(false);
            running.set(name, under - 1);
          } else if (gate.of(spec(name), now).enter(false, now) === undefined) {
            running.set(name, under + 1);
            const own = reserved.get(name);
            if (own !== undefined) expect(under + 1).toBeLessThanOrEqual(own);
            else expect(sharing() + claimed()).toBeLessThanOrEqual(10);
          }
          expect(gate.running).toBe([...running.values()].reduce((sum, n) => sum + n, 0));
        }
      }),
    );
  });
});

describe("a throttle", () => {
  it("is answered in AWS's words, with the seconds to wait", () => {
    const error = throttled({ reason: "FunctionInvocationRateLimitExceeded", waitMs: 1200 });
    expect(error).toMatchObject({ code: "TooManyRequestsException", status: 429, message: "Rate Exceeded." });
    expect(error.members).toEqual({
      Reason: "FunctionInvocationRateLimitExceeded",
      Type: "User",
      message: "Rate Exceeded.",
    });
    expect(error.headers).toEqual({ "retry-after": "2" });
    const reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
    expect(throttled({ reason, waitMs: undefined }).headers).toEqual({ "retry-after": "1" });
  });
});
