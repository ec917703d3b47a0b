import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packLayer } from "./layers.ts";

let guide: string;
beforeAll(async () => {
  guide = await mkdtemp(join(tmpdir(), "thaw-layers-"));
  await mkdir(join(guide, "layer", "python", "shared", "__pycache__"), { recursive: true });
  await writeFile(join(guide, "layer", "python", "shared", "code.py"), "answer = 42\n");
});
afterAll(() => rm(guide, { recursive: true }));

it("packs a folder's Python, the same bytes each time, whatever Python compiled meanwhile", async () => {
  const description = { name: "shared", folder: "layer" };
  const before = await packLayer(guide, description);
  await writeFile(join(guide, "layer", "python", "shared", "__pycache__", "code.pyc"), "compiled");
  expect(await packLayer(guide, description)).toEqual(before);
  expect(before).toMatchObject({ name: "shared", runtime: undefined });
  const { zip } = before as { zip: Buffer };
  expect(zip.includes("python/shared/code.py")).toBe(true);
});

it("names the package that the host lacks", async () => {
  const hostPackages: [string, ...string[]] = ["thaw_has_no_such_package", "json"];
  expect(await packLayer(guide, { name: "none", hostPackages })).toBe("thaw_has_no_such_package");
});
