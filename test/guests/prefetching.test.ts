// How guests take events ahead of their turn: guest/PROTOCOL.md, "Prefetched events".
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { Guest, PREFETCHED_TIMEOUT_MS, withGuest } from "./guest.ts";
import type { Outcome } from "./guest.ts";
import { nodes, pythons } from "./interpreters.ts";
import type { Interpreter } from "./interpreters.ts";

/** What the handlers of both languages do: keep what they began, recall what they are told to, answer or fail. */
const NODE = `
const { truncateSync } = require("fs");
const begun = [];
exports.handler = async ({ name, log, recall, count, fail, text, remaining }, context) => {
  begun.push(name);
  if (log !== undefined) console.log(log);
  if (recall !== undefined) truncateSync(recall, count);
  if (fail) throw new Error(name);
  if (remaining) return context.getRemainingTimeInMillis();
  return text === undefined ? begun : [text.length, text.slice(-3)];
};
`;
const PYTHON = `
import os
begun = []
def handler(event, context):
    begun.append(event["name"])
    if "log" in event: print(event["log"])
    if "recall" in event: os.truncate(event["recall"], event["count"])
    if event.get("fail"): raise ValueError(event["name"])
    if "remaining" in event: return context.get_remaining_time_in_millis()
    if "text" not in event: return begun
    return [len(event["text"]), event["text"][-3:]]
`;

const KINDS: readonly { interpreter: Interpreter; files: Readonly<Record<string, string>> }[] = [
  ...nodes().map((interpreter) => ({ interpreter, files: { "index.js": NODE } })),
  ...pythons().map((interpreter) => ({ interpreter, files: { "index.py": PYTHON } })),
];

describe.each(KINDS.map((kind) => ({ name: kind.interpreter.name, ...kind })))("$name", (kind) => {
  const { interpreter, files } = kind;
  if (interpreter.path === undefined) {
    it.skip("is not on this host");
    return;
  }

  let guest: Guest;
  beforeEach(async () => {
    guest = await Guest.open(interpreter, { files });
  });
  afterEach(async () => {
    expect(await guest.close()).toBe(0);
  });

  async function outcomes(requestIds: readonly string[]): Promise<Outcome[]> {
    const all: Outcome[] = [];
    for (const requestId of requestIds) all.push(await guest.outcome(requestId));
    return all;
  }

  const values = (all: readonly Outcome[]): unknown[] =>
    all.map(({ kind, value }) => (kind === "response" ? value : kind));

  it("says that it takes events ahead", () => {
    expect(guest.initDone).toEqual({ prefetches: true });
  });

  it("begins those that came in one piece one after the other, and tells the time of each", async () => {
    const events = Array.from({ length: 100 }, (_, at) => ({
      event: { name: `n${at}`, log: `log of n${at}` },
      ...(at === 0 ? {} : { prefetched: at - 1 }),
    }));
    const all = await outcomes(guest.give(events).requestIds);
    for (const [at, { value, header, logs }] of all.entries()) {
      expect(value).toEqual(events.slice(0, at + 1).map(({ event }) => event.name));
      expect(header["tookMs"]).toBeGreaterThan(0);
      expect(logs).toEqual([expect.stringContaining(`log of n${at}`)]);
    }
  });

  it("has each its whole time from when it begins it", async () => {
    const event = { name: "a", remaining: true };
    const { requestIds } = guest.give([{ event }, { event, prefetched: 0 }]);
    const [first, second] = values(await outcomes(requestIds)) as number[];
    expect(first).toBeGreaterThan(PREFETCHED_TIMEOUT_MS);
    expect(second).toBeGreaterThan(0);
    expect(second).toBeLessThanOrEqual(PREFETCHED_TIMEOUT_MS);
  });

  it("hands back those that were recalled before it came upon them, and no others", async () => {
    guest.recall(2);
    const { requestIds } = guest.give([
      { event: { name: "first" } },
      { event: { name: "a" }, prefetched: 0 },
      { event: { name: "b" }, prefetched: 1 },
      { event: { name: "c" }, prefetched: 2 },
    ]);
    expect(values(await outcomes(requestIds))).toEqual([["first"], "returned", "returned", ["first", "c"]]);
    expect((await guest.invoke({ name: "last" })).value).toEqual(["first", "c", "last"]);
  });

  it("sees what was recalled while the event before ran, though it had read them all by then", async () => {
    const { requestIds } = guest.give([
      { event: { name: "first" } },
      { event: { name: "a", recall: guest.recalls, count: 2 }, prefetched: 0 },
      { event: { name: "b" }, prefetched: 1 },
      { event: { name: "c", fail: true, recall: guest.recalls, count: 4 }, prefetched: 2 },
      { event: { name: "d" }, prefetched: 3 },
      { event: { name: "e" }, prefetched: 4 },
    ]);
    const all = await outcomes(requestIds);
    expect(values(all)).toEqual([
      ["first"],
      ["first", "a"],
      "returned",
      "error",
      "returned",
      ["first", "a", "c", "e"],
    ]);
    expect(all[3]?.header["tookMs"]).toBeGreaterThan(0);
  });

  it("loses none where large ones stand among small ones, some of them recalled", async () => {
    guest.recall(5);
    // Around the size of what it reads at once, and far above it.
    const sizes = [10, 65_000, 65_300, 3, 65_400, 65_536, 1, 200_000, 5_000_000, 12, 131_072, 40];
    const events = sizes.map((size, at) => ({
      event: { name: "", text: `${"x".repeat(size)}${100 + at}` },
      prefetched: at,
    }));
    const all = await outcomes(guest.give(events).requestIds);
    expect(values(all)).toEqual(
      sizes.map((size, at) => (at < 5 ? "returned" : [size + 3, String(100 + at)])),
    );
  });

  it.each([1, 4, 5, 7, 300])(
    "waits for the rest of one of which %i bytes came with others",
    async (ofLast) => {
      const names = ["a", "b", "c"];
      const events = names.map((name, at) => ({ event: { name, pad: "x".repeat(500) }, prefetched: at }));
      const given = guest.give(events, ofLast);
      expect(values(await outcomes(given.requestIds.slice(0, 2)))).toEqual([["a"], ["a", "b"]]);
      given.rest();
      expect(values(await outcomes(given.requestIds.slice(2)))).toEqual([names]);
    },
  );
});

