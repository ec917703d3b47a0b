import { describe, expect, it } from "vitest";
import { runInVm, vmMissing } from "./vm.ts";
import type { VmOptions, VmResult } from "./vm.ts";

const missing = await vmMissing();
/** Runs unit tests there, and gives what vitest said of each. */
async function suite(paths: readonly string[], options: Partial<VmOptions> = {}): Promise<VmResult> {
  const args = ["run", "--project", "unit", "--reporter", "verbose", ...paths];
  return runInVm({ script: "node_modules/vitest/vitest.mjs", args, timeoutMs: 230_000, ...options });
}

/** The suites beside the sources, under a kernel that has version 2 only: this host may have either. */
describe.skipIf(missing !== undefined)(
  `under version 2 control groups (${missing ?? "in a virtual machine"})`,
  { timeout: 240_000 },
  () => {
    it("keeps root's limits", async () => {
      const { status, output } = await suite(["src/engine/sandbox/cgroups"]);
      expect(output).toMatch(/✓.*control groups, version 2 > ends the whole group/u);
      expect(status, output).toBe(0);
    });

    it("keeps an ordinary user's limits in a delegated group", async () => {
      const { status, output } = await suite(["src/engine/sandbox/cgroups"], { user: 1000 });
      expect(output).toMatch(/✓.*control groups, version 2 > ends the whole group/u);
      expect(status, output).toBe(0);
    });

    it("lets a function of 128 MB fill its /tmp", async () => {
      const { status, output } = await suite(["src/engine/sandbox/disk", "-t", "128 MB"]);
      expect(output).toMatch(/✓.*is filled by a function of 128 MB/u);
      expect(status, output).toBe(0);
    });
  },
);
