import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "./clock.ts";
import { Rounds } from "./rounds.ts";

let clock: ManualClock;
let done: string[];
let rounds: Rounds;
let failing: Error | undefined;

const work = (what: string) => async () => {
  await Promise.resolve();
  done.push(what);
};

/** Lets all that waits for nothing but each other come to its end. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  clock = new ManualClock();
  done = [];
  failing = undefined;
  rounds = new Rounds({
    clock,
    everyMs: 1000,
    round: () => (failing === undefined ? work("round")() : Promise.reject(failing)),
    onError: (error) => done.push(String(error)),
  });
});

describe("rounds", () => {
  it("come a while after one another, from the first work on until they are closed", async () => {
    clock.advance(5000);
    await rounds.start(work("first"));
    clock.advance(999);
    await settled();
    expect(done).toEqual(["first"]);
    clock.advance(5000);
    await settled();
    clock.advance(1000);
    await settled();
    await rounds.close(work("last"));
    clock.advance(5000);
    await settled();
    expect(done).toEqual(["first", "round", "round", "last"]);
  });

  it("and what is asked for are never under way at a time", async () => {
    const first = rounds.start(work("first"));
    const asked = rounds.run(work("asked"));
    await Promise.all([first, asked, rounds.run(work("again"))]);
    expect(done).toEqual(["first", "asked", "again"]);
  });

  it("go on after one that failed, as does what is asked for", async () => {
    await rounds.start(work("first"));
    failing = new Error("full");
    clock.advance(1000);
    await expect(rounds.run(() => Promise.reject(new Error("asked")))).rejects.toThrow("asked");
    failing = undefined;
    await settled();
    clock.advance(1000);
    await rounds.run(work("asked"));
    await rounds.close(() => Promise.reject(new Error("last")));
    expect(done).toEqual(["first", "Error: full", "round", "asked", "Error: last"]);
  });

  it("do not come, and nothing is done last, where the first work failed or never was", async () => {
    await rounds.close(work("last"));
    await expect(rounds.start(() => Promise.reject(new Error("damaged")))).rejects.toThrow("damaged");
    clock.advance(5000);
    await settled();
    await rounds.close(work("last"));
    expect(done).toEqual([]);
  });
});
