// Writes docs/reference/coverage.md. What it says is gathered by the test that holds it current: the handlers are
// TypeScript, which only the test runner loads without a build.
import { spawnSync } from "node:child_process";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const runner = resolve(root, "node_modules/vitest/vitest.mjs");
const { status } = spawnSync(
  process.execPath,
  [runner, "run", "--project", "system", "test/reference/coverage.test.ts", "--update"],
  { cwd: root, stdio: "inherit" },
);
process.exitCode = status ?? 1;
