import { describe, expect, it } from "vitest";
import { quantile, spreadOf } from "./statistics.ts";

describe("quantile", () => {
  it("interpolates between order statistics", () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([10], 0.99)).toBe(10);
    expect(quantile([1, 2, 3, 4, 5], 1)).toBe(5);
  });
  it("refuses nothing at all", () => expect(() => quantile([], 0.5)).toThrow(RangeError));
});

it("spreadOf gives median and quartiles", () => {
  expect(spreadOf([1, 2, 3, 4, 5])).toEqual({ median: 3, low: 2, high: 4, runs: 5 });
});
