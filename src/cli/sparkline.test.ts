import { expect, it } from "vitest";
import { sparkline } from "./sparkline.ts";

it("draws values by their share of the largest, and a blank for none", () => {
  expect(sparkline([0, 1, 2, undefined, 7, 14])).toBe("▁▂▂ ▅█");
  expect(sparkline([0, 0])).toBe("▁▁");
  expect(sparkline([])).toBe("");
});
