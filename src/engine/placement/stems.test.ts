import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { FakeBackend } from "../../../test/engine/fake-sandbox.ts";
import type { FakeSandbox } from "../../../test/engine/fake-sandbox.ts";
import { encodeFrame, FRAME } from "../environment/frames.ts";
import { StemPool } from "./stems.ts";
import type { StemKind } from "./stems.ts";

let clock: ManualClock;
let backend: FakeBackend;
let pool: StemPool;

const kind = (key: string): StemKind => ({
  key,
  sandbox: { command: key, args: [], mounts: [], environment: {}, memoryMb: 128, ephemeralStorageMb: 512 },
});
const [node, python, java] = [kind("node"), kind("python"), kind("java")];

function open(max: number): void {
  clock = new ManualClock();
  backend = new FakeBackend();
  let made = 0;
  const ids = { hex: () => `e${made++}` };
  pool = new StemPool({ backend, clock, ids, max });
}

const last = (): FakeSandbox => backend.started.at(-1) as FakeSandbox;

/** Lets every boot that the pool wants come to its end. */
function boot(): void {
  for (let started = -1; started < backend.started.length;) {
    started = backend.started.length;
    clock.advance(20);
    for (const sandbox of backend.started.slice(started))
      sandbox.listener.frames(encodeFrame(FRAME.hello, "{}"));
  }
}

beforeEach(() => open(4));

describe("the stem pool", () => {
  it("boots one for a function that may come, after a while, and gives it out once", () => {
    pool.anticipate(node);
    expect(backend.started).toHaveLength(0);
    boot();
    expect(backend.started).toHaveLength(1);
    expect(pool.take(python)).toBeUndefined();
    expect(pool.take(node)?.id).toBe(last().id);
    expect(pool.take(node)).toBeUndefined();
  });

  it("boots one after another, and none while an invocation waits for a start of its own", () => {
    pool.anticipate(node);
    pool.anticipate(python);
    const release = pool.press();
    clock.advance(1000);
    expect(backend.started).toHaveLength(0);
    release();
    release();
    clock.advance(1000);
    expect(backend.started).toHaveLength(1);
    last().listener.frames(encodeFrame(FRAME.hello, "{}"));
    clock.advance(20);
    expect(backend.started).toHaveLength(2);
  });

  it("keeps as many as were taken lately, and forgets with time", () => {
    for (let i = 0; i < 3; i++) pool.take(node);
    boot();
    expect(pool.size).toBe(3);
    for (let i = 0; i < 3; i++) expect(pool.take(node)).toBeDefined();
    clock.advance(10);
    // What was to be refilled has been forgotten by the time that the pool is asked again.
    const release = pool.press();
    clock.advance(300_000);
    release();
    pool.anticipate(node);
    boot();
    expect(pool.size).toBe(1);
  });

  it("gives up the kind that was longest without demand for one that has none", () => {
    open(2);
    pool.anticipate(node);
    clock.advance(1);
    pool.anticipate(python);
    boot();
    pool.anticipate(java);
    boot();
    expect(pool.size).toBe(2);
    expect(backend.started[1]?.kills).toBe(1);
    expect(pool.take(node)).toBeUndefined();
    expect(pool.take(python)).toBeDefined();
    expect(pool.take(java)).toBeDefined();
  });

  it("stays within its size, whatever one kind would take", () => {
    for (let i = 0; i < 50; i++) pool.take(node);
    boot();
    expect(pool.size).toBe(4);
  });

  it("forgets one that died, and does not boot a kind for ever that cannot", () => {
    pool.anticipate(node);
    for (let i = 0; i < 10; i++) {
      clock.advance(20);
      for (const sandbox of backend.started) sandbox.exit({ status: 1 });
    }
    expect(backend.started).toHaveLength(3);
    expect(pool.size).toBe(0);
    expect(pool.take(node)).toBeUndefined();
    boot();
    expect(pool.take(node)).toBeDefined();
  });

  it("gives out one that is still booting, which is ahead of any other", () => {
    pool.anticipate(node);
    clock.advance(20);
    expect(pool.take(node)?.id).toBe(last().id);
  });

  it("ends all when it is closed", async () => {
    pool.anticipate(node);
    boot();
    await pool.close();
    expect(last().kills).toBe(1);
    pool.anticipate(node);
    clock.advance(1000);
    expect(backend.started).toHaveLength(1);
  });
});
