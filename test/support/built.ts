import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const root = join(import.meta.dirname, "..", "..");
const dist = join(root, "dist");

/** Builds where a source is newer than the last build, once for all of a run's workers. Resolves with the folder `dist`. */
export async function ensureBuilt(): Promise<string> {
  if (isFresh()) return dist;
  // Workers are processes of their own: a folder that only one can make is the lock between them.
  const lock = join(tmpdir(), `thaw-build-${Buffer.from(root).toString("base64url")}`);
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      await sleep(50);
      if (isFresh()) return dist;
    }
  }
  try {
    if (isFresh()) return dist;
    const built = spawnSync(process.execPath, [join(root, "tools/build.mjs")], { encoding: "utf8" });
    if (built.status !== 0) throw new Error(`the build failed:\n${built.stdout}${built.stderr}`);
    return dist;
  } finally {
    rmdirSync(lock);
  }
}

function isFresh(): boolean {
  const built = modified(join(dist, ".built"));
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  return sources.every(
    (name) => !name.endsWith(".ts") || name.endsWith(".test.ts") || modified(join(root, "src", name)) < built,
  );
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
