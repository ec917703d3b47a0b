import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { withStorage } from "../../../test/support/storage.ts";
import { until } from "../../../test/support/until.ts";
import { UsageStore } from "./store.ts";
import { DAY_MS, dayOf, type Usage } from "./usage.ts";

const storage = withStorage();
const START = Date.UTC(2026, 0, 10, 12);
const TODAY = dayOf(START);
const owner = ["111111111111", "us-east-1", "cart"] as const;
const spec = { architecture: "x86_64", memoryMb: 128, ephemeralStorageMb: 512 } as const;

let clock: ManualClock;
let store: UsageStore;
let errors: unknown[];

const open = () =>
  new UsageStore({
    documents: storage().documents,
    journal: storage().journal,
    clock,
    onError: (error) => errors.push(error),
  });

beforeEach(async () => {
  clock = new ManualClock(START);
  errors = [];
  store = open();
  await store.start();
});

afterEach(async () => {
  await store.close();
  expect(errors).toEqual([]);
});

const invoke = (time: number, billedMs = 100, of: Partial<typeof spec> & object = {}, name = "cart") =>
  store
    .meter(owner[0], owner[1], name)
    .invoked({ spec: { ...spec, ...of }, billedMs, coldMs: 0, streamedBytes: 0 }, false, time);

/** `name day: requests` of everything in a range. */
async function read(from = 0, to = TODAY + 1, name?: string): Promise<string[]> {
  const found: string[] = [];
  await store.each({ from, to, name }, (of, day, { requests, billedMs }) =>
    found.push(`${of.name} ${of.architecture} ${day - TODAY}: ${requests}, ${billedMs} ms`),
  );
  return found.toSorted((a, b) => (a < b ? -1 : 1));
}

const STREAM = ["platform", "global", "usage"] as const;

/** Lets a second pass, and waits for what is logged then. */
async function logged(): Promise<void> {
  const { journal } = storage();
  const before = (await journal.read(STREAM)).at(-1)?.sequence ?? -1;
  clock.advance(1000);
  await until(async () => expect((await journal.read(STREAM)).at(-1)?.sequence).toBeGreaterThan(before));
}

