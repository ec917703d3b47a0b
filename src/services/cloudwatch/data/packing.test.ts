import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Summary } from "#telemetry/summary";
import { MINUTE } from "./layers.ts";
import { packPoints, unpackPoints, type Points } from "./packing.ts";

const finite = fc.double({ min: -(2 ** 360), max: 2 ** 360, noNaN: true });
const value = fc.oneof(fc.nat(1000), fc.double({ min: 0, max: 1e9, noNaN: true }), finite);
const summary = fc.array(
  fc.record({
    value,
    count: fc.oneof(fc.integer({ min: 1, max: 99 }), fc.double({ min: 0.1, max: 9, noNaN: true })),
  }),
  {
    minLength: 1,
    maxLength: 50,
  },
);

it("unpacks what was packed", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.nat(60).map(String), summary, { maxKeys: 4 }), (minutes) => {
      const points: Points = new Map();
      for (const [minute, values] of Object.entries(minutes)) {
        const of = new Summary();
        for (const { value, count } of values) of.add(value, count);
        points.set((28_000_000 + Number(minute)) * MINUTE, of);
      }
      const unpacked: Points = new Map();
      unpackPoints(packPoints(points, MINUTE), MINUTE, (time, of) => unpacked.set(time, of));
      expect([...unpacked.keys()]).toEqual([...points.keys()].toSorted((a, b) => a - b));
      const shallow: Points = new Map();
      unpackPoints(packPoints(points, MINUTE), MINUTE, (time, of) => shallow.set(time, of), true);
      expect([...shallow.values()].map(({ sum }) => sum)).toEqual(
        [...unpacked.values()].map(({ sum }) => sum),
      );
      for (const [time, packed] of points) {
        const found = unpacked.get(time);
        expect(found?.opaque).toBe(packed.opaque);
        expect([found?.count, found?.min, found?.max]).toEqual([packed.count, packed.min, packed.max]);
        expect(Math.abs((found?.sum ?? NaN) - packed.sum)).toBeLessThanOrEqual(Math.abs(packed.sum) * 1e-12);
        expect(found?.distribution?.sorted()).toEqual(packed.distribution?.sorted());
      }
    }),
  );
});

it("takes four bytes for a minute of invocations", () => {
  const points: Points = new Map();
  for (let minute = 0; minute < 60; minute++) {
    const of = new Summary();
    of.add(1, 40);
    points.set((28_000_000 + minute) * MINUTE, of);
  }
  expect(packPoints(points, MINUTE).length).toBeLessThanOrEqual(60 * 4 + 4);
});
