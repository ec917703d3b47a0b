import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { ManualClock } from "#core/clock";
import type { Storage } from "#storage/storage";

import { at, backEnds } from "./back-ends.ts";

describe.each(backEnds)("queues of $name", ({ open }) => {
  const clock = new ManualClock();
  let storage: Storage;
  beforeAll(async () => {
    storage = await open(clock);
  });
  afterAll(() => storage.close());
  beforeEach(() => storage.reset());

  const queue = at("q");

  test("behaves as a model does under any run of appends, receives, acks, returns and passing time", async () => {
    const step = fc.record({
      what: fc.constantFrom("append", "receive", "ack", "extend", "giveBack", "time"),
      ms: fc.nat(50),
      pick: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await storage.reset();
        const model: {
          id: string;
          due: number;
          sentAt: number;
          lease: string;
          count: number;
          leased: boolean;
        }[] = [];
        for (const { what, ms, pick } of steps) {
          const now = clock.now();
          const ready = model
            .filter(({ due }) => due <= now)
            .toSorted((a, b) => a.due - b.due || (a.id < b.id ? -1 : 1));
          const target = model[pick % Math.max(1, model.length)];
          const live = target !== undefined && target.leased && target.due > now;
          if (what === "time") clock.advance(ms);
          else if (what === "append") {
            const [id = ""] = await storage.queue.append([{ queue, body: Buffer.from("x"), delayMs: ms }]);
            model.push({ id, due: now + ms, sentAt: now, lease: "none", count: 0, leased: false });
          } else if (what === "receive") {
            const got = await storage.queue.receive(queue, (pick % 3) + 1, ms + 1);
            const wanted = ready.slice(0, (pick % 3) + 1);
            expect(got.map(({ id, receiveCount }) => [id, receiveCount])).toEqual(
              wanted.map(({ id, count }) => [id, count + 1]),
            );
            wanted.forEach((message, index) => {
              const lease = got[index]?.lease ?? "";
              expect(lease).not.toBe(message.lease);
              Object.assign(message, { due: now + ms + 1, lease, leased: true, count: message.count + 1 });
            });
          } else if (target !== undefined && what === "ack") {
            expect(await storage.queue.ack(queue, target.id, target.lease)).toBe(live);
            if (live) model.splice(model.indexOf(target), 1);
          } else if (target !== undefined && what === "extend") {
            expect(await storage.queue.extend(queue, target.id, target.lease, ms)).toBe(live);
            if (live) target.due = now + ms;
          } else if (target !== undefined && what === "giveBack") {
            expect(await storage.queue.giveBack(queue, target.id, target.lease, ms)).toBe(live);
            if (live) Object.assign(target, { due: now + ms, leased: false });
          }
          const waiting = model.filter(({ due }) => due > clock.now());
          expect(storage.queue.depth(queue)).toEqual({
            visible: model.length - waiting.length,
            leased: waiting.filter(({ leased }) => leased).length,
            delayed: waiting.filter(({ leased }) => !leased).length,
            oldestSentAt: model[0]?.sentAt,
          });
          expect(storage.queue.queues([])).toEqual(model.length > 0 ? [queue] : []);
          const dues = model.map(({ due }) => due);
          expect(storage.queue.nextDue(queue)).toBe(dues.length === 0 ? undefined : Math.min(...dues));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("concurrent receivers never hold the same message", async () => {
    await storage.queue.append(Array.from({ length: 50 }, () => ({ queue, body: Buffer.from("x") })));
    const got = await Promise.all(Array.from({ length: 20 }, () => storage.queue.receive(queue, 5, 1000)));
    expect(new Set(got.flat().map(({ id }) => id)).size).toBe(got.flat().length);
    expect(got.flat()).toHaveLength(50);
  });

  test("giveBack replaces the body; purge takes leased messages too", async () => {
    await storage.queue.append([{ queue, body: Buffer.from("old") }]);
    const [first] = await storage.queue.receive(queue, 1, 1000);
    await storage.queue.giveBack(queue, first?.id ?? "", first?.lease ?? "", 0, Buffer.from("new"));
    const [second] = await storage.queue.receive(queue, 1, 1000);
    expect(String(second?.body)).toBe("new");
    await storage.queue.purge(queue);
    expect(await storage.queue.ack(queue, second?.id ?? "", second?.lease ?? "")).toBe(false);
    expect(storage.queue.queues([])).toEqual([]);
  });

  test("a watch hears of appends, those that join a commit too", async () => {
    const seen: unknown[] = [];
    storage.queue.watch(["000000000000"], (name) => seen.push(name));
    await storage.queue.append([{ queue, body: Buffer.from("x") }]);
    await storage.documents.commit(
      [{ key: at("d"), value: 1 }],
      [{ queue: at("q2"), body: Buffer.from("x") }],
    );
    expect(seen).toEqual([queue, at("q2")]);
  });
});
