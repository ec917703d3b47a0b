import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { zip } from "../../../test/engine/zip.ts";
import type { ZipEntry } from "../../../test/engine/zip.ts";
import { unzip } from "./unzip.ts";

const limits = { bytes: 20_000_000, entries: 1_000 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thaw-unzip-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Unpacks into a folder of its own, within one that must have nothing else in it afterwards. */
async function unpack(archive: Buffer): Promise<{ target: string; bytes: number }> {
  const around = await mkdtemp(join(folder, "around-"));
  const target = await mkdtemp(join(around, "target-"));
  const file = `${around}.zip`;
  await writeFile(file, archive);
  try {
    return { target, bytes: await unzip(file, target, limits) };
  } finally {
    expect(await readdir(around)).toHaveLength(1);
  }
}

describe("unpacking an archive", () => {
  // Around the 256 KB up to which files are unpacked in one go, and the 512 KB that are read at once.
  const sizes = [0, 1, 262_143, 262_144, 262_145, 524_288, 3_000_000];

  it.each([0, 8])("writes files of every size, by the way of compression %i", async (method) => {
    const files = sizes.flatMap((size) => [
      { name: `zeroes/${size}`, data: Buffer.alloc(size), method },
      { name: `random/${size}`, data: randomBytes(size), method },
    ]);
    const { target, bytes } = await unpack(zip(files));
    expect(bytes).toBe(2 * sizes.reduce((sum, size) => sum + size, 0));
    for (const { name, data } of files) {
      expect((await readFile(join(target, name))).equals(data), name).toBe(true);
      expect((await stat(join(target, name))).mtime.toISOString(), name).toBe("2025-01-01T00:00:00.000Z");
    }
  });

  it.each(["Asia/Tokyo", "America/Los_Angeles"])(
    "gives files the same times on a host in %s",
    async (zone) => {
      vi.stubEnv("TZ", zone);
      try {
        const { target } = await unpack(zip([{ name: "a", data: "a" }]));
        expect((await stat(join(target, "a"))).mtime.toISOString()).toBe("2025-01-01T00:00:00.000Z");
      } finally {
        vi.unstubAllEnvs();
      }
    },
  );

  it("reads entries in whatever order the directory has them", async () => {
    const names = ["c", "a", "b"];
    const archive = zip(names.map((name) => ({ name, data: name.repeat(10) })));
    // Their directory, whose entries are 47 bytes long, the other way round.
    const start = archive.readUInt32LE(archive.length - 6);
    const entries = [2, 1, 0].map((at) =>
      Buffer.from(archive.subarray(start + at * 47, start + at * 47 + 47)),
    );
    Buffer.concat(entries).copy(archive, start);
    const { target } = await unpack(archive);
    for (const name of names) expect(await readFile(join(target, name), "utf8")).toBe(name.repeat(10));
  });

  it("takes names that only begin with dots", async () => {
    const names = ["..data/..one", "...", ".a/..b"];
    const { target } = await unpack(zip(names.map((name) => ({ name, data: name }))));
    for (const name of names) expect(await readFile(join(target, name), "utf8")).toBe(name);
  });

  const refused: readonly (readonly [string, readonly ZipEntry[]])[] = [
    ["a small file that is longer than its header says", [{ name: "a", data: "abc", declaredSize: 2 }]],
    ["a small file that is shorter than its header says", [{ name: "a", data: "abc", declaredSize: 4 }]],
    [
      "a large file that is longer than its header says",
      [{ name: "a", data: Buffer.alloc(2_000_000), declaredSize: 1_000_000 }],
    ],
    [
      "a large file that is shorter than its header says",
      [{ name: "a", data: Buffer.alloc(1_000_000), declaredSize: 2_000_000 }],
    ],
    ["a small file that was damaged", [{ name: "a", data: "abc", declaredCrc: 1 }]],
    ["a small stored file that was damaged", [{ name: "a", data: "abc", declaredCrc: 1, method: 0 }]],
    ["a large file that was damaged", [{ name: "a", data: Buffer.alloc(1_000_000), declaredCrc: 1 }]],
    ["a link that was damaged", [{ name: "a", data: "b", declaredCrc: 1, mode: 0o120777 }]],
    ["a way of compression that is not known", [{ name: "a", data: "abc", method: 12 }]],
    [
      "files that are the same bytes",
      [
        { name: "a", data: "a".repeat(1_000), method: 0 },
        { name: "b", data: "a".repeat(1_000), method: 0, declaredOffset: 0, absent: true },
      ],
    ],
    ["a header that is not where the directory says", [{ name: "a", data: "abc", declaredOffset: 1 }]],
    ["a header after the archive", [{ name: "a", data: "abc", declaredOffset: 4_000_000_000 }]],
    [
      "folders without end in names",
      Array.from({ length: 2 }, (_, at) => ({ name: `${at}/${"a/".repeat(600)}f`, data: "" })),
    ],
  ];

  it.each(refused)("refuses %s", async (_, entries) => {
    await expect(unpack(zip(entries))).rejects.toMatchObject({ name: "BadArchive", kind: "broken" });
  });

  it("refuses a few long names that speak of thousands of deep folders, before any is made", async () => {
    // The archive is a small one, and each of its folders takes the system half a millisecond.
    const names = Array.from({ length: 5 }, (_, at) => ({ name: `${at}/${"a/".repeat(1_900)}f`, data: "" }));
    const file = join(folder, "deep.zip");
    await writeFile(file, zip(names));
    const target = await mkdtemp(join(folder, "target-"));
    const refusal = { name: "BadArchive", kind: "broken" };
    await expect(unzip(file, target, { ...limits, entries: 200_000 })).rejects.toMatchObject(refusal);
    expect(await readdir(target)).toEqual([]);
  });

  it("tells of bytes that are not there as of an archive that is broken", async () => {
    const whole = zip([{ name: "a", data: randomBytes(1_000_000) }]);
    for (const cut of [whole.subarray(500_000), Buffer.alloc(0), whole.subarray(0, 500_000)])
      await expect(unpack(cut)).rejects.toMatchObject({ name: "BadArchive", kind: "broken" });
  });

  it.runIf(process.platform === "linux")(
    "does not tell of this host's trouble as of the archive's",
    async () => {
      const file = join(folder, "a.zip");
      await writeFile(file, zip([{ name: "a", data: "a" }]));
      await expect(unzip(file, "/sys", limits)).rejects.toMatchObject({ name: "Error", syscall: "open" });
    },
  );

  const whole = zip([
    { name: "lib/", mode: 0o040755 },
    { name: "lib/a.txt", data: "a".repeat(300) },
    { name: "lib/b.txt", data: "b", method: 0 },
    { name: "link", data: "lib/a.txt", mode: 0o120777 },
  ]);

  it("unpacks or refuses whatever it is given, and writes nothing outside", async () => {
    const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(changes, fc.nat(whole.length), async (changed, cut) => {
        const archive = Buffer.from(whole);
        for (const [at, byte] of changed) archive[at] = byte;
        // Most cuts only lose the end of the directory: half of the archives stay as long as they were.
        const given = cut % 2 === 0 ? archive : archive.subarray(0, cut);
        const outcome = await unpack(given).catch((error: unknown) => error as Error);
        if (outcome instanceof Error) expect(outcome.name, outcome.message).toBe("BadArchive");
      }),
    );
  });
});
