import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Combiner } from "./combiner.ts";

describe("requests of one key", () => {
  it("are done in order, those together that waited, and no more than may be", async () => {
    const done: (readonly number[])[] = [];
    const combiner = new Combiner<number, number>(3, async (requests) => {
      done.push(requests);
      await nextTurn();
      return requests.map((request) => request * 2);
    });
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((request) => combiner.run("a", request)));
    expect(answers).toEqual([2, 4, 6, 8, 10, 12]);
    expect(done).toEqual([[1], [2, 3, 4], [5, 6]]);
  });

  it("fail together, and hold up neither those behind them nor other keys", async () => {
    const combiner = new Combiner<string, string>(10, async (requests) => {
      await nextTurn();
      if (requests.includes("bad")) throw new Error("bad");
      return requests;
    });
    const outcomes = await Promise.allSettled([
      combiner.run("a", "first"),
      combiner.run("a", "bad"),
      combiner.run("a", "beside"),
      combiner.run("b", "other"),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(await combiner.run("a", "later")).toBe("later");
  });
});
