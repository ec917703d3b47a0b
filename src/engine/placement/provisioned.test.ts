import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { noUsage } from "../concurrency/meter.ts";
import type { FunctionSpec } from "../contract.ts";
import type { EnvironmentView, IdleEnvironment } from "../environment/contract.ts";
import { Provisioned } from "./provisioned.ts";
import type { ProvisionedStart } from "./provisioned.ts";

const ARN = "arn:aws:lambda:us-east-1:111111111111:function:fn";
let clock: ManualClock;
let provisioned: Provisioned;
let starts: ProvisionedStart[];
let killed: EnvironmentView[];

beforeEach(() => {
  clock = new ManualClock();
  starts = [];
  killed = [];
  provisioned = new Provisioned({
    clock,
    usage: noUsage,
    parallel: 2,
    start: async (by) => {
      starts.push(by);
    },
  });
});

function spec(version: string, timeoutMs = 3000): FunctionSpec {
  return { id: `spec-${version}`, arn: ARN, version, timeoutMs } as FunctionSpec;
}

function configure(
  ...allotments: readonly (readonly [string, ...(readonly [FunctionSpec, number])[]])[]
): void {
  provisioned.configure({
    account: "111111111111",
    region: "us-east-1",
    arn: ARN,
    reserved: undefined,
    provisioned: allotments.map(([qualifier, ...targets]) => ({
      qualifier,
      targets: targets.map(([of, count]) => ({ spec: of, count })),
    })),
  });
}

/** Ends the longest wait for an initialisation well. */
function initialise(): IdleEnvironment {
  const by = starts.shift();
  if (by === undefined) throw new Error("nothing is being initialised");
  const environment = {
    id: `environment ${Math.random()}`,
    specId: by.spec.id,
    kill: async () => {
      killed.push(environment);
      by.onDeath(environment);
    },
  } as unknown as IdleEnvironment;
  by.onInit({ kind: "ready", environment, initMs: 5 });
  return environment;
}

function fail(): void {
  starts.shift()?.onInit({ kind: "error", errorType: "Error", payload: Buffer.from("{}"), initMs: 5 });
}

const state = (qualifier: string) => {
  const { status, allocated, available } = provisioned.state(ARN, qualifier) ?? {};
  return [status, allocated, available];
};

