import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import type { IdleEnvironment } from "../environment/contract.ts";
import { Pool } from "./pool.ts";

let clock: ManualClock;
let pool: Pool;
let killed: string[];

beforeEach(() => {
  clock = new ManualClock();
  killed = [];
  pool = new Pool({ clock, maxEnvironments: 3, idleMs: 60_000 });
});

/** An environment that the pool knows; it dies at once when killed, as an idle one does. */
function add(id: string, specId = "spec", tenantId?: string): IdleEnvironment {
  const environment = {
    id,
    specId,
    tenantId,
    kill: async () => {
      killed.push(id);
      pool.remove(environment);
    },
  } as IdleEnvironment;
  pool.add(environment);
  return environment;
}

describe("the pool", () => {
  it("gives the most recently used environment of a spec, and none of another", () => {
    const [a, b] = [add("a"), add("b")];
    pool.park(a);
    pool.park(b);
    expect(pool.take("other")).toBeUndefined();
    expect(pool.take("spec")).toBe(b);
    expect([pool.size, pool.busy]).toEqual([2, 1]);
    expect(pool.take("spec")).toBe(a);
    expect(pool.take("spec")).toBeUndefined();
  });

  it("ends an environment that is older than its credentials allow", () => {
    const a = add("a");
    clock.advance(10 * 3_600_000 - 1);
    pool.park(a);
    expect(pool.take("spec")).toBe(a);
    clock.advance(1);
    pool.park(a);
    expect(pool.take("spec")).toBeUndefined();
    expect(killed).toEqual(["a"]);
  });

  it("never gives one tenant's environment to another, nor to whoever names none", () => {
    const [blue, green, none] = [add("blue", "spec", "b"), add("green", "spec", "g"), add("none")];
    for (const environment of [blue, green, none]) pool.park(environment);
    expect(pool.take("spec", "other")).toBeUndefined();
    expect([pool.take("spec", "g"), pool.take("spec", "g")]).toEqual([green, undefined]);
    expect([pool.take("spec"), pool.take("spec")]).toEqual([none, undefined]);
    expect(pool.take("spec", "b")).toBe(blue);
  });

  it("retires the environments of all tenants of a spec", () => {
    add("busy", "spec", "c");
    pool.park(add("blue", "spec", "b"));
    pool.park(add("other", "spec2", "b"));
    pool.retire("spec");
    expect(killed).toEqual(["blue"]);
  });

  it("ends what was idle for too long, and only that", () => {
    pool.park(add("old"));
    clock.advance(40_000);
    pool.park(add("new"));
    clock.advance(19_999);
    expect(killed).toEqual([]);
    clock.advance(1);
    expect(killed).toEqual(["old"]);
    clock.advance(40_000);
    expect(killed).toEqual(["old", "new"]);
    expect(pool.size).toBe(0);
  });

  it("makes room by ending the longest idle environment, of whatever spec", () => {
    pool.park(add("a", "one"));
    clock.advance(1);
    pool.park(add("b", "two"));
    add("busy", "three");
    expect(pool.makeRoom()).toBe(true);
    expect(killed).toEqual(["a"]);
    expect(pool.take("one")).toBeUndefined();
  });

  it("has no room where all are busy", () => {
    for (const id of ["a", "b", "c"]) add(id);
    expect(pool.makeRoom()).toBe(false);
    expect(killed).toEqual([]);
  });

  it("ends a retired spec's idle environments now and its busy ones when they come back", () => {
    const busy = add("busy");
    pool.park(add("idle"));
    pool.park(add("other", "kept"));
    pool.retire("spec");
    expect(killed).toEqual(["idle"]);
    pool.park(busy);
    expect(killed).toEqual(["idle", "busy"]);
    expect(pool.take("kept")).toBeDefined();
    // The same configuration may come back: nothing of the retirement is remembered once the last one is gone.
    pool.park(add("again"));
    expect(pool.take("spec")?.id).toBe("again");
  });

  it("forgets an idle environment that died by itself", () => {
    const environment = add("a");
    pool.park(environment);
    pool.remove(environment);
    expect(pool.take("spec")).toBeUndefined();
    expect([pool.size, pool.busy]).toEqual([0, 0]);
  });
});
