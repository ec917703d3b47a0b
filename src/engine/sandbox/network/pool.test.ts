import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { Starts } from "../lull.ts";
import { Pool } from "./pool.ts";

/** Makes numbers when told to, and notes how many were asked for at once. */
class Maker {
  readonly asked: number[] = [];
  readonly #pending: (() => void)[] = [];
  #next = 0;
  fails = false;

  readonly make = async (count: number): Promise<number[]> => {
    this.asked.push(count);
    await new Promise<void>((resolve) => {
      this.#pending.push(resolve);
    });
    if (this.fails) throw new Error("no room");
    return Array.from({ length: count }, () => this.#next++);
  };

  async finish(): Promise<void> {
    await turns();
    this.#pending.shift()?.();
    await turns();
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

const options = { least: 2, most: 8, batch: 4 };

describe("the pool of networks", () => {
  it("keeps the least ready from the start", async () => {
    const maker = new Maker();
    const pool = new Pool(maker.make, options, new ManualClock());
    pool.fill();
    pool.fill();
    await maker.finish();
    expect([maker.asked, pool.ready]).toEqual([[2], 2]);
  });

  it("serves who waits before the stock, in batches of limited size", async () => {
    const clock = new ManualClock();
    const maker = new Maker();
    const pool = new Pool(maker.make, options, clock);
    const taken = Promise.all(Array.from({ length: 6 }, () => pool.take()));
    for (let batch = 0; batch < 5; batch++) await maker.finish();
    expect((await taken).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(maker.asked).toEqual([4, 2]);
    // The stock comes when the burst is over.
    expect(pool.ready).toBe(0);
    clock.advance(300);
    for (let batch = 0; batch < 2; batch++) {
      await maker.finish();
      clock.advance(300);
    }
    expect(maker.asked).toEqual([4, 2, 4, 2]);
    expect(pool.ready).toBe(6);
  });

  it("leaves the processor to environments that are still coming up", async () => {
    const clock = new ManualClock();
    const starts = new Starts(clock);
    const maker = new Maker();
    const pool = new Pool(maker.make, options, clock, starts);
    void pool.take();
    await maker.finish();
    // One whose runtime has yet to begin, then others that come to their end.
    starts.began();
    clock.advance(1000);
    starts.raised();
    for (let start = 0; start < 4; start++) {
      clock.advance(200);
      starts.ended();
    }
    clock.advance(299);
    expect(maker.asked).toEqual([1]);
    clock.advance(1);
    expect(maker.asked).toEqual([1, 2]);
  });

  it("fills the stock while demand never rests, too", async () => {
    const clock = new ManualClock();
    const maker = new Maker();
    const pool = new Pool(maker.make, options, clock);
    for (let round = 0; round < 16; round++) {
      void pool.take();
      await maker.finish();
      await maker.finish();
      clock.advance(200);
    }
    await maker.finish();
    expect(pool.ready).toBeGreaterThan(2);
  });

  it("makes ahead what is expected", async () => {
    const clock = new ManualClock();
    const maker = new Maker();
    const pool = new Pool(maker.make, options, clock);
    for (let one = 0; one < 5; one++) pool.expect();
    // Soon, as none starts: with others that are announced right after it.
    clock.advance(99);
    expect(maker.asked).toEqual([]);
    for (let batch = 0; batch < 2; batch++) {
      clock.advance(100);
      await maker.finish();
    }
    expect(pool.ready).toBe(5);
    // What was expected has come: nothing more is made for it.
    for (let one = 0; one < 3; one++) await pool.take();
    clock.advance(300);
    expect(maker.asked).toEqual([4, 1, 3]);
  });

  it("keeps no more ready than the most, and as many as were wanted of late", async () => {
    const clock = new ManualClock();
    const maker = new Maker();
    const pool = new Pool(maker.make, options, clock);
    const taken = Array.from({ length: 20 }, () => pool.take());
    for (let batch = 0; batch < 5; batch++) await maker.finish();
    await Promise.all(taken);
    for (let batch = 0; batch < 3; batch++) {
      clock.advance(300);
      await maker.finish();
    }
    expect(pool.ready).toBe(8);
    clock.advance(60_000);
    for (let left = 8; left > 2; left--) void pool.take();
    for (let batch = 0; batch < 2; batch++) {
      clock.advance(300);
      await maker.finish();
    }
    expect(pool.ready).toBe(7);
  });

  it("tells who waited of a failure, and tries again for the next", async () => {
    const maker = new Maker();
    const pool = new Pool(maker.make, options, new ManualClock());
    maker.fails = true;
    const failed = expect(pool.take()).rejects.toThrow("no room");
    await maker.finish();
    await failed;
    expect(maker.asked).toHaveLength(1);
    maker.fails = false;
    const taken = pool.take();
    await maker.finish();
    expect(await taken).toBe(0);
  });

  it("refuses who waits when it closes, and gives back what was ready", async () => {
    const maker = new Maker();
    const pool = new Pool(maker.make, options, new ManualClock());
    const refused = expect(pool.take()).rejects.toThrow("closed");
    await turns();
    const closing = pool.close();
    await refused;
    await maker.finish();
    expect(await closing).toEqual([0]);
    await expect(pool.take()).rejects.toThrow("closed");
  });
});
