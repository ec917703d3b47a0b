// Runs bundled test files in the machine, and prints what becomes of each test: `node guest.mjs PATTERN FILE…`. These are
// vitest's own runner and assertions without the server round them, which takes longer to start there than the tests take.
// What that server does for tests is missing: snapshots, mocked modules.
import { join } from "node:path";
import { startTests } from "@vitest/runner";
import type { Task } from "@vitest/runner";
import { getSuites, getTests, hasFailed } from "@vitest/runner/utils";
import { openRunFolder } from "../support/run-folder.ts";

/** For tests that say nothing themselves. */
const TIMEOUT_MS = 60_000;

const [pattern = "", ...files] = process.argv.slice(2);
const close = openRunFolder({ workers: false });
const results = await startTests(files, {
  config: {
    root: process.cwd(),
    setupFiles: [],
    name: undefined,
    passWithNoTests: false,
    testNamePattern: new RegExp(pattern, "u"),
    allowOnly: false,
    sequence: { seed: 0, hooks: "stack", setupFiles: "list" },
    chaiConfig: undefined,
    maxConcurrency: 1,
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
    retry: 0,
    includeTaskLocation: false,
    tags: [],
    tagsFilter: undefined,
    strictTags: false,
  },
  importFile: (file) => import(join(import.meta.dirname, file.replace(/\.ts$/u, ".mjs"))),
  onAfterRunTask: tell,
});
for (const test of getTests(results)) if (test.mode === "skip") tell(test);
// What failed outside of tests: imports and hooks.
for (const suite of getSuites(results)) if (suite.result?.errors !== undefined) tell(suite);
await close();
process.exit(hasFailed(results) ? 1 : 0);

function tell({ fullName, result, mode }: Task): void {
  const state = result?.state ?? mode;
  const mark = state === "pass" ? "✓" : state === "fail" ? "×" : "↓";
  const duration = result?.duration === undefined ? "" : ` ${Math.round(result.duration)}ms`;
  console.log(`${mark} ${fullName}${duration}`);
  for (const { stack, message, diff } of result?.errors ?? [])
    console.log(`${(stack ?? message).replace(/^ +at .*\/node_modules\/.*\n?/gmu, "")}\n${diff ?? ""}`);
}