describe("provisioned environments", () => {
  it("are initialised a few at a time, without an invocation's limit of 10 seconds", () => {
    configure(["1", [spec("1"), 3]]);
    expect(starts.map(({ initTimeoutMs }) => initTimeoutMs)).toEqual([130_000, 130_000]);
    expect(state("1")).toEqual(["IN_PROGRESS", 0, 0]);
    initialise();
    expect(starts).toHaveLength(2);
    expect(state("1")).toEqual(["IN_PROGRESS", 1, 1]);
    initialise();
    initialise();
    expect(starts).toHaveLength(0);
    expect(state("1")).toEqual(["READY", 3, 3]);
    expect(provisioned.size).toBe(3);
    configure(["1", [spec("1"), 3]], ["2", [spec("2", 600_000), 1]]);
    expect(starts[0]?.initTimeoutMs).toBe(600_000);
  });

  it("are taken and put back, the most recently used first", () => {
    configure(["1", [spec("1"), 2]]);
    const [first, second] = [initialise(), initialise()];
    const slot = provisioned.slot("spec-1");
    expect(slot?.take()).toBe(second);
    expect(slot?.take()).toBe(first);
    expect(slot?.take()).toBeUndefined();
    expect(state("1")).toEqual(["READY", 2, 0]);
    if (slot !== undefined) provisioned.park(slot, first);
    expect(slot?.take()).toBe(first);
  });

  it("are replaced when they die, idle or busy", async () => {
    configure(["1", [spec("1"), 2]]);
    const [, second] = [initialise(), initialise()];
    const busy = provisioned.slot("spec-1")?.take();
    expect(busy).toBe(second);
    await busy?.kill();
    expect(state("1")).toEqual(["IN_PROGRESS", 1, 1]);
    initialise();
    expect(state("1")).toEqual(["READY", 2, 2]);
    await provisioned.slot("spec-1")?.take()?.kill();
    expect(starts).toHaveLength(1);
  });

  it("become fewer: idle ones at once, busy ones when they come back", () => {
    configure(["1", [spec("1"), 3]]);
    const environments = [initialise(), initialise(), initialise()];
    const slot = provisioned.slot("spec-1");
    const busy = [slot?.take(), slot?.take()];
    configure(["1", [spec("1"), 1]]);
    expect(killed).toEqual([environments[0]]);
    for (const environment of busy)
      if (slot !== undefined && environment !== undefined) provisioned.park(slot, environment);
    expect(killed).toHaveLength(2);
    expect(state("1")).toEqual(["READY", 1, 1]);
    configure();
    expect(killed).toHaveLength(3);
    expect(provisioned.size).toBe(0);
    expect(provisioned.slot("spec-1")).toBeUndefined();
    expect(provisioned.state(ARN, "1")).toBeUndefined();
  });

  it("of the version that an alias left go as those of the new one come", () => {
    configure(["live", [spec("1"), 2]]);
    initialise();
    initialise();
    configure(["live", [spec("2"), 2]]);
    // Recorded: get_provisioned_config_after_alias_move shows all allocated and in progress.
    expect(state("live")).toEqual(["IN_PROGRESS", 2, 2]);
    initialise();
    expect(killed).toHaveLength(1);
    expect(state("live")).toEqual(["IN_PROGRESS", 2, 2]);
    initialise();
    expect(killed).toHaveLength(2);
    expect(state("live")).toEqual(["READY", 2, 2]);
    expect(provisioned.slot("spec-1")).toBeUndefined();
  });

  it("are split by an alias of two versions", () => {
    configure(["live", [spec("1"), 1], [spec("2"), 1]]);
    initialise();
    expect(state("live")).toEqual(["IN_PROGRESS", 1, 1]);
    initialise();
    expect(state("live")).toEqual(["READY", 2, 2]);
    expect(provisioned.slot("spec-1")?.allocated).toBe(1);
  });

  it("that cannot be initialised fail with AWS's reason, and are tried again later, ever more rarely", () => {
    configure(["1", [spec("1"), 1]]);
    fail();
    fail();
    expect(state("1")).toEqual(["IN_PROGRESS", 0, 0]);
    fail();
    expect(provisioned.state(ARN, "1")).toEqual({
      status: "FAILED",
      statusReason: "FUNCTION_ERROR_INIT_FAILURE",
      allocated: 0,
      available: 0,
    });
    expect(starts).toHaveLength(0);
    clock.advance(60_001);
    expect(starts).toHaveLength(1);
    fail();
    clock.advance(60_001);
    expect(starts).toHaveLength(0);
    clock.advance(60_000);
    initialise();
    expect(state("1")).toEqual(["READY", 1, 1]);
  });

  it("are tried again at once when they are configured again", () => {
    configure(["1", [spec("1"), 1]]);
    for (let n = 0; n < 3; n++) fail();
    configure(["1", [spec("1"), 1]]);
    expect(state("1")).toEqual(["IN_PROGRESS", 0, 0]);
    expect(starts).toHaveLength(1);
  });

  it("tell of a host that cannot start them", async () => {
    provisioned = new Provisioned({
      clock,
      usage: noUsage,
      parallel: 1,
      start: () => Promise.reject(new Error("no interpreter")),
    });
    configure(["1", [spec("1"), 1]]);
    await expect.poll(() => provisioned.state(ARN, "1")?.statusReason).toBe("no interpreter");
    expect(provisioned.state(ARN, "1")?.status).toBe("FAILED");
  });

  it("that come too late are ended", () => {
    configure(["1", [spec("1"), 1]]);
    configure();
    initialise();
    expect(killed).toHaveLength(1);
    expect(provisioned.size).toBe(0);
  });

  it("end with the platform", async () => {
    configure(["1", [spec("1"), 2]]);
    const first = initialise();
    await provisioned.close();
    expect(killed).toEqual([first]);
    initialise();
    expect(killed).toHaveLength(2);
    expect(starts).toHaveLength(0);
  });
});

it("replaces what is older than its credentials allow, a quarter at a time", () => {
  configure(["live", [spec("1"), 4]]);
  while (starts.length > 0) initialise();
  clock.advance(10 * 3_600_000);
  expect(killed).toEqual([]);
  clock.advance(10 * 60_000);
  expect(killed).toHaveLength(1);
  expect(provisioned.state(ARN, "live")).toMatchObject({ status: "IN_PROGRESS", available: 3 });
  initialise();
  expect(provisioned.state(ARN, "live")).toMatchObject({ status: "READY", available: 4 });
  clock.advance(30 * 60_000);
  while (starts.length > 0) initialise();
  expect(killed).toHaveLength(4);
  clock.advance(3_600_000);
  expect(killed).toHaveLength(4);
});
