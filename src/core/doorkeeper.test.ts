import { expect, it } from "vitest";
import { Doorkeeper } from "./doorkeeper.ts";

it("knows what came before, and hardly anything that did not", () => {
  const doorkeeper = new Doorkeeper();
  const texts = Array.from({ length: 10_000 }, (_, n) => `1\nlogs:putlogevents\nfunction-${n}`);
  const passed = texts.filter((text) => doorkeeper.admits(text));
  expect(passed.length).toBeLessThan(100);
  expect(texts.every((text) => doorkeeper.admits(text))).toBe(true);
});

it("goes on telling them apart however many come", () => {
  const doorkeeper = new Doorkeeper();
  let passed = 0;
  for (let n = 0; n < 200_000; n++) if (doorkeeper.admits(`question ${n}`)) passed++;
  expect(passed).toBeLessThan(10_000);
});
