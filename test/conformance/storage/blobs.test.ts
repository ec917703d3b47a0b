import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { ManualClock } from "#core/clock";
import { BlobMissing } from "#storage/blobs";
import type { Storage } from "#storage/storage";

import { backEnds } from "./back-ends.ts";

describe.each(backEnds)("blobs of $name", ({ open }) => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await open(new ManualClock());
  });
  afterAll(() => storage.close());
  beforeEach(() => storage.reset());

  const bytes = Buffer.from("the bytes of a function's package");
  const id = createHash("sha256").update(bytes).digest("hex");

  test("the same bytes, put whole or as a stream, are one blob under their SHA-256", async () => {
    const pieces = Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]);
    expect(await Promise.all([storage.blobs.put(bytes), storage.blobs.put(pieces)])).toEqual(
      [1, 2].map(() => ({ id, bytes: bytes.length })),
    );
    expect(await all(storage.blobs.list())).toEqual([{ id, bytes: bytes.length }]);
    expect(await storage.blobs.get(id)).toEqual(bytes);
    expect(await readFile(await storage.blobs.path(id))).toEqual(bytes);
  });

  test.each([
    [0, 3],
    [4, 9],
    [5, 5],
    [30, 1000],
  ])("opens the bytes [%i, %i)", async (start, end) => {
    await storage.blobs.put(bytes);
    expect(await buffer(await storage.blobs.open(id, { start, end }))).toEqual(bytes.subarray(start, end));
  });

  test.each([id, "../../state.mdb"])("a missing blob is told as such: %s", async (missing) => {
    await storage.blobs.put(bytes);
    await storage.blobs.remove(id);
    await storage.blobs.remove(id);
    expect(await storage.blobs.has(missing)).toBe(false);
    await expect(storage.blobs.get(missing)).rejects.toThrow(BlobMissing);
    await expect(storage.blobs.open(missing)).rejects.toThrow(BlobMissing);
    await expect(storage.blobs.path(missing)).rejects.toThrow(BlobMissing);
  });

  test("a stream that fails leaves nothing behind", async () => {
    const failing = Readable.from(
      (async function* () {
        yield bytes;
        throw new Error("the client went away");
      })(),
    );
    await expect(storage.blobs.put(failing)).rejects.toThrow("went away");
    expect(await all(storage.blobs.list())).toEqual([]);
  });
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
