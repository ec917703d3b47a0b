// What a function uses up is its own share: the host keeps its own, and the platform serves others meanwhile.
import { readdirSync, readFileSync, statfsSync } from "node:fs";
import { expect, it } from "vitest";
import { until } from "../../lifecycle/support.ts";
import { behindWalls, needs, needsPython } from "./walls.ts";

const MB = 1024 * 1024;

/** Processes and threads of this host. */
function tasks(): number {
  return Number(/\/(\d+) /.exec(readFileSync("/proc/loadavg", "latin1"))?.[1]);
}

function platformPeakBytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) * 1024;
}

behindWalls((world) => {
  it("survives a fork bomb", async (context) => {
    needsPython(world(), context);
    needs("processes", world(), context);
    await world().pythonFunction("bomb", { Timeout: 3 });
    const before = tasks();
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, tasks());
    }, 20);
    const bomb = `
import time
until = time.time() + 60
while time.time() < until:
    try: os.fork()
    except OSError: time.sleep(0.01)`;
    const { result, served } = await world()
      .alongside(() => world().invoke("bomb", { code: bomb }))
      .finally(() => clearInterval(watch));
    expect(result.payload).toMatchObject({
      errorType: expect.stringMatching(/Sandbox\.Timedout|Runtime\.ExitError/),
    });
    expect(served).toBeGreaterThan(0);
    // Its own quota, what replaced it, and what the rest of the host does meanwhile.
    expect(most - before).toBeLessThan(1024 + 300);
    await until(() => expect(tasks() - before).toBeLessThan(300));
  });

  it("survives a thread bomb, and counts threads as processes", async (context) => {
    needsPython(world(), context);
    needs("processes", world(), context);
    await world().pythonFunction("threads");
    const { result } = await world().alongside(() =>
      world().run(
        "threads",
        `
import threading
threading.stack_size(65536)
over = threading.Event()
made = []
try:
    while len(made) < 5000:
        thread = threading.Thread(target=over.wait)
        thread.start()
        made.append(thread)
except (RuntimeError, MemoryError): pass
result = len(made)
over.set()
for thread in made: thread.join()`,
      ),
    );
    // AWS's quota, less what the environment itself runs.
    expect(result).toBeGreaterThan(900);
    expect(result).toBeLessThan(1024);
  });

  it("survives the use of every file descriptor", async (context) => {
    needsPython(world(), context);
    await world().pythonFunction("descriptors");
    const use = `
held = []
try:
    while len(held) < 5000: held.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error: result = [len(held), error.errno]
for fd in held: os.close(fd)`;
    const { result, served } = await world().alongside(() => world().run("descriptors", use));
    const EMFILE = 24;
    expect(result).toEqual([expect.any(Number), EMFILE]);
    expect((result as [number])[0]).toBeGreaterThan(1000);
    expect((result as [number])[0]).toBeLessThan(1024);
    expect(served).toBeGreaterThan(0);
    expect(await world().run("descriptors", "result = 1")).toBe(1);
  });

  it("fills its own disk and no other", async (context) => {
    needsPython(world(), context);
    needs("ephemeral storage size", world(), context);
    // Far less memory than what it writes: /tmp is no part of it.
    await world().pythonFunction("filler", { MemorySize: 128, Timeout: 60 });
    const free = (): number => {
      const { bavail, bsize } = statfsSync(world().folder);
      return bavail * bsize;
    };
    const fill = `
block = b"x" * 1048576
written = 0
fd = os.open("/tmp/full", os.O_WRONLY | os.O_CREAT)
try:
    while written < 2000 * 1048576: written += os.write(fd, block)
except OSError as error: result = [written // 1048576, error.errno]
os.close(fd)`;
    const before = free();
    const { result, served } = await world().alongside(() => world().run("filler", fill));
    const ENOSPC = 28;
    const [written, error] = result as number[];
    expect(error).toBe(ENOSPC);
    expect(written).toBeGreaterThan(500);
    expect(written).toBeLessThan(530);
    expect(before - free()).toBeLessThan(900 * MB);
    expect(served).toBeGreaterThan(0);
    // The same environment goes on, with what it wrote, and one that is emptied is empty.
    expect(await world().run("filler", `result = os.path.getsize("/tmp/full") // 1048576`)).toBe(written);
    await world().delete("filler");
    await until(() => expect(before - free()).toBeLessThan(300 * MB));
  });

  it("uses up its own inodes and no others", async (context) => {
    needsPython(world(), context);
    needs("ephemeral storage size", world(), context);
    await world().pythonFunction("inodes", { Timeout: 60 });
    const before = statfsSync(world().folder).ffree;
    const use = `
made = 0
try:
    while made < 200000:
        os.close(os.open(f"/tmp/{made}", os.O_WRONLY | os.O_CREAT))
        made += 1
except OSError as error: result = [made, error.errno]`;
    const { result, served } = await world().alongside(() => world().run("inodes", use));
    const ENOSPC = 28;
    expect(result).toEqual([expect.any(Number), ENOSPC]);
    expect(before - statfsSync(world().folder).ffree).toBeLessThan(2000);
    expect(served).toBeGreaterThan(0);
  });

  it("ends where its /tmp is watched and too large", async (context) => {
    needsPython(world(), context);
    if (world().enforces("ephemeral storage size")) context.skip("a file system enforces it here");
    await world().pythonFunction("watched", { Timeout: 60 });
    const fill = `
block = b"x" * 1048576
fd = os.open("/tmp/full", os.O_WRONLY | os.O_CREAT)
for _ in range(700): os.write(fd, block)
while True: pass`;
    const { result } = await world().alongside(() => world().invoke("watched", { code: fill }));
    expect(result.payload).toMatchObject({
      errorType: "Runtime.ExitError",
      errorMessage: expect.stringContaining("signal: killed"),
    });
  });
});

