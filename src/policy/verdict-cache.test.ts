import { expect, it } from "vitest";
import type { Verdict } from "./verdict.ts";
import { VerdictCache } from "./verdict-cache.ts";

const verdict: Verdict = { deny: undefined, allow: undefined, closeness: undefined };

it("keeps answers to what is asked for again, and hardly any to what is asked for once", () => {
  const cache = new VerdictCache();
  const ask = (question: string): Verdict | undefined => {
    const known = cache.get(question);
    if (known === undefined) cache.set(question, verdict);
    return known;
  };
  for (let n = 0; n < 5000; n++) ask(`1\nlogs:putlogevents\nstream-${n}`);
  expect(cache.size).toBeLessThan(250);
  for (let n = 0; n < 3; n++) ask("1\nlambda:invokefunction\nfn");
  expect(ask("1\nlambda:invokefunction\nfn")).toBe(verdict);
});

it("keeps those of thousands that are asked for by turns", () => {
  const cache = new VerdictCache();
  const questions = Array.from({ length: 8000 }, (_, n) => `1\nlambda:invokefunction\nfn-${n}`);
  for (let pass = 0; pass < 2; pass++) for (const question of questions) cache.set(question, verdict);
  expect(questions.every((question) => cache.get(question) === verdict)).toBe(true);
});
