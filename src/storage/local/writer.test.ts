import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { RevisionConflict } from "../documents.ts";
import { openTables } from "./tables.ts";
import { StorageFull, Writer } from "./writer.ts";

test("a conflict or a full disk leaves the rest of its group alone, any other error undoes the whole group", async () => {
  const folder = await mkdtemp(join(tmpdir(), "thaw-writer-"));
  const tables = openTables(join(folder, "state.mdb"));
  const writer = new Writer(tables.env);
  const put = (name: string, error?: Error) =>
    writer.run(() => {
      if (error instanceof RevisionConflict) throw error;
      tables.messages.putSync(Buffer.from(name), Buffer.from("x"));
      if (error !== undefined) throw error;
    });
  const outcomes = async (...group: Promise<void>[]) =>
    (await Promise.allSettled(group)).map(({ status }) => status);
  const names = () => Array.from(tables.messages.getKeys(), String);
  try {
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
    const grown = full.run(() => tables.messages.putSync(Buffer.from("f"), Buffer.from("x")));
    const shrunk = full.shrink(() => tables.messages.removeSync(Buffer.from("a")));
    await expect(grown).rejects.toThrow(StorageFull);
    await shrunk;
    expect(names()).toEqual(["c"]);
    free = 1000;
    await expect(full.shrink(() => tables.messages.removeSync(Buffer.from("c")))).rejects.toThrow(
      StorageFull,
    );
    expect(names()).toEqual(["c"]);
  } finally {
    await tables.env.close();
    await rm(folder, { recursive: true, force: true });
  }
});
