import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";

import type { Storage } from "../storage.ts";
import { openLocalStorage } from "./open.ts";

let folder: string;
const opened: Storage[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thaw-test-"));
});

afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(): Promise<Storage> {
  const storage = await openLocalStorage({ folder, clock: new ManualClock(), ids: systemIds });
  opened.push(storage);
  return storage;
}

const at = (...rest: string[]) => ["000000000000", "us-east-1", ...rest] as [string, string, string];

test("what was written is there after a close and an open", async () => {
  const first = await open();
  const [revision] = await first.documents.commit([{ key: at("function", "a"), value: { x: 1 } }]);
  await first.queue.append([{ queue: at("queue"), body: Buffer.from("hello") }]);
  await first.journal.append([
    { stream: at("logs", "a"), records: [{ time: 5, body: Buffer.from("line") }] },
  ]);
  const { id } = await first.blobs.put(Buffer.from("bytes"));
  await first.close();
  const second = await open();
  expect(second.documents.get(at("function", "a"))).toEqual({
    key: at("function", "a"),
    value: { x: 1 },
    revision,
  });
  expect((await second.queue.receive(at("queue"), 10, 1000)).map(({ body }) => String(body))).toEqual([
    "hello",
  ]);
  const lines = await second.journal.read(at("logs", "a"));
  expect(lines.map(({ time, sequence, body }) => [time, sequence, String(body)])).toEqual([[5, 0, "line"]]);
  expect(String(await second.blobs.get(id))).toBe("bytes");
});

test("a folder in use is refused with the folder and the holder's pid", async () => {
  await open();
  await expect(open()).rejects.toThrow(new RegExp(`${folder} is in use by process ${process.pid}`));
});

test("a folder that cannot be made is refused", async () => {
  const options = { clock: new ManualClock(), ids: systemIds };
  await writeFile(join(folder, "file"), "");
  for (const impossible of [join(folder, "file"), join(folder, "file", "data"), "/proc/nowhere/data"])
    await expect(openLocalStorage({ ...options, folder: impossible })).rejects.toThrow("cannot be made");
});

test("a folder that is not a data folder is refused", async () => {
  await writeFile(join(folder, "thesis.txt"), "work of years");
  await expect(open()).rejects.toThrow(/not a data folder/);
});

test.each([
  ["newer", '{"product":"thaw","format":99,"ready":true}', /written by a newer Thaw/],
  ["damaged", "\0\0\0", /damaged: its VERSION/],
])("a %s VERSION is refused", async (_, text, message) => {
  await (await open()).close();
  await writeFile(join(folder, "VERSION"), text);
  await expect(open()).rejects.toThrow(message);
});

test.each([
  ["missing", undefined],
  ["garbage", Buffer.alloc(65536, 7)],
  ["empty", Buffer.alloc(0)],
])("a database that is %s is refused", async (_, bytes) => {
  await (await open()).close();
  if (bytes === undefined) await rm(join(folder, "state.mdb"));
  else await writeFile(join(folder, "state.mdb"), bytes);
  await expect(open()).rejects.toThrow(/is damaged: state.mdb/);
});

test("reset empties all four ports and keeps them usable; revisions go on", async () => {
  const storage = await open();
  const key = at("function", "a");
  const [before = 0] = await storage.documents.commit([{ key, value: 1 }]);
  await storage.queue.append([{ queue: at("queue"), body: Buffer.from("x") }]);
  const append = () =>
    storage.journal.append([{ stream: at("logs"), records: [{ time: 1, body: Buffer.from("x") }] }]);
  await append();
  const { id } = await storage.blobs.put(Buffer.from("x"));
  await storage.reset();
  expect([...storage.documents.list(["000000000000"])]).toEqual([]);
  expect(storage.queue.queues([])).toEqual([]);
  expect(storage.journal.streams([])).toEqual([]);
  expect(await storage.blobs.has(id)).toBe(false);
  const [after = 0] = await storage.documents.commit([{ key, value: 1 }]);
  expect(after).toBeGreaterThan(before);
  await append();
  expect(await storage.journal.read(at("logs"))).toHaveLength(1);
});

test("temporary folders of platforms that were killed go with the next one, and no other folder", async () => {
  vi.stubEnv("TMPDIR", folder);
  try {
    const openEphemeral = async (): Promise<Storage> => {
      const storage = await openLocalStorage({
        folder: "",
        ephemeral: true,
        clock: new ManualClock(),
        ids: systemIds,
      });
      opened.push(storage);
      return storage;
    };
    const old = new Date(Date.now() - 3_600_000);
    const runs = await openEphemeral();
    await utimes(join(runs.folder, "lock"), old, old);
    for (const name of ["thaw-ephemeral-killed", "thaw-ephemeral-begins", "another"]) {
      await mkdir(join(folder, name, "lock"), { recursive: true });
      // What is left of the socket of a process that is gone.
      await writeFile(join(folder, name, "lock", "1-00000000"), "");
      await writeFile(join(folder, name, "state.mdb"), "");
      if (!name.endsWith("begins")) await utimes(join(folder, name, "lock"), old, old);
    }
    await mkdir(join(folder, "thaw-ephemeral-unlocked"));
    const next = await openEphemeral();
    await next.close();
    expect((await readdir(folder)).map((name) => join(folder, name)).toSorted()).toEqual(
      [
        join(folder, "another"),
        runs.folder,
        join(folder, "thaw-ephemeral-begins"),
        join(folder, "thaw-ephemeral-unlocked"),
      ].toSorted(),
    );
    await runs.documents.commit([{ key: at("function", "a"), value: { x: 1 } }]);
  } finally {
    vi.unstubAllEnvs();
  }
});
