import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import type { QueueName } from "#storage/documents";
import { openLocalStorage } from "#storage/local/open";
import type { Storage } from "#storage/storage";
import { type KindOptions, Worker } from "./worker.ts";

let clock: ManualClock;
let storage: Storage;
let worker: Worker | undefined;
let errors: unknown[];

beforeEach(async () => {
  clock = new ManualClock();
  storage = await openLocalStorage({ folder: "", clock, ids: systemIds, ephemeral: true });
  errors = [];
});
afterEach(async () => {
  await worker?.close(0);
  await storage.close();
});

const queue = (name: string): QueueName => ["1", "r", "kind", name];
const append = (name: string, ...bodies: string[]) =>
  storage.queue.append(bodies.map((body) => ({ queue: queue(name), body: Buffer.from(body) })));

function start(kind: KindOptions, places = 2): void {
  worker = new Worker({
    queue: storage.queue,
    clock,
    kinds: { kind },
    onError: (error) => errors.push(error),
    firstConcurrency: places,
    concurrency: places,
    waiting: places,
    load: () => 0,
  });
  worker.start();
  clock.advance(0);
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await nextTurn();
}

describe("queues", () => {
  it("have their turns one after the other, whatever the backlog of one is", async () => {
    await append("long", ...Array.from({ length: 20 }, (_, number) => `long ${number}`));
    await append("short", "short");
    const done: string[] = [];
    start(
      {
        batch: 2,
        turns: 1,
        async work(_, messages) {
          for (const message of messages) {
            done.push(String(message.body));
            await message.ack();
          }
        },
      },
      1,
    );
    await settle();
    expect(done.indexOf("short")).toBeLessThanOrEqual(2);
    for (let round = 0; round < 20; round++) await settle();
    expect(done).toHaveLength(21);
    expect(done.filter((body) => body.startsWith("long"))).toEqual(
      Array.from({ length: 20 }, (_, number) => `long ${number}`),
    );
  });

  it.each([false, true])("take no more places than there are (waits: %s)", async (waits) => {
    for (let number = 0; number < 5; number++) await append(`queue ${number}`, "a", "b");
    const running: (() => void)[] = [];
    let most = 0;
    start({
      batch: 1,
      turns: 1,
      waits,
      async work(_, [message]) {
        await new Promise<void>((resolve) => {
          running.push(resolve);
          most = Math.max(most, running.length);
        });
        await message?.ack();
      },
    });
    for (let done = 0; done < 10; done++) {
      await settle();
      running.shift()?.();
    }
    await settle();
    expect(most).toBe(2);
    expect(storage.queue.queues(["1"])).toEqual([]);
  });
});

describe("a message", () => {
  it("stays this worker's for as long as it works on it", async () => {
    await append("one", "hello");
    let works = 0;
    let finish = () => {};
    start({
      batch: 1,
      turns: 2,
      async work(_, [message]) {
        works++;
        await new Promise<void>((resolve) => (finish = resolve));
        await message?.ack();
      },
    });
    await settle();
    for (let second = 0; second < 60; second++) {
      clock.advance(1000);
      await settle();
    }
    expect(works).toBe(1);
    finish();
    await settle();
    expect(storage.queue.queues(["1"])).toEqual([]);
  });

  it("comes again when its work fails, and when it was put back", async () => {
    await append("one", "hello");
    const seen: string[] = [];
    start({
      batch: 1,
      turns: 1,
      async work(_, [message]) {
        seen.push(String(message?.body));
        if (seen.length === 1) throw new Error("the first time");
        if (seen.length === 2) await message?.putBack(5000, Buffer.from("changed"));
        else await message?.ack();
      },
    });
    await settle();
    expect(seen).toEqual(["hello"]);
    for (let second = 0; second < 16; second++) {
      clock.advance(1000);
      await settle();
    }
    expect(seen).toEqual(["hello", "hello"]);
    for (let second = 0; second < 6; second++) {
      clock.advance(1000);
      await settle();
    }
    expect(seen).toEqual(["hello", "hello", "changed"]);
    expect(errors).toEqual([new Error("the first time")]);
  });

  it("is let finish when the worker closes, and nothing new is begun", async () => {
    await append("one", "hello", "next");
    let finish = () => {};
    let works = 0;
    start({
      batch: 1,
      turns: 1,
      async work(_, [message]) {
        works++;
        await new Promise<void>((resolve) => (finish = resolve));
        await message?.ack();
      },
    });
    await settle();
    let closed = false;
    const closing = worker?.close(10_000).then(() => (closed = true));
    await settle();
    expect(closed).toBe(false);
    finish();
    await closing;
    expect(works).toBe(1);
    expect(storage.queue.depth(queue("one")).visible).toBe(1);
  });
});

describe("more queues than are looked at in one go", () => {
  it("are all worked off, over several looks", async () => {
    const names = Array.from({ length: 600 }, (_, number) => queue(`queue ${number}`));
    await storage.queue.append(names.map((name) => ({ queue: name, body: Buffer.from("x") })));
    let works = 0;
    const kind: KindOptions = {
      batch: 1,
      turns: 1,
      async work(_, messages) {
        works += messages.length;
        await Promise.all(messages.map((message) => message.ack()));
      },
    };
    start(kind, 300);
    for (const worked of [250, 500, 600]) {
      await expect.poll(() => storage.queue.queues(["1"]).length).toBe(600 - worked);
      expect(works).toBe(worked);
      clock.advance(1000);
    }
  });
});