/** It answers in the turn of its event loop in which the handler ends, or in the next one, and has one more after that. */
const LATE_NODE = `
exports.handler = async ({ name }) => {
  console.log("of", name);
  const late = () => console.log("left behind");
  if (name === "a") setImmediate(() => { late(); setImmediate(late); });
};
`;
it.each(nodes())("$name says what an event has left behind is logged between two", async (node) => {
  await withGuest(node, { files: { "index.js": LATE_NODE } }, async (guest) => {
    const { requestIds } = guest.give([{ event: { name: "a" } }, { event: { name: "b" }, prefetched: 0 }]);
    for (const requestId of requestIds) expect((await guest.outcome(requestId)).kind).toBe("response");
    expect(guest.lateLogs).toEqual([expect.stringContaining("left behind")]);
  });
});

const STREAMED = `
exports.handler = awslambda.streamifyResponse(async (event, stream) => { stream.end("x"); });
`;
it.each(nodes())("$name takes none ahead where its handler streams", async (node) => {
  await withGuest(node, { files: { "index.js": STREAMED } }, async (guest) => {
    expect(guest.initDone).toEqual({ prefetches: false });
  });
});

const FORKING = `
import os
def handler(event, context):
    child = os.fork()
    if child == 0: return "of the child"
    return [event, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]
`;
const LATE_PYTHON = `
import os, threading, time
def late(go, gone):
    while not os.path.exists(go): time.sleep(0.001)
    print("left behind")
    open(gone, "w").close()
def handler(event, context):
    print("begun")
    if "go" in event: threading.Thread(target=late, kwargs=event, daemon=True).start()
`;
describe.each(pythons())("$name", (python) => {
  const test = it.skipIf(python.path === undefined);

  test("begins no event twice where a forked child comes back from the handler", async () => {
    await withGuest(python, { files: { "index.py": FORKING } }, async (guest) => {
      const events = [{ event: 1 }, { event: 2, prefetched: 0 }, { event: 3, prefetched: 1 }];
      for (const [at, requestId] of guest.give(events).requestIds.entries())
        expect((await guest.outcome(requestId)).value).toEqual([at + 1, 0]);
      expect(await guest.close()).toBe(0);
    });
  });

  test("says what an event has left behind is logged between two", async () => {
    await withGuest(python, { files: { "index.py": LATE_PYTHON } }, async (guest) => {
      const [go, gone] = ["go", "gone"].map((name) => join(guest.taskRoot, name)) as [string, string];
      expect((await guest.invoke({ go, gone })).logs).toEqual(["begun"]);
      writeFileSync(go, "");
      await until(() => expect(existsSync(gone)).toBe(true));
      expect((await guest.invoke({})).logs).toEqual(["left behind", "begun"]);
      expect(guest.lateLogs).toEqual(["left behind"]);
    });
  });

  test("takes events ahead once it is restored", async () => {
    const content = { files: { "index.py": PYTHON }, init: { initType: "snap-start" } };
    await withGuest(python, content, async (guest) => {
      expect(guest.initDone).toEqual({ prefetches: true });
      expect((await guest.restore()).kind).toBe("response");
      guest.recall(1);
      const events = ["a", "b", "c"].map((name, at) => ({ event: { name }, prefetched: at }));
      const kinds: unknown[] = [];
      for (const requestId of guest.give(events).requestIds) {
        const { kind, value } = await guest.outcome(requestId);
        kinds.push(kind === "response" ? value : kind);
      }
      expect(kinds).toEqual(["returned", ["b"], ["b", "c"]]);
    });
  });
});
