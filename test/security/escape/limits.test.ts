// The limits that AWS holds a function to, measured.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { until } from "../../lifecycle/support.ts";
import { behindWalls, needs, needsPython } from "./walls.ts";

/** Code that fills memory beyond the heap limit of the language: only the walls can end it. */
const HOARD = `
held = []
while True: held.append(bytearray(os.urandom(1024)) * 4096)`;

behindWalls(
  (world, kind) => {
    it("ends a function that takes more than its memory, and says what for", async (context) => {
      needsPython(world(), context);
      if (kind.sandbox === "bubblewrap") needs("memory", world(), context);
      await world().pythonFunction("hoarder", { MemorySize: 128 });
      await world().nodeFunction("hoarding-node", { MemorySize: 256 });
      const { result, served } = await world().alongside(() => world().invoke("hoarder", { code: HOARD }));
      expect(result).toMatchObject({
        error: "Unhandled",
        payload: {
          errorType: "Runtime.ExitError",
          errorMessage: expect.stringMatching(/Error: Runtime exited with error: signal: killed$/),
        },
      });
      expect(result.tail).toMatch(
        /REPORT .*Memory Size: 128 MB\tMax Memory Used: 1[012]\d MB.*Status: error\tError Type: Runtime.OutOfMemory/s,
      );
      expect(served).toBeGreaterThan(0);
      const node = await world().invoke("hoarding-node", {
        code: "const held = []; for (;;) held.push(Buffer.alloc(1 << 22, 1));",
      });
      expect(node.payload).toMatchObject({
        errorType: "Runtime.ExitError",
        errorMessage: expect.stringContaining("signal: killed"),
      });
      // The next one starts afresh.
      expect(await world().run("hoarder", "result = 1")).toBe(1);
    });
  },
  () => true,
);

behindWalls((world) => {
  it("kills the whole environment, not one process, for memory", async (context) => {
    needsPython(world(), context);
    needs("memory", world(), context);
    await world().pythonFunction("parent", { MemorySize: 128 });
    const answer = await world().invoke("parent", {
      code: `
import time
if os.fork() == 0:
    ${HOARD.trim().replaceAll("\n", "\n    ")}
time.sleep(20)`,
    });
    expect(answer.payload).toMatchObject({ errorType: "Runtime.ExitError" });
  });

  it("gives CPU time in proportion to memory", async (context) => {
    needsPython(world(), context);
    needs("cpu", world(), context);
    await world().pythonFunction("small", { MemorySize: 128 });
    await world().pythonFunction("whole", { MemorySize: 1769 });
    // CPU time against the clock, both by the same kernel: what a busy host takes away is taken from both, in turn.
    const spin = `
import time
began, used = time.monotonic(), time.process_time()
while time.monotonic() - began < 1.0: pass
result = (time.process_time() - used) / (time.monotonic() - began)`;
    const small = (await world().run("small", spin)) as number;
    const whole = (await world().run("whole", spin)) as number;
    // 0.07 and 1 on an idle host; a busy one leaves both less.
    expect(small).toBeLessThan(0.12);
    expect(small).toBeGreaterThan(0);
    expect(whole).toBeGreaterThan(2 * small);
  });

  it("runs nothing of an idle environment", async (context) => {
    needs("freeze", world(), context);
    await world().nodeFunction("ticker");
    const mark = `ticking-${process.pid}`;
    // A timer of the runtime's own, and a child that never waits for anything.
    const start = `const { spawn } = require("node:child_process");
      globalThis.ticks = 0;
      setInterval(() => { globalThis.ticks++; }, 1);
      spawn("sh", ["-c", "while :; do :; done", "${mark}"], { stdio: "ignore" });
      return 0;`;
    await world().run("ticker", start);
    const pid = await processOf(mark);
    await until(async () => {
      const before = cpuTicks(pid);
      // A tenth of this would do: the kernel counts in hundredths of a second.
      await sleep(300);
      expect(cpuTicks(pid)).toBe(before);
    });
    const frozen = cpuTicks(pid);
    expect(await world().run("ticker", "return globalThis.ticks")).toEqual(expect.any(Number));
    const wait = "await new Promise((resolve) => setTimeout(resolve, 500)); return globalThis.ticks";
    expect(await world().run("ticker", wait)).toBeGreaterThan(0);
    expect(cpuTicks(pid)).toBeGreaterThan(frozen);
  });

  it("is as large as its setting: EphemeralStorage of 1,024 MB holds more than 512", async (context) => {
    needsPython(world(), context);
    needs("ephemeral storage size", world(), context);
    await world().pythonFunction("large", { MemorySize: 128, Timeout: 60, EphemeralStorage: { Size: 1024 } });
    const size = `s = os.statvfs("/tmp")\nresult = s.f_bavail * s.f_frsize // 1048576`;
    const megabytes = (await world().run("large", size)) as number;
    expect(megabytes).toBeGreaterThan(1000);
    expect(megabytes).toBeLessThan(1050);
  });

  it("tells Max Memory Used of what the whole environment used", async (context) => {
    needsPython(world(), context);
    needs("memory", world(), context);
    await world().pythonFunction("measured", { MemorySize: 512 });
    const answer = await world().invoke("measured", {
      code: "held = bytearray(os.urandom(1024)) * (200 * 1024)\nresult = 1",
    });
    const used = Number(/Max Memory Used: (\d+) MB/.exec(answer.tail)?.[1]);
    expect(used).toBeGreaterThan(200);
    expect(used).toBeLessThan(300);
  });
});

/** A process of this host by its command line. */
async function processOf(mark: string): Promise<number> {
  let found: number | undefined;
  await until(() => {
    found = readdirSync("/proc")
      .map(Number)
      .find((pid) => Number.isInteger(pid) && commandLine(pid).endsWith(`${mark}\0`));
    expect(found).toBeDefined();
  });
  return found ?? 0;
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

/** User and system time (proc(5)). */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
