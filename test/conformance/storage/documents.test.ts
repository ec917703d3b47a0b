import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { ManualClock } from "#core/clock";
import { RevisionConflict, type Change, type DocumentKey, type Watched } from "#storage/documents";
import type { Storage } from "#storage/storage";

import { at, backEnds } from "./back-ends.ts";

describe.each(backEnds)("documents of $name", ({ open }) => {
  let storage: Storage;
  beforeAll(async () => {
    storage = await open(new ManualClock());
  });
  afterAll(() => storage.close());
  beforeEach(() => storage.reset());

  const element = fc.oneof(fc.string({ unit: "binary", maxLength: 4 }), fc.nat(300));
  const longElement = fc
    .tuple(fc.constantFrom("é".repeat(1000), "x".repeat(1880)), element)
    .map(([a, b]) => `${a}${b}`);
  const rest = fc.array(fc.oneof({ arbitrary: element, weight: 4 }, longElement), { maxLength: 3 });

  test("lists in tuple order, forwards, backwards, by prefix and by pages, whatever the length of keys", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(rest, { maxLength: 12, selector: (key) => JSON.stringify(key) }),
        rest,
        fc.nat(5),
        async (rests, cut, limit) => {
          await storage.reset();
          const keys = rests.map((more): DocumentKey => [...at("k"), ...more] as unknown as DocumentKey);
          await storage.documents.commit(keys.map((key) => ({ key, value: null })));
          const sorted = keys.toSorted(compare);
          const list = (prefix: DocumentKey, options = {}) =>
            Array.from(storage.documents.list(prefix, options), ({ key }) => key);
          const root = at("k") as DocumentKey;
          expect(list(root)).toEqual(sorted);
          expect(list(root, { reverse: true })).toEqual(sorted.toReversed());
          const after = [...at("k"), ...cut] as unknown as DocumentKey;
          expect(list(root, { after, limit })).toEqual(
            sorted.filter((key) => compare(key, after) > 0).slice(0, limit),
          );
          expect(list(root, { after, limit, reverse: true })).toEqual(
            sorted
              .toReversed()
              .filter((key) => compare(key, after) < 0)
              .slice(0, limit),
          );
          expect(list(after)).toEqual(
            sorted.filter((key) => after.every((part, index) => part === key[index])),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test("revisions grow and are never used again, not by a deleted and created key either", async () => {
    const key = at("a");
    let last = 0;
    for (let round = 0; round < 5; round++) {
      const [revision = 0] = await storage.documents.commit([{ key, value: round, expected: 0 }]);
      expect(revision).toBeGreaterThan(last);
      last = revision;
      await storage.documents.commit([{ key, delete: true, expected: revision }]);
    }
  });

  test("of concurrent commits that expect the same revision exactly one wins", async () => {
    const key = at("counter");
    await storage.documents.commit([{ key, value: 0 }]);
    const add = async (): Promise<void> => {
      for (;;) {
        const current = storage.documents.get<number>(key);
        if (current === undefined) throw new Error("the counter is gone");
        try {
          await storage.documents.commit([{ key, value: current.value + 1, expected: current.revision }]);
          return;
        } catch (error) {
          if (!(error instanceof RevisionConflict)) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 20 }, add));
    expect(storage.documents.get(key)?.value).toBe(20);
  });

  test("a conflict writes nothing, neither documents nor messages", async () => {
    const changes: Change[] = [
      { key: at("a"), value: 1 },
      { key: at("b"), value: 1, expected: 7 },
    ];
    await expect(
      storage.documents.commit(changes, [{ queue: at("q"), body: Buffer.from("x") }]),
    ).rejects.toThrow(RevisionConflict);
    expect([...storage.documents.list(["000000000000"])]).toEqual([]);
    expect(storage.queue.depth(at("q")).visible).toBe(0);
  });

  test("a check holds a commit to a document without writing it", async () => {
    const seen: Watched[] = [];
    const [revision = 0] = await storage.documents.commit([{ key: at("guard"), value: 1 }]);
    const unwatch = storage.documents.watch(at("guard"), (change) => seen.push(change));
    const guarded = (expected: number, value: number): readonly Change[] => [
      { key: at("guard"), check: true, expected },
      { key: at("k"), value },
    ];
    const [checked] = await storage.documents.commit(guarded(revision, 1));
    expect(checked).toBe(revision);
    await storage.documents.commit([{ key: at("guard"), value: 2, expected: revision }]);
    await expect(storage.documents.commit(guarded(revision, 2))).rejects.toThrow(RevisionConflict);
    await expect(storage.documents.commit(guarded(0, 2))).rejects.toThrow(RevisionConflict);
    expect(storage.documents.get(at("k"))?.value).toBe(1);
    await storage.documents.commit([{ key: at("absent"), check: true, expected: 0 }]);
    expect(storage.documents.get(at("absent"))).toBeUndefined();
    expect(seen.map(({ document }) => document?.value)).toEqual([2]);
    unwatch();
  });

  test("a watch sees the changes under its prefix in commit order", async () => {
    const seen: Watched[] = [];
    const stop = storage.documents.watch(["000000000000", "us-east-1", "a"], (change) => seen.push(change));
    await Promise.all(
      [1, 2, 3].map((value) =>
        storage.documents.commit([
          { key: at("a", "x"), value },
          { key: at("ab"), value },
        ]),
      ),
    );
    await storage.documents.commit([{ key: at("a", "x"), delete: true }]);
    stop();
    await storage.documents.commit([{ key: at("a", "x"), value: 9 }]);
    expect(seen.map(({ document }) => document?.value)).toEqual([1, 2, 3, undefined]);
  });

  test.each<[string, DocumentKey, RegExp]>([
    ["another region", ["000000000000", "eu-west-1", "a"], /share/],
    ["a lone surrogate", at("\ud800"), /Unicode/],
    ["a fraction", ["000000000000", "us-east-1", "a", 0.5], /integer/],
  ])("a key with %s is refused", async (_, key, message) => {
    await expect(
      storage.documents.commit([
        { key: at("b"), value: 1 },
        { key, value: 1 },
      ]),
    ).rejects.toThrow(message);
  });
});

function compare(a: DocumentKey, b: DocumentKey): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left === right) continue;
    if (typeof left === "number" && typeof right === "number") return left - right;
    if (typeof left === "number") return -1;
    if (typeof right === "number") return 1;
    return Buffer.compare(Buffer.from(left ?? ""), Buffer.from(right ?? ""));
  }
  return a.length - b.length;
}
