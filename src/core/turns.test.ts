import { expect, it } from "vitest";
import { Turns } from "./turns.ts";

it("runs work of one key in order, whatever becomes of it, and of others at once", async () => {
  const turns = new Turns();
  const done: string[] = [];
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const first = turns.take("a", async () => {
    await held;
    done.push("first");
    throw new Error("no");
  });
  const second = turns.take("a", async () => done.push("second"));
  await turns.take("b", async () => done.push("other"));
  expect(done).toEqual(["other"]);
  release();
  await expect(first).rejects.toThrow("no");
  expect(await second).toBe(3);
  expect(done).toEqual(["other", "first", "second"]);
});
