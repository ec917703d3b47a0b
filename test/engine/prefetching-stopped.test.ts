// A guest that the host gives no processor right after an answer: it comes to its next event when that counts as begun.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { FunctionSpec } from "#engine/contract";
import { until } from "../support/until.ts";
import { CALLERS, openPrefetchBench, sectionsOf } from "./prefetch-bench.ts";
import type { PrefetchBench, Ran } from "./prefetch-bench.ts";

/** How often it is tried on a host that is too busy. */
const ROUNDS = 10;

let bench: PrefetchBench;
beforeAll(async () => {
  bench = await openPrefetchBench("process");
});
afterAll(() => bench.close());

const startOf = (requestId: string) =>
  bench.lines.find(({ message }) => message.startsWith(`START RequestId: ${requestId}`));

/** @returns whether the event behind the one that stopped its guest counted as begun by then */
async function stopped(spec: FunctionSpec): Promise<boolean> {
  const calls = Array.from({ length: CALLERS }, (_, n) => bench.call(spec, { n, stop: n === 0 }));
  const first = await calls[0];
  if (first === undefined) return false;
  const { pid } = first.payload as { pid: number };
  try {
    const held = bench.environments.find(({ given }) => given.includes(first.requestId));
    const behind = held?.given.slice(held.given.indexOf(first.requestId) + 1) ?? [];
    const [next] = behind;
    if (held === undefined || next === undefined) return false;
    const stream = startOf(first.requestId)?.stream;
    await until(() => expect(startOf(next)).toBeDefined());
    // Taken back like all behind it, before the answer to the first was read.
    if (startOf(next)?.stream !== stream) return false;
    // Nothing was left to be told of a recall where it stood there alone.
    if (behind.length === 1) return false;
    await until(() => expect(held.recalls).toBeGreaterThan(0));
    expect(held.returned).not.toContain(next);
    process.kill(pid, "SIGCONT");
    const answers = await Promise.all(calls.slice(1));
    const { byRequest, ran } = sectionsOf(bench.lines.filter(({ group }) => group === spec.logging.group));
    expect(byRequest.size).toBe(bench.calls(spec));
    for (const [at, { requestId, payload, error }] of answers.entries()) {
      expect([error, (payload as Ran).n]).toEqual([undefined, at + 1]);
      expect([at + 1, ran.get(String(at + 1))]).toEqual([at + 1, 1]);
      expect(byRequest.get(requestId)?.lines).toEqual([expect.stringContaining(`\tran ${at + 1}\n`)]);
    }
    // It was the guest's own again, once it had handed it back.
    expect(held.returned).toContain(next);
    expect(held.given.filter((requestId) => requestId === next)).toHaveLength(2);
    return true;
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

it("runs an event once whose guest is stopped before it comes to it, and that is recalled meanwhile", async ({
  skip,
}) => {
  let done = false;
  for (let round = 0; round < ROUNDS && !done; round++) {
    /* oxlint-disable no-await-in-loop */
    const spec = await bench.function(`stopped-${round}`);
    if (!(await bench.settle(spec))) break;
    done = await stopped(spec);
    /* oxlint-enable no-await-in-loop */
  }
  skip(!done, "this host is so busy that no event is short");
});
