import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { works } from "../../../test/support/tools.ts";
import { makeRecalls, recall } from "./recalls.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "thaw-recalls-"));
  path = join(folder, "recalls");
  makeRecalls(path);
});

afterEach(() => rmSync(folder, { recursive: true }));

it("tells by its length how many events are not to be begun", () => {
  recall(path, 3);
  expect(statSync(path)).toMatchObject({ size: 3, blocks: 0 });
  recall(path, 1_000_000_000_000);
  expect(statSync(path)).toMatchObject({ size: 1_000_000_000_000, blocks: 0 });
});

const python = works("python3", "--version");

it.skipIf(!python)("does not wait for a guest that holds a lease on it (needs python3)", async () => {
  const program = `import fcntl, os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
print("held", flush=True)
sys.stdin.read()`;
  const holder = spawn("python3", ["-c", program, path], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(holder, "exit");
  try {
    await once(holder.stdout, "data");
    expect(() => recall(path, 1)).toThrow("EAGAIN");
  } finally {
    holder.kill("SIGKILL");
    await ended;
  }
  recall(path, 1);
});