describe("a function's usage", () => {
  it("is added up as AWS bills it", async () => {
    const meter = store.meter(...owner);
    const large = { architecture: "arm64", memoryMb: 1024, ephemeralStorageMb: 1536 } as const;
    meter.invoked({ spec: large, billedMs: 250, coldMs: 200, streamedBytes: 0 }, false, START);
    meter.invoked({ spec: large, billedMs: 50, coldMs: 0, streamedBytes: 1000 }, true, START);
    meter.reserved(large, 1500.5, START);
    const found: Readonly<Usage>[] = [];
    await store.each({ from: TODAY, to: TODAY }, (_owner, _day, usage) => found.push({ ...usage }));
    expect(found).toEqual([
      {
        requests: 2,
        provisionedRequests: 1,
        billedMs: 300,
        coldMs: 200,
        computeMbMs: 1024 * 250,
        provisionedMbMs: 1024 * 50,
        reservedMbMs: 1024 * 1500.5,
        storageMbMs: 1024 * 300,
        streamedBytes: 1000,
      },
    ]);
  });

  it("is kept by day, function and architecture", async () => {
    invoke(START);
    invoke(START, 10);
    invoke(START, 1, { architecture: "arm64" } as never);
    invoke(START + DAY_MS);
    invoke(START, 5, {}, "other");
    const all = [
      "cart arm64 0: 1, 1 ms",
      "cart x86_64 0: 2, 110 ms",
      "cart x86_64 1: 1, 100 ms",
      "other x86_64 0: 1, 5 ms",
    ];
    expect(await read()).toEqual(all);
    await store.seal();
    expect(await read()).toEqual(all);
    expect(await read(TODAY + 1)).toEqual(["cart x86_64 1: 1, 100 ms"]);
    expect(await read(TODAY - 5, TODAY, "other")).toEqual(["other x86_64 0: 1, 5 ms"]);
    expect(await read(0, TODAY - 1)).toEqual([]);
  });

  it("outlives a restart, whether it was closed or killed", async () => {
    invoke(START);
    await store.close();
    store = open();
    await store.start();
    invoke(START, 10);
    expect(await read()).toEqual(["cart x86_64 0: 2, 110 ms"]);
    await logged();
    invoke(START, 10);
    await store.settle();
    invoke(START, 1000, {}, "lost");
    // Killed: what came within the last second was never logged.
    store = open();
    await store.start();
    expect(await read()).toEqual(["cart x86_64 0: 3, 120 ms"]);
  });

  it("is counted once, though it was killed after documents were written and before the log was trimmed", async () => {
    const { journal } = storage();
    const trim = journal.trim.bind(journal);
    journal.trim = () => Promise.resolve();
    invoke(START);
    await store.seal();
    invoke(START);
    await store.seal();
    journal.trim = trim;
    expect(await journal.read(STREAM)).toHaveLength(2);
    store = open();
    await store.start();
    invoke(START);
    expect(await read()).toEqual(["cart x86_64 0: 3, 300 ms"]);
  });

  it("stays in the log where that could not be taken up, and is taken up by a later start", async () => {
    invoke(START);
    await store.settle();
    const { journal } = storage();
    const readAll = journal.read.bind(journal);
    journal.read = () => Promise.reject(new Error("unreadable"));
    store = open();
    await expect(store.start()).rejects.toThrow("unreadable");
    invoke(START + 60_000, 1, {}, "other");
    clock.advance(1);
    await store.close();
    journal.read = readAll;
    store = open();
    await store.start();
    expect(await read()).toEqual(["cart x86_64 0: 1, 100 ms"]);
  });

  it("is not held once it is saved, and goes on from where it was", async () => {
    const meter = store.meter(...owner);
    const one = { spec, billedMs: 1, coldMs: 0, streamedBytes: 0 };
    meter.invoked(one, false, START);
    await store.seal();
    // Its document alone has it now: one that is changed there is seen to be.
    const [document] = storage().documents.list<number[]>(STREAM);
    if (document === undefined) throw new Error("no document");
    await storage().documents.commit([{ key: document.key, value: [41, 0, 41] }]);
    meter.invoked(one, false, START);
    expect(await read()).toEqual(["cart x86_64 0: 42, 42 ms"]);
  });

  it("is kept for 400 days", async () => {
    for (const days of [0, 399, 400, 500]) invoke(START - days * DAY_MS);
    await store.seal();
    store = open();
    expect(await read()).toEqual(["cart x86_64 -399: 1, 100 ms", "cart x86_64 0: 1, 100 ms"].toSorted());
  });

  it("of thousands of functions is read and written a few at a time", async () => {
    for (let n = 0; n < 1234; n++) invoke(START, 1, {}, `f${n}`);
    await store.seal();
    store = open();
    await store.start();
    invoke(START, 1, {}, "f7");
    const found = await read();
    expect(found).toHaveLength(1234);
    expect(found).toContain("f7 x86_64 0: 2, 2 ms");
  });

  it("stays in memory where the disk is full, and is written later", async () => {
    const { journal } = storage();
    const append = journal.append.bind(journal);
    journal.append = () => Promise.reject(new Error("full"));
    invoke(START);
    await expect(store.seal()).rejects.toThrow("full");
    expect(await read()).toEqual(["cart x86_64 0: 1, 100 ms"]);
    journal.append = append;
    await store.seal();
    store = open();
    await store.start();
    expect(await read()).toEqual(["cart x86_64 0: 1, 100 ms"]);
  });

  it("is forgotten when everything is", async () => {
    const meter = store.meter(...owner);
    const one = { spec, billedMs: 1, coldMs: 0, streamedBytes: 0 };
    meter.invoked(one, false, START);
    await storage().reset();
    store.reset();
    expect(await read()).toEqual([]);
    meter.invoked(one, false, START);
    expect(await read()).toEqual(["cart x86_64 0: 1, 1 ms"]);
  });
});
