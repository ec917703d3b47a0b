import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { processBackend } from "#engine/sandbox/process/backend";
import { openBench } from "./support.ts";
import { until } from "../support/until.ts";

/** Processes whose command line or environment names `folder`. */
function processesOf(folder: string): string[] {
  const all = execFileSync("ps", ["axeww", "-o", "pid=,args="], { encoding: "utf8", maxBuffer: 64e6 });
  return all.split("\n").filter((line) => line.includes(folder) && !line.includes(" ps axeww"));
}

const descriptors = (): number => readdirSync("/proc/self/fd").length;

describe.skipIf(process.platform !== "linux")("nothing stays behind", () => {
  it("after 200 environments, many of them killed, some with runaway children", async () => {
    const bench = await openBench();
    const spec = await bench.spec(
      {
        "index.js": `const { spawn } = require("node:child_process");
          exports.handler = async ({ n }) => {
            if (n % 20 === 0) spawn("sleep", ["300"], { detached: true, stdio: "inherit" }).unref();
            if (n % 4 === 1) process.exit(1);
            if (n % 4 === 2) process.kill(process.pid, "SIGKILL");
            if (n % 4 === 3 && n < 20) return new Promise(() => setTimeout(() => {}, 60000));
            return n;
          };`,
      },
      { timeoutMs: 1000 },
    );
    await bench.invoke(spec, { n: 4 });
    bench.engine.retire(spec.id);
    const before = descriptors();
    for (let round = 0; round < 20; round++) {
      const numbers = Array.from({ length: 10 }, (_, index) => round * 10 + index);
      // Specs of their own, so that each event has an environment of its own.
      await Promise.all(
        numbers.map(async (n) => {
          const own = { ...spec, id: `${spec.id}-${n}` };
          await bench.invoke(own, { n });
          bench.engine.retire(own.id);
        }),
      );
    }
    await vi.waitFor(
      () => {
        expect(bench.engine.status()).toEqual({ environments: 0, busy: 0, running: 0 });
        expect(readdirSync(join(bench.folder, "environments"))).toEqual([]);
        expect(processesOf(bench.folder)).toEqual([]);
        expect(descriptors()).toBeLessThanOrEqual(before + 2);
      },
      { timeout: 20_000, interval: 200 },
    );
    await bench.close();
  });

  it("after a close that cuts off what runs", async () => {
    const bench = await openBench();
    const spec = await bench.spec({
      "index.js": "exports.handler = () => new Promise(() => setTimeout(() => {}, 60000));",
    });
    const running = bench.invoke(spec);
    await until(() => expect(bench.lines.some((line) => line.message.startsWith("START"))).toBe(true));
    await bench.engine.close(0);
    expect((await running).functionError).toBe("Unhandled");
    expect(processesOf(bench.folder)).toEqual([]);
    expect(readdirSync(join(bench.folder, "environments"))).toEqual([]);
    await bench.close();
  });

  it("of a platform that died: the next one ends its environments", async () => {
    const folder = await mkdtemp(join(tmpdir(), "thaw-crashed-"));
    const environments = join(folder, "environments");
    const tmp = join(environments, "abc", "tmp");
    await mkdir(tmp, { recursive: true });
    const left = spawn("sleep", ["300"], {
      detached: true,
      stdio: "ignore",
      env: { PATH: "/usr/bin:/bin", TMPDIR: tmp },
    });
    const ended = once(left, "exit");
    await until(() => expect(processesOf(folder)).toHaveLength(1));
    await processBackend({ folder: environments }).clean();
    expect((await ended)[1]).toBe("SIGKILL");
    expect(readdirSync(environments)).toEqual([]);
    await rm(folder, { recursive: true });
  });
});
