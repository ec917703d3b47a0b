import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import module, { builtinModules } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ensureBuilt } from "../support/built.ts";
import { run } from "../support/tools.ts";
import { temporaryFolder } from "./support.ts";

const folder = temporaryFolder();

/** The names in `import … from "name"` and `createRequire(import.meta.url)("name")`. */
const IMPORTED =
  /^(?:(?:import|export)\b[^"';]*|.*\bcreateRequire\(import\.meta\.url\)\()["']([^"']+)["']\)?;$/gm;

/** Everything that a built program loads before it runs: files of `dist`, and names of packages. */
function loadedBy(dist: string, program: string): { files: Set<string>; packages: Set<string> } {
  const [files, packages] = [new Set<string>(), new Set<string>()];
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const text = readFileSync(join(dist, file), "utf8");
    for (const [, named] of text.matchAll(IMPORTED)) {
      const name = named ?? "";
      if (name.startsWith("./")) visit(name.slice(2));
      else if (!name.startsWith("node:") && !builtinModules.includes(name)) packages.add(name);
    }
  };
  visit(program);
  return { files, packages };
}

// Each file is found, opened and compiled by itself: hundreds of them took more time than all else that a start does. What
// programs share is in files of its own, a handful of each program's.
it.each([
  ["the platform", "start.chunk.js", ["lmdb"]],
  ["the command line", "program.chunk.js", []],
  ["the spawner", "spawner-main.js", []],
  ["the thread that unpacks archives", "unzip-worker.js", []],
  ["the thread that reads large bodies", "deserialise-worker.js", []],
])("%s starts from few files", async (_, program, packages) => {
  const loaded = loadedBy(await ensureBuilt(), program);
  expect(loaded.files.size).toBeLessThanOrEqual(20);
  expect([...loaded.packages]).toEqual(packages);
});

it("only talking to a platform loads nothing of it", async () => {
  const dist = await ensureBuilt();
  expect([...loadedBy(dist, "program.chunk.js").files]).not.toContain("start.chunk.js");
});

describe("what was compiled", () => {
  const version = async (cache: string) => {
    const main = join(await ensureBuilt(), "main.js");
    const { code, stderr } = await run(process.execPath, [main, "version"], { env: { THAW_CACHE: cache } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  };

  it.skipIf(!("enableCompileCache" in module))("is kept in the cache folder", async () => {
    const cache = join(folder, "cache");
    await version(cache);
    const kept = readdirSync(join(cache, "compiled"), { recursive: true, withFileTypes: true });
    expect(kept.filter((entry) => entry.isFile()).length).toBeGreaterThan(0);
    await version(cache);
  });

  it("is not missed where the cache folder cannot be written", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    await version(file);
  });
});
