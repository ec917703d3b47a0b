import { expect, test } from "vitest";
import { ManualClock } from "#core/clock";
import { ShortWait } from "./short-wait.ts";

const BOUND_MS = 2;

/** Four environments of `short`, all busy, which have served a hundred events of `busyMs` each. */
function fourBusy(busyMs: number) {
  const clock = new ManualClock();
  const expired: string[] = [];
  const waiting = new ShortWait<string>({
    clock,
    boundMs: BOUND_MS,
    shortMs: 1,
    enoughBusy: 4,
    onExpired: (waiter) => expired.push(waiter),
  });
  for (let event = 0; event < 100; event++) {
    waiting.began("short");
    waiting.ended("short", busyMs);
  }
  for (let environment = 0; environment < 4; environment++) waiting.began("short");
  return { clock, expired, waiting };
}

test("an invocation of a short function waits for the next environment that comes free", () => {
  const { clock, expired, waiting } = fourBusy(0.1);
  expect(waiting.tryWait("short", "a")).toBe(true);
  expect(waiting.tryWait("short", "b")).toBe(true);
  expect(waiting.ended("short", 0.1)).toBe("a");
  waiting.began("short");
  expect(waiting.ended("short", 0.1)).toBe("b");
  expect(waiting.ended("short", 0.1)).toBeUndefined();
  clock.advance(100);
  expect(expired).toEqual([]);
});

test("no wait is longer than the bound, and those that expire do so in order", () => {
  const { clock, expired, waiting } = fourBusy(0.1);
  waiting.tryWait("short", "a");
  clock.advance(1);
  waiting.tryWait("short", "b");
  clock.advance(0.9);
  expect(expired).toEqual([]);
  clock.advance(0.1);
  expect(expired).toEqual(["a"]);
  clock.advance(1);
  expect(expired).toEqual(["a", "b"]);
  expect(waiting.ended("short", 0.1)).toBeUndefined();
});

test("a waiter that was served leaves its place in the order of bounds to the next one", () => {
  const { clock, expired, waiting } = fourBusy(0.1);
  waiting.tryWait("short", "a");
  clock.advance(1.5);
  waiting.tryWait("short", "b");
  expect(waiting.ended("short", 0.1)).toBe("a");
  clock.advance(0.5);
  expect(expired).toEqual([]);
  clock.advance(1.5);
  expect(expired).toEqual(["b"]);
});

test("whoever is told of the end of a wait may come back with another waiter", () => {
  const clock = new ManualClock();
  const expired: string[] = [];
  const waiting: ShortWait<string> = new ShortWait<string>({
    clock,
    boundMs: BOUND_MS,
    shortMs: 1,
    enoughBusy: 1,
    onExpired: (waiter) => {
      expired.push(waiter);
      if (expired.length < 3) waiting.tryWait("short", `${waiter}'`);
    },
  });
  for (let event = 0; event < 100; event++) {
    waiting.began("short");
    waiting.ended("short", 0.1);
  }
  waiting.began("short");
  waiting.tryWait("short", "a");
  clock.advance(10);
  expect(expired).toEqual(["a", "a'", "a''"]);
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
  waiting.ended("short", 0.1);
  expect(waiting.tryWait("short", "a")).toBe(false);
});

test("where the wait is expected to exceed the bound nobody joins it", () => {
  const { waiting } = fourBusy(0.9);
  // Four environments end about nine events of 0.9 ms within 2 ms.
  const joined = Array.from({ length: 20 }, (_, number) => waiting.tryWait("short", String(number)));
  expect(joined.filter(Boolean)).toHaveLength(8);
  expect(joined.indexOf(false)).toBe(8);
});

test("one pause of the host does not pass for a slower function, ninety slow events do", () => {
  const { waiting } = fourBusy(0.1);
  for (let event = 0; event < 4; event++) {
    waiting.ended("short", 800);
    waiting.began("short");
  }
  expect(waiting.tryWait("short", "a")).toBe(true);
  for (let event = 0; event < 90; event++) {
    waiting.ended("short", 800);
    waiting.began("short");
  }
  expect(waiting.tryWait("short", "b")).toBe(false);
});

test("waits that end in vain tell that a function has become slower", () => {
  const { clock, waiting } = fourBusy(0.1);
  let waits = 0;
  while (waiting.tryWait("short", String(waits)) && waits < 100) {
    waits++;
    clock.advance(BOUND_MS);
  }
  expect(waits).toBeGreaterThan(10);
  expect(waits).toBeLessThan(30);
});

/** Sixteen environments, busy from the first moment on, of a function that is called again as soon as it has answered. */
function crowd(busyMs: (busy: number) => number) {
  const clock = new ManualClock();
  let expired: string[] = [];
  const waiting = new ShortWait<string>({
    clock,
    boundMs: BOUND_MS,
    shortMs: 1,
    enoughBusy: 4,
    onExpired: (waiter) => expired.push(waiter),
  });
  let busy = 0;
  const begin = (): void => {
    busy++;
    waiting.began("crowded");
  };
  for (let environment = 0; environment < 16; environment++) begin();
  /** One event ends, and its caller comes again. @returns whether that waits */
  const next = (): boolean => {
    const tookMs = busyMs(busy);
    clock.advance(tookMs / busy);
    for (; expired.length > 0; expired = expired.slice(1)) begin();
    busy--;
    const served = waiting.ended("crowded", tookMs);
    if (served !== undefined) begin();
    const waits = waiting.tryWait("crowded", "next");
    if (!waits) begin();
    return waits;
  };
  return { next, busy: () => busy };
}

test("a short function that many environments were started for is found to be short", () => {
  // As many as are busy share two cores.
  const { next, busy } = crowd((among) => 0.2 * Math.max(1, among / 2));
  for (let event = 0; event < 2000; event++) next();
  expect(busy()).toBeLessThan(8);
  const waits = Array.from({ length: 100 }, next);
  expect(waits.every(Boolean)).toBe(true);
});

test("a function that sleeps is tried ever more seldom, however many wait for it", () => {
  const { next } = crowd(() => 5);
  const seconds = 60;
  let waits = 0;
  for (let event = 0; event < (seconds * 1000 * 16) / 5; event++) if (next()) waits++;
  expect(waits).toBeGreaterThan(0);
  expect(waits).toBeLessThan(200);
});

test("a waiter whose spec was forgotten is handed back at its bound", () => {
  const { clock, expired, waiting } = fourBusy(0.1);
  waiting.tryWait("short", "a");
  waiting.forget("short");
  expect(waiting.tryWait("short", "b")).toBe(false);
  expect(waiting.ended("short", 0.1)).toBeUndefined();
  clock.advance(BOUND_MS);
  expect(expired).toEqual(["a"]);
});
