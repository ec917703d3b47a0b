import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isRunning } from "./run-folder.ts";

const root = resolve(fileURLToPath(new URL("../..", import.meta.url)));

/**
 * Builds `dist` where a source file is newer than it, and returns its path: for tests that start Thaw's own programs,
 * as Node 20 runs no TypeScript. Test workers run side by side: one builds, the others wait for it.
 */
export async function ensureBuilt(): Promise<string> {
  const dist = join(root, "dist");
  const lock = join(root, "node_modules/.thaw-build");
  while (!upToDate(dist)) {
    try {
      mkdirSync(lock);
    } catch {
      // A builder that was killed leaves its lock.
      if (!isHeld(lock)) rmSync(lock, { recursive: true, force: true });
      await sleep(50);
      continue;
    }
    try {
      writeFileSync(join(lock, "pid"), String(process.pid));
      if (upToDate(dist)) break;
      const build = spawnSync(process.execPath, [join(root, "tools/build.mjs")], {
        cwd: root,
        encoding: "utf8",
      });
      if (build.status !== 0) throw new Error(`the build failed:\n${build.stdout}${build.stderr}`);
      break;
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
  return dist;
}

/** Whether its builder lives, however long it takes on a busy machine; of one that has not said who it is yet, nothing is known. */
function isHeld(lock: string): boolean {
  try {
    const pid = join(lock, "pid");
    if (!existsSync(pid)) return Date.now() - statSync(lock).mtimeMs < 120_000;
    return isRunning(Number(readFileSync(pid, "utf8")));
  } catch {
    // It was let go of meanwhile.
    return true;
  }
}

function upToDate(dist: string): boolean {
  const stamp = join(dist, ".built");
  if (!existsSync(stamp)) return false;
  const built = statSync(stamp).mtimeMs;
  return readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .every((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs <= built);
}
