import { expect, it } from "vitest";
import { Totals } from "./totals.ts";

const total = (sum: number) => ({ count: 1, sum });

it("keeps the series of owners apart", () => {
  const totals = new Totals();
  totals.set("a", "s", total(1));
  totals.set("b", "s", total(2));
  totals.set("a", "s", total(3));
  expect([totals.get("a", "s"), totals.get("b", "s"), totals.get("c", "s")]).toEqual([
    total(3),
    total(2),
    undefined,
  ]);
});

it("forgets the oldest of whoever has the most, and nobody else's", () => {
  const totals = new Totals(20);
  for (let n = 0; n < 5; n++) totals.set("small", String(n), total(n));
  for (let n = 0; n < 100; n++) totals.set("large", String(n), total(n));
  const kept = (owner: string) =>
    Array.from({ length: 100 }, (_, n) => n).filter((n) => totals.get(owner, String(n)) !== undefined);
  expect(kept("small")).toEqual([0, 1, 2, 3, 4]);
  expect(kept("large").at(-1)).toBe(99);
  expect(kept("large").length).toBeLessThanOrEqual(15);
  expect(kept("large").length).toBeGreaterThan(12);
  for (let n = 0; n < 100; n++) totals.set(`one ${n}`, "s", total(n));
  expect(totals.get("one 99", "s")).toEqual(total(99));
});
