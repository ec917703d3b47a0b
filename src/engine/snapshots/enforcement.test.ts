import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { snapStartEnforcement } from "./enforcement.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thaw-criu-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What doctor tells where this is the host's `criu`. */
async function told(script: string): Promise<string> {
  const file = join(folder, "criu");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return (await snapStartEnforcement(folder)).how;
}

describe("what doctor tells of SnapStart", () => {
  it("says why CRIU does not work, in its own words", async () => {
    const script = `echo "Error (criu/util.c:642): exited, status=1" >&2
echo "Error (criu/vdso.c:381): vdso: Unexpected rt vDSO area bounds" >&2
exit 1`;
    expect(await told(script)).toContain(
      "does not work on this kernel (vdso: Unexpected rt vDSO area bounds)",
    );
    expect(await told("exit 1")).toContain("(criu check fails)");
  });

  it("claims no more than is built, whether CRIU works or not", async () => {
    expect(await told("echo Looks good.")).toContain("each by an init of its own: CRIU works here, but");
    const row = await snapStartEnforcement("");
    expect(row).toMatchObject({ level: "not enforced", remedy: expect.any(String) as string });
  });
});
