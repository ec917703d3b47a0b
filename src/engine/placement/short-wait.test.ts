import { describe, expect, it, test } from "vitest";
import { ManualClock } from "#core/clock";
import { ShortWait } from "./short-wait.ts";

const BOUND_MS = 2;

/** Four environments of `short`, all busy, which have served two hundred events of `busyMs` each. */
function fourBusy(busyMs: number) {
  const clock = new ManualClock();
  const expired: string[] = [];
  const waiting = new ShortWait<string>({
    clock,
    boundMs: BOUND_MS,
    shortMs: 1,
    enoughBusy: 4,
    aheadMs: 1,
    onExpired: (waiter) => expired.push(waiter),
  });
  for (let event = 0; event < 200; event++) {
    waiting.began("short");
    ended(waiting, busyMs);
  }
  for (let environment = 0; environment < 4; environment++) waiting.began("short");
  return { clock, expired, waiting };
}

/** An event of an environment ends, which has no other. @returns the waiter that is to be given it */
function ended(waiting: ShortWait<string>, tookMs: number): string | undefined {
  waiting.ended("short", tookMs);
  return waiting.freed("short");
}

/** As many as answers that have come take to be read and to free their environments. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("an invocation of a short function waits for the next environment that comes free", async () => {
  const { clock, expired, waiting } = fourBusy(0.1);
  expect(waiting.tryWait("short", "a")).toBe(true);
  expect(waiting.tryWait("short", "b")).toBe(true);
  expect(ended(waiting, 0.1)).toBe("a");
  waiting.began("short");
  expect(ended(waiting, 0.1)).toBe("b");
  expect(ended(waiting, 0.1)).toBeUndefined();
  clock.advance(100);
  await turns();
  expect(expired).toEqual([]);
});

test("no wait is longer than the bound, and those that expire do so in order", async () => {
  const { clock, expired, waiting } = fourBusy(0.1);
  waiting.tryWait("short", "a");
  clock.advance(1);
  await turns();
  waiting.tryWait("short", "b");
  clock.advance(0.9);
  await turns();
  expect(expired).toEqual([]);
  clock.advance(0.1);
  await turns();
  expect(expired).toEqual(["a"]);
  clock.advance(1);
  await turns();
  expect(expired).toEqual(["a", "b"]);
  expect(ended(waiting, 0.1)).toBeUndefined();
});

test("answers that came while the platform was busy for longer than the bound are read first", async () => {
  const { clock, expired, waiting } = fourBusy(0.1);
  waiting.tryWait("short", "a");
  waiting.tryWait("short", "b");
  clock.advance(10 * BOUND_MS);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended(waiting, 0.1)).toBe("a");
  await turns();
  expect(expired).toEqual(["b"]);
});

test("a waiter that was served leaves its place in the order of bounds to the next one", async () => {
  const { clock, expired, waiting } = fourBusy(0.1);
  waiting.tryWait("short", "a");
  clock.advance(1.5);
  await turns();
  waiting.tryWait("short", "b");
  expect(ended(waiting, 0.1)).toBe("a");
  clock.advance(0.5);
  await turns();
  expect(expired).toEqual([]);
  clock.advance(1.5);
  await turns();
  expect(expired).toEqual(["b"]);
});

test("whoever is told of the end of a wait may come back with another waiter", async () => {
  const clock = new ManualClock();
  const expired: string[] = [];
  const waiting: ShortWait<string> = new ShortWait<string>({
    clock,
    boundMs: BOUND_MS,
    shortMs: 1,
    enoughBusy: 1,
    aheadMs: 1,
    onExpired: (waiter) => {
      expired.push(waiter);
      if (expired.length < 3) wait(`${waiter}'`);
    },
  });
  /** While it waits, another event comes and goes. */
  const wait = (waiter: string): void => {
    waiting.began("short");
    waiting.tryWait("short", waiter);
    ended(waiting, 0.1);
  };
  for (let event = 0; event < 100; event++) {
    waiting.began("short");
    ended(waiting, 0.1);
  }
  waiting.began("short");
  wait("a");
  for (const all of [["a"], ["a", "a'"], ["a", "a'", "a''"]]) {
    clock.advance(10);
    // oxlint-disable-next-line no-await-in-loop
    await turns();
    expect(expired).toEqual(all);
  }
});

