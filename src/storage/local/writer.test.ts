import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";

import { afterEach, beforeEach, expect, test } from "vitest";

import { RevisionConflict } from "../documents.ts";
import { openTables, type Tables } from "./tables.ts";
import { StorageFull, Writer } from "./writer.ts";

let folder: string;
let tables: Tables;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thaw-writer-"));
  tables = openTables(join(folder, "state.mdb"));
});
afterEach(async () => {
  await tables.env.close();
  await rm(folder, { recursive: true, force: true });
});

const write = (name: string) => tables.messages.putSync(Buffer.from(name), Buffer.from("x"));
const names = () => Array.from(tables.messages.getKeys(), String);

test("a conflict or a full disk leaves the rest of its group alone, any other error undoes the whole group", async () => {
  const writer = new Writer(tables.env);
  const put = (name: string, error?: Error) =>
    writer.run(() => {
      if (error instanceof RevisionConflict) throw error;
      write(name);
      if (error !== undefined) throw error;
    });
  const outcomes = async (...group: Promise<void>[]) =>
    (await Promise.allSettled(group)).map(({ status }) => status);
  const conflict = new RevisionConflict(["a", "r", "k"]);
  expect(await outcomes(put("a"), put("b", conflict), put("c"))).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  expect(names()).toEqual(["a", "c"]);
  expect(await outcomes(put("d"), put("e", new Error("disk full")))).toEqual(["rejected", "rejected"]);
  expect(names()).toEqual(["a", "c"]);

  let free = 2_000_000;
  const full = new Writer(tables.env, () => free);
  const grown = full.run(() => write("f"));
  const shrunk = full.shrink(() => tables.messages.removeSync(Buffer.from("a")));
  await expect(grown).rejects.toThrow(StorageFull);
  await shrunk;
  expect(names()).toEqual(["c"]);
  free = 1000;
  await expect(full.shrink(() => tables.messages.removeSync(Buffer.from("c")))).rejects.toThrow(StorageFull);
  expect(names()).toEqual(["c"]);
});

test("a group takes up what further turns bring, for half of the last flush's time at most", async () => {
  let now = 0;
  let flushMs = 100;
  let commits = 0;
  const { env } = tables;
  const writer = new Writer(
    {
      transactionSync: (operations: () => void) => {
        env.transactionSync(operations);
        commits++;
        now += flushMs;
      },
    } as typeof env,
    () => Infinity,
    () => now,
  );
  const put = (name: string) => writer.run(() => write(name));
  /** Hands in one operation in each turn of the event loop, `ms` apart. */
  const inTurns = async (names: readonly string[], ms: number): Promise<number> => {
    const before = commits;
    const puts: Promise<unknown>[] = [];
    for (const name of names) {
      puts.push(put(name));
      // oxlint-disable-next-line no-await-in-loop
      await setImmediate();
      now += ms;
    }
    await Promise.all(puts);
    return commits - before;
  };
  // Nothing is known of the disk yet: the first one waits for none.
  expect(await inTurns(["a"], 0)).toBe(1);
  expect(await inTurns(["b", "c", "d", "e"], 10)).toBe(1);
  // 30 ms after the first, 60 are over half of 100.
  expect(await inTurns(["f", "g", "h", "i"], 30)).toBe(2);
  flushMs = 0;
  await put("j");
  expect(await inTurns(["k", "l", "m"], 1)).toBe(3);
  expect(names().join("")).toBe("abcdefghijklm");
});

test("a disk that cannot be asked what it has left fails the group, not the ones after it", async () => {
  let free = (): number => {
    throw new Error("ENOENT: no such file or directory, statfs");
  };
  const writer = new Writer(tables.env, () => free());
  const put = (name: string) => writer.run(() => write(name));
  await expect(put("a")).rejects.toThrow("statfs");
  free = () => Infinity;
  await put("b");
  expect(names()).toEqual(["b"]);
});
