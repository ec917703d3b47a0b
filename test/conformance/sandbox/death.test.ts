import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "#core/clock";
import { instanceTag } from "#engine/sandbox/bubblewrap/backend";
import { bubblewrapUsable } from "#engine/sandbox/bubblewrap/usable";
import { findCgroups } from "#engine/sandbox/cgroups/find";
import { bundled } from "../../support/bundled.ts";
import { ociUsable, runs } from "./support.ts";

const use = await bubblewrapUsable();

const CASES = [
  { kind: "bubblewrap", usable: use.usable },
  { kind: "oci", usable: use.usable && (await ociUsable("crun")) },
  { kind: "process", usable: process.platform === "linux" },
] as const;

describe("a platform that is killed", () => {
  let programs = "";
  let platform = "";
  beforeAll(async () => {
    programs = mkdtempSync(join(tmpdir(), "thaw-programs-"));
    platform = await bundled(fileURLToPath(new URL("./guests.ts", import.meta.url)), programs);
  });
  afterAll(() => rmSync(programs, { recursive: true, force: true }));

  for (const { kind, usable } of CASES)
    it.skipIf(!usable)(`leaves no guest of ${kind} running, busy or frozen`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "thaw-death-"));
      const mark = `${process.pid}.${kind.length}`;
      // It neither reads its descriptors nor heeds signals.
      const script = `trap "" TERM HUP INT; echo x >&4; while :; do sleep ${mark}; done`;
      const child = spawn(process.execPath, [platform, kind, folder, script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      try {
        let said = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          said += text;
        });
        await vi.waitFor(() => expect(said).toBe("ready\nready\n"), { timeout: 60_000, interval: 20 });
        await vi.waitFor(async () => expect(await runs(`sleep\0${mark}`)).toBe(true), { timeout: 20_000 });
        child.kill("SIGKILL");
        await vi.waitFor(
          async () => {
            // Neither guests nor the spawner, whose mounts would show.
            expect(await runs(`sleep\0${mark}`)).toBe(false);
            expect(await runs(folder)).toBe(false);
          },
          { timeout: 30_000, interval: 50 },
        );
        expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(folder);
      } finally {
        child.kill("SIGKILL");
        // Empty control groups stay until a platform of the same data folder starts, which this one does not.
        const cgroups = findCgroups({ instance: instanceTag(folder), clock: systemClock });
        await cgroups?.clean();
        await cgroups?.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });
});
