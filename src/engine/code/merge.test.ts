import { mkdir, mkdtemp, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { mergeFolders } from "./merge.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "thaw-merge-"));
  await mkdir(join(root, "opt"));
});

afterEach(() => rm(root, { recursive: true }));

async function layer(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name, path)), { recursive: true });
    await writeFile(join(root, name, path), text);
  }
  return join(root, name);
}

const read = (path: string): Promise<string> => readFile(join(root, "opt", path), "utf8");

it("unites folders, and lets a later layer replace an earlier one's file", async () => {
  const folders = [
    await layer("a", { "python/one.py": "a1", "python/two.py": "a2" }),
    await layer("b", { "python/two.py": "b2", "bin/tool": "b" }),
  ];
  await mergeFolders(folders, join(root, "opt"));
  expect(await Promise.all(["python/one.py", "python/two.py", "bin/tool"].map(read))).toEqual([
    "a1",
    "b2",
    "b",
  ]);
  expect(await readFile(join(root, "a/python/two.py"), "utf8")).toBe("a2");
});

it("replaces a file by a folder, a folder by a file, and follows no link of an earlier layer", async () => {
  const outside = await layer("outside", { secret: "kept" });
  const first = await layer("a", { thing: "file", "folder/x": "x" });
  await symlink(outside, join(first, "way"));
  const second = await layer("b", { "thing/inner": "i", folder: "now a file", "way/secret": "mine" });
  await symlink("inner", join(second, "thing/link"));
  await mergeFolders([first, second], join(root, "opt"));
  expect(await Promise.all(["thing/inner", "folder", "way/secret"].map(read))).toEqual([
    "i",
    "now a file",
    "mine",
  ]);
  expect(await readlink(join(root, "opt/thing/link"))).toBe("inner");
  expect(await readFile(join(outside, "secret"), "utf8")).toBe("kept");
});
