import { beforeEach, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import type { FunctionSpec, ProvisionedAllotment } from "../contract.ts";
import { ProvisionedUsage } from "./provisioned-usage.ts";

const MINUTE = 60_000;
const function_ = {
  account: "111111111111",
  region: "us-east-1",
  arn: "arn:aws:lambda:us-east-1:111111111111:function:cart",
  reserved: undefined,
};

let clock: ManualClock;
let usage: ProvisionedUsage;
/** Milliseconds of environments that were counted, by version. */
let counted: Map<string, number>;

beforeEach(() => {
  clock = new ManualClock(Date.UTC(2026, 0, 1));
  counted = new Map();
  usage = new ProvisionedUsage(clock, {
    meter: (account, region, name) => ({
      invoked: () => {},
      reserved: ({ version }, ms) => {
        expect([account, region, name]).toEqual(["111111111111", "us-east-1", "cart"]);
        counted.set(version, (counted.get(version) ?? 0) + ms);
      },
    }),
  });
});

const target = (version: string, count: number) => ({ spec: { version } as FunctionSpec, count });
const ask = (...provisioned: readonly ProvisionedAllotment[]) =>
  usage.configure({ ...function_, provisioned });

it("counts what is asked for, second by second, and follows changes", () => {
  ask({ qualifier: "live", targets: [target("1", 2)] });
  clock.advance(MINUTE);
  expect([...counted]).toEqual([["1", 2 * MINUTE]]);
  ask({ qualifier: "live", targets: [target("1", 1), target("2", 3)] });
  clock.advance(MINUTE);
  expect([...counted]).toEqual([
    ["1", 3 * MINUTE],
    ["2", 3 * MINUTE],
  ]);
});

it("rounds up to five minutes when it is taken back", () => {
  ask({ qualifier: "1", targets: [target("1", 2)] }, { qualifier: "2", targets: [target("2", 1)] });
  clock.advance(6 * MINUTE + 500);
  ask({ qualifier: "2", targets: [target("2", 1)] });
  expect(counted.get("1")).toBe(2 * 10 * MINUTE);
  clock.advance(MINUTE);
  expect(counted.get("1")).toBe(2 * 10 * MINUTE);
  expect(counted.get("2")).toBe(7 * MINUTE);
  ask();
  expect(counted.get("2")).toBe(10 * MINUTE);
  clock.advance(MINUTE);
  expect(counted.get("2")).toBe(10 * MINUTE);
});

it("counts to the end, and nothing of what was emptied", () => {
  ask({ qualifier: "1", targets: [target("1", 1)] });
  clock.advance(1500);
  usage.close();
  expect(counted.get("1")).toBe(1500);
  ask({ qualifier: "1", targets: [target("1", 1)] });
  usage.clear();
  clock.advance(MINUTE);
  expect(counted.get("1")).toBe(1500);
});
