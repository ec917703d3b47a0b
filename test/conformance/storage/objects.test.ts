import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { ManualClock } from "#core/clock";
import { ObjectMissing } from "#storage/objects";
import type { Storage } from "#storage/storage";

import { backEnds } from "./back-ends.ts";

describe.each(backEnds)("objects of $name", ({ open }) => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await open(new ManualClock());
  });
  afterAll(() => storage.close());
  beforeEach(() => storage.reset());

  const bytes = Buffer.from("the bytes of an object");
  const [one, other] = ["1".repeat(64), "2".repeat(64)];

  test("the same bytes under two names are two objects, each removed on its own", async () => {
    const parts = Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]);
    expect(await storage.objects.put(one, bytes)).toEqual({ id: one, bytes: bytes.length });
    expect(await storage.objects.put(other, parts)).toEqual({ id: other, bytes: bytes.length });
    await storage.objects.remove(one);
    await storage.objects.remove(one);
    expect(await buffer(await storage.objects.open(other))).toEqual(bytes);
    expect(await all(storage.objects.list())).toEqual([{ id: other, bytes: bytes.length }]);
  });

  test("a name is taken once, and its bytes stay what they are", async () => {
    await storage.objects.put(one, bytes);
    await expect(storage.objects.put(one, Buffer.from("others"))).rejects.toThrow("already");
    expect(await buffer(await storage.objects.open(one))).toEqual(bytes);
  });

  test.each([
    [0, 3],
    [4, 9],
    [5, 5],
    [10, 1000],
  ])("opens the bytes [%i, %i)", async (start, end) => {
    await storage.objects.put(one, bytes);
    expect(await buffer(await storage.objects.open(one, { start, end }))).toEqual(bytes.subarray(start, end));
  });

  test("what is open is read to its end, removed or not", async () => {
    await storage.objects.put(one, bytes);
    const stream = await storage.objects.open(one);
    await storage.objects.remove(one);
    expect(await buffer(stream)).toEqual(bytes);
    await expect(storage.objects.open(one)).rejects.toThrow(ObjectMissing);
  });

  test.each(["../../state.mdb", "", "A".repeat(64)])("no name leads elsewhere: %s", async (name) => {
    await expect(storage.objects.open(name)).rejects.toThrow(ObjectMissing);
    await expect(storage.objects.put(name, bytes)).rejects.toThrow(ObjectMissing);
    await expect(storage.objects.remove(name)).rejects.toThrow(ObjectMissing);
  });

  test("a stream that fails leaves nothing behind, and its name free", async () => {
    const failing = Readable.from(
      (async function* () {
        yield bytes;
        throw new Error("the client went away");
      })(),
    );
    await expect(storage.objects.put(one, failing)).rejects.toThrow("went away");
    expect(await all(storage.objects.list())).toEqual([]);
    await storage.objects.put(one, bytes);
  });
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
