import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { DeletedFunctions } from "./deleted-functions.ts";

it("tells of every function once, two to four minutes after it was deleted", () => {
  const clock = new ManualClock();
  const told: { readonly arn: string; readonly afterMs: number }[] = [];
  const deletedAt = new Map<string, number>();
  const deleted = new DeletedFunctions(clock, (arns) => {
    for (const arn of arns) told.push({ arn, afterMs: clock.now() - (deletedAt.get(arn) ?? 0) });
  });
  for (let n = 0; n < 20; n++) {
    deletedAt.set(`f${n}`, clock.now());
    deleted.add(`f${n}`);
    clock.advance(30_000);
  }
  clock.advance(240_000);
  expect(told.map(({ arn }) => arn)).toEqual([...deletedAt.keys()]);
  for (const { afterMs } of told) {
    expect(afterMs).toBeGreaterThanOrEqual(120_000);
    expect(afterMs).toBeLessThanOrEqual(240_000);
  }
  clock.advance(600_000);
  expect(told.length).toBe(20);
});