behindWalls(
  (world) => {
    it("keeps the platform's memory from its log: 100 MB of lines, and one line without end", async () => {
      await world().nodeFunction("chatter", { Timeout: 60, MemorySize: 1024 });
      const writing = `const fs = require("node:fs");
        const all = (fd, bytes) => { for (let at = 0; at < bytes.length; )
          try { at += fs.writeSync(fd, bytes, at); } catch (error) { if (error.code !== "EAGAIN") throw error; } };
        const lines = Buffer.from(("x".repeat(99) + "\\n").repeat(10_000));
        const endless = Buffer.alloc(1_000_000, 97);
        for (let i = 0; i < 100; i++) all(1, lines);
        for (let i = 0; i < 100; i++) all(2, endless);
        for (let i = 0; i < 100_000; i++) console.log("y".repeat(1000));
        return "said";`;
      const { result, served } = await world().alongside(() => world().run("chatter", writing));
      expect(result).toBe("said");
      expect(served).toBeGreaterThan(0);
      expect(platformPeakBytes(world().platform.pid)).toBeLessThan(640 * MB);
    });

    it("keeps no descriptor of an environment once it is gone", async () => {
      await world().nodeFunction("exits");
      const held = (): number => readdirSync(`/proc/${world().platform.pid}/fd`).length;
      const exit = (): Promise<unknown> => world().invoke("exits", { code: "process.exit(1)" });
      await Promise.all(Array.from({ length: 4 }, exit));
      await world().run("exits", "return 1");
      let before = 0;
      await until(() => {
        const now = held();
        const same = now === before;
        before = now;
        expect(same).toBe(true);
      });
      for (let round = 0; round < 8; round++)
        // oxlint-disable-next-line no-await-in-loop
        await Promise.all(Array.from({ length: 4 }, exit));
      await until(() => expect(held()).toBeLessThanOrEqual(before + 12));
    });
  },
  ({ user }) => user === undefined,
);
