import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Distribution, EXACT_VALUES } from "./distribution.ts";

const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });

function of(values: readonly number[]): Distribution {
  const distribution = new Distribution();
  for (const value of values) distribution.add(value, 1);
  return distribution;
}

const total = (distribution: Distribution) =>
  distribution.sorted().reduce((sum, { count }) => sum + count, 0);

describe("a distribution", () => {
  it("keeps few distinct values as they are", () => {
    const few = Array.from({ length: EXACT_VALUES }, (_, n) => n * 1.1);
    expect(of(few).sorted()).toEqual(few.map((value) => ({ value, count: 1 })));
  });

  it("tells every value of many to within 1.1 %", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 400 }),
        (values) => {
          const sorted = values.toSorted((a, b) => a - b);
          const told = of(values)
            .sorted()
            .flatMap(({ value, count }) => Array.from({ length: count }, () => value));
          expect(told).toHaveLength(sorted.length);
          for (const [index, value] of sorted.entries())
            expect(Math.abs((told[index] ?? 0) - value)).toBeLessThanOrEqual(value * 0.011);
        },
      ),
    );
  });

  it("is the same whether values were added to one or merged from several", () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const merged = of(a);
        merged.merge(of(b));
        const whole = of([...a, ...b]);
        expect(total(merged)).toBe(a.length + b.length);
        // Either may have begun buckets earlier than the other; where both have, they are the same.
        if (merged.scale === whole.scale) expect(merged.sorted()).toEqual(whole.sorted());
      }),
    );
  });

  it("stays small whatever comes, at the price of precision", () => {
    const distribution = new Distribution();
    for (let exponent = -300; exponent < 300; exponent++)
      for (let step = 0; step < 10; step++) distribution.add((1 + step / 10) * 2 ** exponent, 1);
    expect(distribution.size).toBeLessThanOrEqual(512);
    expect(total(distribution)).toBe(6000);
  });

  it("has a bucket for zero", () => {
    const distribution = of([0, 0, ...Array.from({ length: 50 }, (_, n) => n + 1)]);
    expect(distribution.scale).toBeDefined();
    expect(distribution.sorted()[0]).toEqual({ value: 0, count: 2 });
  });
});
