import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Tests mostly wait: for processes, for disks, for each other's answers. */
const WORKERS = Math.max(2, availableParallelism());

/** Those that count what the host has (processes, links, mounts) or use all of it: they run when nothing else does. */
const COUNTING = [
  "test/scale/**/*.test.ts",
  "test/sandbox-network/**/*.test.ts",
  "test/conformance/sandbox/**/*.test.ts",
  "test/engine/leaks.test.ts",
  "test/security/escape/limits.test.ts",
  "test/security/escape/exhaustion.test.ts",
];

export default defineConfig({
  test: {
    // The tests' own clients warn on every start under Node.js 20; what they say hides what tests say.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    globalSetup: "test/support/run-folder.ts",
    // What is waited for comes at once, but where the machine has other work.
    expect: { poll: { timeout: 25_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["src/**/*.test.ts"],
          // Nothing is kept in modules: files need not have processes of their own, which took as long as the tests.
          isolate: false,
          testTimeout: 30_000,
          maxWorkers: WORKERS,
        },
      },
      {
        extends: true,
        test: {
          name: "system",
          include: ["test/**/*.test.ts"],
          exclude: COUNTING,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: WORKERS,
        },
      },
      {
        extends: true,
        test: {
          name: "host",
          include: COUNTING,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
          maxWorkers: 1,
        },
      },
    ],
  },
});
