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
      group: fc.constantFrom(undefined, "a", "b"),
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
          group: string | undefined;
        }[] = [];
        for (const { what, ms, pick, group } of steps) {
          const now = clock.now();
          const members = (name: string | undefined) => model.filter((other) => other.group === name);
          const ready = model
            .filter(({ due }) => due <= now)
            .filter((message) => message.group === undefined || members(message.group)[0] === message)
            .toSorted((a, b) => a.due - b.due || (a.id < b.id ? -1 : 1))
            .flatMap((message) => {
              if (message.group === undefined) return [message];
              const waiting = members(message.group).findIndex(({ due }) => due > now);
              return members(message.group).slice(0, waiting === -1 ? undefined : waiting);
            });
          const target = model[pick % Math.max(1, model.length)];
          const live = target !== undefined && target.leased && target.due > now;
          if (what === "time") clock.advance(ms);
          else if (what === "append") {
            const [id = ""] = await storage.queue.append([
              { queue, body: Buffer.from("x"), delayMs: ms % 3 === 0 ? 0 : ms, ...(group && { group }) },
            ]);
            const due = now + (ms % 3 === 0 ? 0 : ms);
            model.push({ id, due, sentAt: now, lease: "none", count: 0, leased: false, group });
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
            expect(await storage.queue.ack(queue, target.id, target.lease)).toBe(live ? "removed" : "lapsed");
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
            nextDueAt: waiting.map(({ due }) => due).toSorted((a, b) => a - b)[0],
          });
          expect(storage.queue.queues([])).toEqual(model.length > 0 ? [queue] : []);
        }
      }),
      { numRuns: 100 },
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
    expect(await storage.queue.ack(queue, second?.id ?? "", second?.lease ?? "")).toBe("missing");
    expect(storage.queue.queues([])).toEqual([]);
  });

  test("without a lease, removes and extends what others hold, and removes what nobody holds", async () => {
    await storage.queue.append([{ queue, body: Buffer.from("x") }]);
    const [first] = await storage.queue.receive(queue, 1, 10);
    const id = first?.id ?? "";
    clock.advance(10);
    expect(await storage.queue.ack(queue, id, first?.lease)).toBe("lapsed");
    expect(await storage.queue.extend(queue, id, undefined, 20)).toBe(false);
    await storage.queue.receive(queue, 1, 10);
    expect(await storage.queue.extend(queue, id, first?.lease, 20)).toBe(false);
    expect(await storage.queue.extend(queue, id, undefined, 20)).toBe(true);
    clock.advance(19);
    expect(storage.queue.depth(queue)).toMatchObject({ visible: 0, leased: 1 });
    clock.advance(1);
    expect(await storage.queue.ack(queue, id, undefined)).toBe("removed");
    expect(await storage.queue.ack(queue, id, undefined)).toBe("missing");
  });

  test("a group waits for its first message, however many stand behind it, and others pass", async () => {
    const append = (group: string, text: string) => ({ queue, body: Buffer.from(text), group });
    await storage.queue.append(Array.from({ length: 1000 }, (_, index) => append("a", `a${index}`)));
    await storage.queue.append([append("b", "b0")]);
    const bodies = async (max: number) =>
      (await storage.queue.receive(queue, max, 1000)).map(({ body }) => String(body));
    const [head] = await storage.queue.receive(queue, 1, 1000);
    expect(head).toMatchObject({ group: "a", receiveCount: 1, firstReceivedAt: clock.now() });
    expect(await bodies(10)).toEqual(["b0"]);
    expect(await bodies(10)).toEqual([]);
    expect(storage.queue.depth(queue)).toMatchObject({ visible: 999, leased: 2 });
    await storage.queue.ack(queue, head?.id ?? "", head?.lease ?? "");
    expect(await bodies(3)).toEqual(["a1", "a2", "a3"]);
    expect(await bodies(3)).toEqual([]);
    clock.advance(1000);
    expect(await bodies(5)).toEqual(["a1", "a2", "a3", "a4", "a5"]);
    expect(await bodies(5)).toEqual(["b0"]);
  });

  test("what may be appended once in a while is kept once, though it has long been acknowledged", async () => {
    const append = () =>
      storage.queue.append([{ queue, body: Buffer.from("x"), once: { key: "k", forMs: 100 } }]);
    const [id = ""] = await append();
    expect(await append()).toEqual([id]);
    const [message] = await storage.queue.receive(queue, 10, 1000);
    await storage.queue.ack(queue, message?.id ?? "", message?.lease ?? "");
    clock.advance(99);
    expect(await append()).toEqual([id]);
    expect(storage.queue.depth(queue).visible).toBe(0);
    clock.advance(1);
    expect(await append()).not.toEqual([id]);
    expect(storage.queue.depth(queue).visible).toBe(1);
  });

  test("keys that may be used once share an append", async () => {
    const once = { key: "k", forMs: 100 };
    const ids = await Promise.all(
      Array.from({ length: 5 }, () => storage.queue.append([{ queue, body: Buffer.from("x"), once }])),
    );
    expect(new Set(ids.flat()).size).toBe(1);
    expect(storage.queue.depth(queue).visible).toBe(1);
  });

  test("moves a leased message to another queue, or its own, with its age", async () => {
    await storage.queue.append([{ queue, body: Buffer.from("x") }]);
    const sentAt = clock.now();
    clock.advance(5);
    const [first] = await storage.queue.receive(queue, 1, 1000);
    const [id, lease] = [first?.id ?? "", first?.lease ?? ""];
    const to = { queue: at("dead"), body: Buffer.from("y"), sentAt };
    expect(await storage.queue.move(queue, id, "", to)).toBe(false);
    expect(await storage.queue.move(queue, id, lease, to)).toBe(true);
    expect(await storage.queue.move(queue, id, lease, to)).toBe(false);
    expect(storage.queue.queues([])).toEqual([at("dead")]);
    clock.advance(5);
    const [second] = await storage.queue.receive(at("dead"), 1, 1000);
    expect(second).toMatchObject({ sentAt, receiveCount: 1, firstReceivedAt: clock.now() });
    const again = { queue: at("dead"), body: Buffer.from("z") };
    expect(await storage.queue.move(at("dead"), second?.id ?? "", second?.lease ?? "", again)).toBe(true);
    expect(storage.queue.depth(at("dead"))).toMatchObject({ visible: 1, leased: 0 });
  });

  test("expires what is old, leased or not, and what came with an old past", async () => {
    const append = (text: string, past = {}) =>
      storage.queue.append([{ queue, body: Buffer.from(text), ...past }]);
    const start = clock.now();
    await append("old");
    await append("old too");
    await storage.queue.receive(queue, 1, 100_000);
    clock.advance(100);
    await append("young");
    await append("moved", { sentAt: start + 1 });
    expect(storage.queue.depth(queue).oldestSentAt).toBe(start);
    expect(await storage.queue.expire(queue, start, 10)).toBe(0);
    expect(await storage.queue.expire(queue, start + 2, 1)).toBe(1);
    expect(await storage.queue.expire(queue, start + 2, 10)).toBe(2);
    expect(storage.queue.depth(queue)).toMatchObject({ visible: 1, leased: 0, oldestSentAt: start + 100 });
  });

  test("counts a backlog that has fallen due, while it is being filed anew and afterwards", async () => {
    const delayed = Array.from({ length: 10_500 }, () => ({ queue, body: Buffer.from("x"), delayMs: 1000 }));
    await storage.queue.append(delayed);
    expect(storage.queue.depth(queue)).toMatchObject({ visible: 0, delayed: 10_500 });
    clock.advance(1000);
    for (let look = 0; look < 3; look++) {
      expect(storage.queue.depth(queue)).toMatchObject({ visible: 10_500, delayed: 0, leased: 0 });
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    }
    expect(await storage.queue.receive(queue, 10, 1000)).toHaveLength(10);
    expect(storage.queue.depth(queue)).toMatchObject({ visible: 10_490, leased: 10 });
  });

  test("a purged queue starts anew while its old messages are being cleared away", async () => {
    const many = (text: string) =>
      Array.from({ length: 2000 }, () => ({ queue, body: Buffer.from(text), group: "g" }));
    await storage.queue.append(many("old"));
    await storage.queue.purge(queue);
    expect(storage.queue.depth(queue)).toMatchObject({ visible: 0, leased: 0, delayed: 0 });
    await storage.queue.append(many("new"));
    const got = await storage.queue.receive(queue, 3000, 1000);
    expect(got).toHaveLength(2000);
    expect(got.every(({ body }) => String(body) === "new")).toBe(true);
  });

  test("a watch hears of what returns, and of what a group's first message held back", async () => {
    const group = { queue, body: Buffer.from("x"), group: "g" };
    await storage.queue.append([group, group]);
    const [first] = await storage.queue.receive(queue, 1, 1000);
    const seen: unknown[] = [];
    storage.queue.watch(["000000000000"], (name) => seen.push(name));
    await storage.queue.extend(queue, first?.id ?? "", first?.lease ?? "", 2000);
    expect(seen).toEqual([]);
    await storage.queue.extend(queue, first?.id ?? "", first?.lease ?? "", 0);
    expect(seen).toEqual([queue]);
    const [again] = await storage.queue.receive(queue, 1, 1000);
    expect(again?.id).toBe(first?.id);
    await storage.queue.ack(queue, again?.id ?? "", again?.lease ?? "");
    expect(seen).toEqual([queue, queue]);
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
