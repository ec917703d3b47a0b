import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { ManualClock } from "#core/clock";
import { readBlock } from "#storage/journal";
import type { Storage } from "#storage/storage";

import { at, backEnds } from "./back-ends.ts";

describe.each(backEnds)("journals of $name", ({ open }) => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await open(new ManualClock());
  });
  afterAll(() => storage.close());
  beforeEach(() => storage.reset());

  const stream = at("logs", "g", "s");

  test("reads what a model reads: times raised, by time, by sequence, backwards, after a trim", async () => {
    const bound = fc.option(fc.nat(60), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(50), { maxLength: 5 }), { maxLength: 8 }),
        fc.record({ from: bound, to: bound, afterSequence: bound, limit: bound, reverse: fc.boolean() }),
        bound,
        async (batches, { from, to, afterSequence, limit, reverse }, before) => {
          await storage.reset();
          let model: { time: number; sequence: number; body: string }[] = [];
          let last = 0;
          for (const times of batches) {
            await storage.journal.append([
              { stream, records: times.map((time) => ({ time, body: Buffer.from(`t${time}`) })) },
            ]);
            for (const time of times)
              model.push({ time: (last = Math.max(last, time)), sequence: model.length, body: `t${time}` });
          }
          const next = model.length;
          if (before !== undefined) {
            await storage.journal.trim(stream, before);
            model = model.filter(({ time }) => time >= before);
          }
          const wanted = (reverse ? model.toReversed() : model)
            .filter(({ time }) => time >= (from ?? 0) && time < (to ?? Infinity))
            .filter(
              ({ sequence }) =>
                afterSequence === undefined ||
                (reverse ? sequence < afterSequence : sequence > afterSequence),
            )
            .slice(0, limit);
          const options = {
            ...(from !== undefined && { from }),
            ...(to !== undefined && { to }),
            ...(afterSequence !== undefined && { afterSequence }),
            ...(limit !== undefined && { limit }),
          };
          const got = await storage.journal.read(stream, { ...options, reverse });
          expect(got.map(({ time, sequence, body }) => ({ time, sequence, body: String(body) }))).toEqual(
            wanted,
          );
          const scanned: typeof model = [];
          const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
          for await (const block of storage.journal.scan(stream, range))
            for (const { time, sequence, body } of readBlock(block))
              scanned.push({ time, sequence, body: Buffer.from(body).toString() });
          const inRange = ({ time }: { time: number }) => time >= (from ?? 0) && time < (to ?? Infinity);
          expect(scanned.filter(inRange)).toEqual(model.filter(inRange));
          // What was trimmed never comes back, whatever else blocks hold.
          expect(model).toEqual(expect.arrayContaining(scanned));
          if (batches.length > 0)
            expect(storage.journal.info(stream)).toEqual({
              firstTime: model[0]?.time,
              lastTime: model.at(-1)?.time,
              nextSequence: next,
              bytes: model.reduce((sum, { body }) => sum + body.length, 0),
            });
        },
      ),
      { numRuns: 100 },
    );
  });

  test("a thousand streams in one append; remove forgets those under its prefix alone", async () => {
    const name = (index: number) => at("logs", index % 2 === 0 ? "even" : "evening", `s${index}`);
    const records = [{ time: 1, body: Buffer.from("x") }];
    await storage.journal.append(
      Array.from({ length: 1000 }, (_, index) => ({ stream: name(index), records })),
    );
    await storage.journal.remove(at("logs", "even"));
    expect(storage.journal.streams(at("logs"))).toHaveLength(500);
    expect(await storage.journal.read(name(0))).toEqual([]);
    expect(await storage.journal.read(name(1))).toHaveLength(1);
  });

  test("reads a large stream by time across many frames", async () => {
    const body = Buffer.alloc(500, 120);
    await storage.journal.append([
      { stream, records: Array.from({ length: 5000 }, (_, time) => ({ time, body })) },
    ]);
    const got = await storage.journal.read(stream, { from: 2400, to: 2600 });
    expect(got.map(({ time }) => time)).toEqual(Array.from({ length: 200 }, (_, index) => 2400 + index));
  });
});
