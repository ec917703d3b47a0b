import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { repository } from "./program.ts";
import { Vm, vmMissing } from "./vm.ts";

/** What only a machine that hangs needs: it is told of before vitest gives up. */
const [TASK_MS, TEST_MS] = [230_000, 240_000];

const missing = await vmMissing();

/** The test files of a folder of the repository's. */
function suite(folder: string): readonly string[] {
  const names = readdirSync(join(repository, folder)).filter((name) => name.endsWith(".test.ts"));
  return names.map((name) => join(folder, name));
}

/** The suites beside the sources, under a kernel that has version 2 only: this host may have either. */
describe.skipIf(missing !== undefined)(
  `under version 2 control groups (${missing ?? "in a virtual machine"})`,
  { timeout: TEST_MS },
  () => {
    let vm: Vm;
    beforeAll(async () => {
      // One machine for all: where it is emulated, its boot and each start of a program there take seconds.
      vm = await Vm.boot([
        { files: suite("src/engine/sandbox/cgroups") },
        { files: suite("src/engine/sandbox/cgroups"), user: 1000 },
        { files: suite("src/engine/sandbox/disk"), pattern: "128 MB" },
      ]);
      return async () => vm.end();
    }, TEST_MS);

    it("keeps root's limits", async () => {
      const { status, output } = await vm.result(1, TASK_MS);
      expect(output).toMatch(/✓.*control groups, version 2 > ends the whole group/u);
      expect(status, output).toBe(0);
    });

    it("keeps an ordinary user's limits in a delegated group", async () => {
      const { status, output } = await vm.result(2, TASK_MS);
      expect(output).toMatch(/✓.*control groups, version 2 > ends the whole group/u);
      expect(status, output).toBe(0);
    });

    it("lets a function of 128 MB fill its /tmp", async () => {
      const { status, output } = await vm.result(3, TASK_MS);
      expect(output).toMatch(/✓.*is filled by a function of 128 MB/u);
      expect(status, output).toBe(0);
    });
  },
);
