import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { continueTree, stopTree } from "./stop.ts";

/** `T` where it is stopped (proc(5)); undefined for one that is gone. */
function state(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2)[0];
  } catch {
    return undefined;
  }
}

it.skipIf(!existsSync("/proc/self/task"))("stops a whole tree of processes, and lets it go on", async () => {
  const script = "sh -c 'sh -c \"while :; do :; done\" & wait' & wait";
  const child = spawn("/bin/sh", ["-c", script], { stdio: "ignore", detached: true });
  const first = child.pid as number;
  try {
    let stopped: readonly number[] = [];
    await vi.waitFor(() => {
      continueTree(stopped);
      stopped = stopTree(first);
      expect(stopped).toHaveLength(3);
    });
    expect(stopped[0]).toBe(first);
    await vi.waitFor(() => expect(stopped.map(state)).toEqual(["T", "T", "T"]));
    continueTree(stopped);
    await vi.waitFor(() => expect(stopped.map(state)).not.toContain("T"));
  } finally {
    process.kill(-first, "SIGKILL");
  }
});

it("stops nothing of a process that is gone", async () => {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await new Promise((resolve) => child.once("exit", resolve));
  const stopped = stopTree(child.pid as number);
  expect(stopped).toEqual([]);
  continueTree(stopped);
});
