import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemIds } from "#core/ids";
import type { Blobs } from "#storage/blobs";
import { zip } from "../../../test/engine/zip.ts";
import type { ZipEntry } from "../../../test/engine/zip.ts";
import { CodeStore } from "./store.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thaw-code-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

let next = 0;
async function prepare(archive: Buffer): Promise<string> {
  const blob = `blob${next++}`;
  await writeFile(join(folder, blob), archive);
  const store = new CodeStore({
    folder: join(folder, "code"),
    blobs: { path: async (id: string) => join(folder, id) } as unknown as Blobs,
    ids: systemIds,
  });
  await store.clean();
  return store.prepare({ blob, sha256: "", bytes: archive.length });
}

/** As a power cut leaves what was written last. */
async function emptied(path: string): Promise<void> {
  await rm(path, { recursive: true });
  await writeFile(path, "");
}

const unzipFailed = {
  code: "InvalidParameterValueException",
  message: "Could not unzip uploaded file. Please check your file, then try to upload again.",
};

describe("the code store", () => {
  it("unpacks files, folders, executables and links within the tree", async () => {
    const path = await prepare(
      zip([
        { name: "lib/", mode: 0o040755 },
        { name: "lib/a.txt", data: "a" },
        { name: "deep/er/run", data: "#!/bin/sh\n", mode: 0o100755 },
        { name: "deep/link", data: "../lib/a.txt", mode: 0o120777 },
      ]),
    );
    expect(await readFile(join(path, "deep/link"), "utf8")).toBe("a");
    expect(await readlink(join(path, "deep/link"))).toBe("../lib/a.txt");
    expect((await stat(join(path, "deep/er/run"))).mode & 0o777).toBe(0o555);
    expect((await stat(join(path, "lib/a.txt"))).mode & 0o777).toBe(0o444);
    expect((await stat(join(path, "lib/a.txt"))).mtime.getUTCFullYear()).toBeGreaterThanOrEqual(2000);
  });

  const refused: readonly (readonly [string, readonly ZipEntry[]])[] = [
    ["a name that climbs", [{ name: "../out.txt", data: "x" }]],
    ["a name that climbs from within", [{ name: "a/../../out.txt", data: "x" }]],
    ["a name that climbs with backslashes", [{ name: "..\\out.txt", data: "x" }]],
    ["an absolute name", [{ name: "/tmp/out.txt", data: "x" }]],
    ["a link to an absolute path", [{ name: "l", data: "/etc/passwd", mode: 0o120777 }]],
    ["a link out of the tree", [{ name: "a/l", data: "../../x", mode: 0o120777 }]],
    [
      "a link out of the tree through another link",
      [
        { name: "a/up", data: "..", mode: 0o120777 },
        { name: "l", data: "a/up/../..", mode: 0o120777 },
      ],
    ],
    [
      "a file written through a link",
      [
        { name: "l", data: ".", mode: 0o120777 },
        { name: "l/x", data: "x" },
      ],
    ],
    ["a device", [{ name: "d", mode: 0o020644 }]],
    ["a fifo", [{ name: "f", mode: 0o010644 }]],
    [
      "two files of one name",
      [
        { name: "a", data: "1" },
        { name: "a", data: "2" },
      ],
    ],
    [
      "two files of one name, written differently",
      [
        { name: "a/b", data: "1" },
        { name: "a//b", data: "2" },
      ],
    ],
    [
      "a file that is also a folder",
      [
        { name: "a", data: "1" },
        { name: "a/b", data: "2" },
      ],
    ],
    [
      "a header that lies about the size",
      [{ name: "bomb", data: Buffer.alloc(1_000_000), declaredSize: 10 }],
    ],
  ];

  it.each(refused)("refuses %s and leaves nothing behind", async (_what, entries) => {
    await expect(prepare(zip(entries))).rejects.toMatchObject(unzipFailed);
    expect(await readdir(join(folder, "code"))).toEqual([]);
  });

  it("refuses what is no archive, and half of one", async () => {
    await expect(prepare(Buffer.from("no zip"))).rejects.toMatchObject(unzipFailed);
    const whole = zip([{ name: "a", data: "hello" }]);
    await expect(prepare(whole.subarray(0, whole.length - 10))).rejects.toMatchObject(unzipFailed);
  });

  it("refuses more than 250 MB, before it is written", async () => {
    await expect(prepare(zip([{ name: "a", data: "x", declaredSize: 262_144_001 }]))).rejects.toMatchObject({
      code: "InvalidParameterValueException",
      message: "Unzipped size must be smaller than 262144000 bytes",
    });
  });

  describe("what an earlier process unpacked", () => {
    const packages = ["one", "two"];
    /** A store of a new process, over the same folder; the packages' archives are there unless `archives` says otherwise. */
    async function restarted(archives = true): Promise<CodeStore> {
      const path = async (id: string) => join(folder, archives ? id : "gone");
      const blobs = { path } as unknown as Blobs;
      const store = new CodeStore({ folder: join(folder, "code"), blobs, ids: systemIds });
      await store.clean();
      return store;
    }
    const code = (blob: string) => ({ blob, sha256: "", bytes: 0 });
    const layers = packages.map((blob) => code(blob));
    beforeEach(async () => {
      for (const name of packages) {
        const entries = [
          { name: "lib/", mode: 0o040755 },
          { name: `lib/${name}.txt`, data: name },
          { name, data: `lib/${name}.txt`, mode: 0o120777 },
        ];
        await writeFile(join(folder, name), zip(entries));
      }
      const store = await restarted();
      await store.prepareLayers(layers);
    });

    it("is taken as it is where it is whole, and its size is known", async () => {
      const before = (await stat(join(folder, "code", "one"))).ino;
      const store = await restarted();
      expect(await store.unpackedBytes(code("one"))).toBe(3);
      expect((await stat(join(folder, "code", "one"))).ino).toBe(before);
    });

    it.each([
      ["a file was emptied", (one: string) => emptied(join(one, "lib/one.txt"))],
      ["a file is missing", (one: string) => rm(join(one, "lib/one.txt"))],
      ["a link is missing", (one: string) => rm(join(one, "one"))],
      ["a folder is missing", (one: string) => rm(join(one, "lib"), { recursive: true })],
      ["a folder is a file", (one: string) => emptied(join(one, "lib"))],
    ])("is unpacked anew where %s, with the layers that were merged of it", async (_, damage) => {
      await damage(join(folder, "code", "one"));
      const store = await restarted();
      const merged = (await store.prepareLayers(layers)) ?? "";
      for (const path of [await store.prepare(code("one")), merged])
        expect(await readFile(join(path, "one"), "utf8")).toBe("one");
      expect(await readFile(join(merged, "lib/two.txt"), "utf8")).toBe("two");
      expect(await store.unpackedBytes(code("one"))).toBe(3);
      expect((await readdir(join(folder, "code"))).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    });

    it("is taken as it is where its archive is not there to tell", async () => {
      await emptied(join(folder, "code", "one", "lib/one.txt"));
      const store = await restarted(false);
      expect(await readFile(join(await store.prepare(code("one")), "one"), "utf8")).toBe("");
      expect(await store.unpackedBytes(code("one"))).toBe(0);
    });
  });

  it("shares the work of callers at the same time, and clears what a crash left", async () => {
    const archive = zip([{ name: "a", data: "x" }]);
    await writeFile(join(folder, "shared"), archive);
    let opened = 0;
    const store = new CodeStore({
      folder: join(folder, "code"),
      blobs: {
        path: async (id: string) => {
          opened++;
          return join(folder, id);
        },
      } as unknown as Blobs,
      ids: systemIds,
    });
    await store.clean();
    await writeFile(join(folder, "code", "left.tmp"), "");
    await store.clean();
    const code = { blob: "shared", sha256: "", bytes: archive.length };
    const paths = await Promise.all([store.prepare(code), store.prepare(code), store.prepare(code)]);
    expect(new Set(paths).size).toBe(1);
    expect(opened).toBe(1);
    expect(await readdir(join(folder, "code"))).toEqual(["shared"]);
  });
});
