import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { ensureBuilt } from "../../../test/support/built.ts";
import { zip } from "../../../test/engine/zip.ts";
import { createUnzipThread } from "./unzip-thread.ts";

const limits = { bytes: 2_000_000, entries: 10 };
/** Does not compress, so that the archive is not a small one. */
const incompressible = randomBytes(300_000);

let folder: string;
let workerUrl: URL;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thaw-unzip-"));
  workerUrl = pathToFileURL(join(await ensureBuilt(), "unzip-worker.js"));
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function unpack(archive: Buffer, url: URL): Promise<string> {
  const target = await mkdtemp(join(folder, "target-"));
  const file = `${target}.zip`;
  await writeFile(file, archive);
  const thread = createUnzipThread({ clock: new ManualClock(), workerUrl: url });
  try {
    await thread.unzip(file, target, limits);
    return target;
  } finally {
    await thread.close();
  }
}

describe("the unzip thread", () => {
  it("unpacks a large archive", async () => {
    const target = await unpack(zip([{ name: "a/b", data: incompressible }]), workerUrl);
    expect((await readFile(join(target, "a/b"))).equals(incompressible)).toBe(true);
  });

  it("finds what it unpacked", async () => {
    const archive = zip([{ name: "a/b", data: incompressible }]);
    const target = await unpack(archive, workerUrl);
    const thread = createUnzipThread({ clock: new ManualClock(), workerUrl });
    try {
      expect(await thread.find(`${target}.zip`, target, limits)).toBe(incompressible.length);
      await rm(join(target, "a/b"));
      expect(await thread.find(`${target}.zip`, target, limits)).toBeUndefined();
    } finally {
      await thread.close();
    }
  });

  it("merges what it unpacked, in the thread or in place", async () => {
    const folders = [
      await unpack(zip([{ name: "a/b", data: incompressible }]), workerUrl),
      await unpack(zip([{ name: "a/b", data: "later" }]), workerUrl),
    ];
    for (const archiveBytes of [1_000, 1_000_000]) {
      const target = await mkdtemp(join(folder, "merged-"));
      const thread = createUnzipThread({ clock: new ManualClock(), workerUrl });
      try {
        await thread.merge(folders, target, archiveBytes);
        expect(await readFile(join(target, "a/b"), "utf8")).toBe("later");
        const missing = thread.merge([join(folder, "missing")], target, archiveBytes);
        await expect(missing).rejects.toMatchObject({ code: "ENOENT" });
      } finally {
        await thread.close();
      }
    }
  });

  it("refuses what `unzip` refuses, for the same reason", async () => {
    const climbs = zip([
      { name: "a", data: incompressible },
      { name: "../b", data: "x" },
    ]);
    await expect(unpack(climbs, workerUrl)).rejects.toMatchObject({ name: "BadArchive", kind: "broken" });
    const bomb = zip([
      { name: "a", data: incompressible },
      { name: "b", data: "x", declaredSize: 2_000_000 },
    ]);
    await expect(unpack(bomb, workerUrl)).rejects.toMatchObject({ name: "BadArchive", kind: "too-large" });
  });

  it("needs no thread for a small archive, and fails without harm where one cannot run", async () => {
    const missing = new URL("./missing.js", workerUrl);
    expect(await readdir(await unpack(zip([{ name: "a", data: "x" }]), missing))).toEqual(["a"]);
    await expect(unpack(zip([{ name: "a", data: incompressible }]), missing)).rejects.toMatchObject({
      name: "WorkerLost",
    });
  });
});
