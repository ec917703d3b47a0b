import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { open } from "lmdb";
import { expect, it } from "vitest";
import { inheritable, withoutOthers } from "./descriptors.ts";

const LIST = ["-c", "readlink /proc/self/fd/*"];

it.skipIf(process.platform !== "linux")("keeps what a library has open from a child", async () => {
  const folder = mkdtempSync(join(tmpdir(), "thaw-descriptors-"));
  const database = open({ path: join(folder, "kept.mdb") });
  try {
    expect(inheritable().length).toBeGreaterThan(0);
    const plain = spawn("/bin/sh", LIST, { stdio: ["ignore", "pipe", "ignore"] });
    // As long as this holds, the rest of the test shows something.
    expect(await text(plain.stdout)).toContain("kept.mdb");
    const without = spawn("/bin/sh", LIST, { stdio: withoutOthers(["ignore", "pipe", "ignore"]) });
    expect(await text(without.stdout as Readable)).not.toContain("kept.mdb");
  } finally {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