test("a function that is not short never waits", () => {
  expect(fourBusy(1.5).waiting.tryWait("short", "a")).toBe(false);
  expect(fourBusy(5000).waiting.tryWait("short", "a")).toBe(false);
});

test("a function that nothing is known of does not wait", () => {
  const { waiting } = fourBusy(0.1);
  expect(waiting.tryWait("unknown", "a")).toBe(false);
  for (let environment = 0; environment < 4; environment++) waiting.began("new");
  expect(waiting.tryWait("new", "a")).toBe(false);
});

test("while few environments are busy another one is taken at once", () => {
  const { waiting } = fourBusy(0.1);
  ended(waiting, 0.1);
  expect(waiting.tryWait("short", "a")).toBe(false);
});

test("where the wait is expected to exceed the bound nobody joins it", () => {
  const { waiting } = fourBusy(0.9);
  // Four environments end about nine events of 0.9 ms within 2 ms.
  const joined = Array.from({ length: 20 }, (_, number) => waiting.tryWait("short", String(number)));
  expect(joined.filter(Boolean)).toHaveLength(8);
  expect(joined.indexOf(false)).toBe(8);
});

test("one pause of the host does not pass for a slower function, a hundred slow events do", () => {
  const { waiting } = fourBusy(0.1);
  for (let event = 0; event < 4; event++) {
    ended(waiting, 800);
    waiting.began("short");
  }
  expect(waiting.tryWait("short", "a")).toBe(true);
  expect(ended(waiting, 0.1)).toBe("a");
  waiting.began("short");
  for (let event = 0; event < 100; event++) {
    ended(waiting, 800);
    waiting.began("short");
  }
  expect(waiting.tryWait("short", "b")).toBe(false);
});

test("where no event at all ends within a wait, the function has become slower", async () => {
  const { clock, waiting } = fourBusy(0.1);
  expect(waiting.tryWait("short", "a")).toBe(true);
  clock.advance(BOUND_MS);
  await turns();
  expect(waiting.tryWait("short", "b")).toBe(false);
});

test("a wait that ends while others are served tells nothing of the function", async () => {
  const { clock, expired, waiting } = fourBusy(0.1);
  waiting.tryWait("short", "a");
  waiting.tryWait("short", "b");
  expect(ended(waiting, 0.1)).toBe("a");
  waiting.began("short");
  clock.advance(BOUND_MS);
  await turns();
  expect(expired).toEqual(["b"]);
  expect(waiting.tryWait("short", "c")).toBe(true);
});

test("a short function that many environments were started for goes on with few", () => {
  const { waiting } = fourBusy(0.1);
  for (let environment = 4; environment < 16; environment++) waiting.began("short");
  let busy = 16;
  for (let event = 0; event < 100; event++) {
    busy--;
    if (ended(waiting, 0.1) !== undefined) {
      busy++;
      waiting.began("short");
    }
    expect(waiting.tryWait("short", "next")).toBe(true);
  }
  expect(busy).toBe(4);
});

test("a waiter whose spec was forgotten is handed back at its bound", async () => {
  const { clock, expired, waiting } = fourBusy(0.1);
  waiting.tryWait("short", "a");
  waiting.forget("short");
  expect(waiting.tryWait("short", "b")).toBe(false);
  expect(ended(waiting, 0.1)).toBeUndefined();
  clock.advance(BOUND_MS);
  await turns();
  expect(expired).toEqual(["a"]);
});

describe("events that are given ahead", () => {
  it("fill an environment with as much as is expected to be done within the limit", () => {
    expect(fourBusy(0.1).waiting.room("short")).toBe(9);
    expect(fourBusy(0.4).waiting.room("short")).toBe(2);
    expect(fourBusy(0.001).waiting.room("short")).toBe(32);
  });

  it("are none where the function is not short, or nothing is known of it", () => {
    expect(fourBusy(1.5).waiting.room("short")).toBe(0);
    expect(fourBusy(0.1).waiting.room("unknown")).toBe(0);
  });

  it("are none for long after a long one, however short the function is on average", () => {
    const { waiting } = fourBusy(0.1);
    waiting.ended("short", 10);
    for (let event = 0; event < 999; event++) waiting.ended("short", 0.1);
    expect(waiting.room("short")).toBe(0);
    waiting.ended("short", 0.1);
    expect(waiting.room("short")).toBeGreaterThan(0);
  });
});
