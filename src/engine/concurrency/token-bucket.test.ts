import { describe, expect, it } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

describe("a token bucket", () => {
  it("gives its capacity at once, then what has refilled, and tells how long the next one takes", () => {
    const bucket = new TokenBucket(3, 10);
    expect([1, 2, 3].map(() => bucket.take(1000))).toEqual([0, 0, 0]);
    expect(bucket.take(1000)).toBe(100);
    expect(bucket.take(1075)).toBe(25);
    expect(bucket.take(1100)).toBe(0);
    expect(bucket.take(1100)).toBe(100);
  });

  it("saves up no more than its capacity", () => {
    const bucket = new TokenBucket(2, 10);
    bucket.take(0);
    expect([1, 2, 3].map(() => bucket.take(60_000))).toEqual([0, 0, 100]);
  });

  it("never has a token at rate 0", () => {
    const bucket = new TokenBucket(0, 0);
    expect(bucket.take(0)).toBe(Infinity);
    expect(bucket.take(1e9)).toBe(Infinity);
  });

  it("keeps what was used when it is resized", () => {
    const bucket = new TokenBucket(5, 1);
    for (let n = 0; n < 4; n++) bucket.take(0);
    bucket.resize(6, 1);
    expect([1, 2, 3].map(() => bucket.take(0))).toEqual([0, 0, 1000]);
  });
});
