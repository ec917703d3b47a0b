import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { pythonGuest } from "./python-guest.ts";

const PYTHON = "/usr/bin/python3";
const source = resolve(import.meta.dirname, "../../../guest/python");
const root = mkdtempSync(join(tmpdir(), "thaw-python-guest-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it.skipIf(!existsSync(PYTHON))("has every module compiled by the interpreter", async () => {
  const guest = await pythonGuest({ python: PYTHON, source, folder: join(root, "guest") });
  expect(guest).toBe(join(root, "guest"));
  const names = (folder: string): Set<string | undefined> =>
    new Set(
      readdirSync(folder)
        .filter((name) => /\.pyc?$/.test(name))
        .map((name) => name.split(".")[0]),
    );
  expect(names(join(guest, "_lambda", "__pycache__"))).toEqual(names(join(source, "_lambda")));
});

it("is the source itself where it cannot be compiled", async () => {
  const python = join(root, "no-such-interpreter");
  expect(await pythonGuest({ python, source, folder: join(root, "other") })).toBe(source);
  expect(readdirSync(root).filter((name) => name.startsWith("other"))).toEqual([]);
});
