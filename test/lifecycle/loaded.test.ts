import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ensureBuilt } from "../support/built.ts";

/** Everything that a built program loads before it runs: files of `dist`, and names of packages. */
function loadedBy(dist: string, program: string): { files: Set<string>; packages: Set<string> } {
  const [files, packages] = [new Set<string>(), new Set<string>()];
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const text = readFileSync(join(dist, file), "utf8");
    for (const [, named] of text.matchAll(/^(?:import|export)\b[^"';]*["']([^"']+)["'];$/gm)) {
      const name = named ?? "";
      if (name.startsWith("./")) visit(name.slice(2));
      else if (!name.startsWith("node:") && !builtinModules.includes(name)) packages.add(name);
    }
  };
  visit(program);
  return { files, packages };
}

// Each file is found, opened and compiled by itself: hundreds of them took more time than all else that a start does.
it.each([
  ["the platform", "start.js", ["lmdb"]],
  ["the command line", "main.js", []],
  ["the spawner", "spawner-main.js", []],
  ["the thread that unpacks archives", "unzip-worker.js", []],
  ["the thread that reads large bodies", "deserialise-worker.js", []],
])("%s starts from few files", async (_, program, packages) => {
  const loaded = loadedBy(await ensureBuilt(), program);
  expect(loaded.files.size).toBeLessThanOrEqual(12);
  expect([...loaded.packages]).toEqual(packages);
});

it("only talking to a platform loads nothing of it", async () => {
  const dist = await ensureBuilt();
  expect([...loadedBy(dist, "main.js").files]).not.toContain("start.js");
});
