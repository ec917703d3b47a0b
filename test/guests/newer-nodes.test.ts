// The guest's own tests again, under the versions of Node.js that the one of this run is not: as Thaw fetches them.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { thaw } from "../cli/support.ts";
import { hasRegistry, registryVariables } from "../support/registry.ts";
import { run } from "../support/tools.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const OTHERS = ["22", "24"].filter((major) => !process.versions.node.startsWith(`${major}.`));

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: "passed" | "failed" | "skipped" | "pending";
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

describe.skipIf(!hasRegistry)("other versions of Node.js (npm registry)", { timeout: 300_000 }, () => {
  let cache: string;
  beforeAll(() => {
    cache = mkdtempSync(join(tmpdir(), "thaw-nodes-"));
  });
  afterAll(() => rmSync(cache, { recursive: true, force: true }));

  it.each(OTHERS)("%s: handlers, modules, streams, logs and errors", async (major) => {
    const name = `nodejs${major}.x`;
    const env = { ...registryVariables, THAW_CACHE: cache };
    const added = await thaw(["runtimes", "add", name, "--json"], { env });
    expect(added).toMatchObject({ code: 0 });
    const runtimes = JSON.parse(added.stdout) as readonly { name: string; path?: string; version?: string }[];
    const { path = "", version = "" } = runtimes.find((runtime) => runtime.name === name) ?? {};
    expect(path).toContain(cache);

    // As vitest writes the title that `describe.each` gives a group.
    const named = `'node ${version}'`;
    const report = join(cache, "report.json");
    const vitest = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "--project", "system"];
    const reporter = ["--reporter=json", `--outputFile=${report}`];
    const ran = await run(
      process.execPath,
      [...vitest, ...reporter, "--testNamePattern", named, "test/guests/node-"],
      { cwd: ROOT, env: { THAW_TEST_NODES: path, TMPDIR: tmpdir(), CI: "1" } },
    );
    const tests = (JSON.parse(readFileSync(report, "utf8")) as Report).testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ fullName }) => fullName.startsWith(named));
    expect(tests.filter(({ status }) => status === "failed")).toEqual([]);
    expect(ran).toMatchObject({ code: 0 });
    expect(tests.filter(({ status }) => status === "passed").length).toBeGreaterThan(50);
  });
});
