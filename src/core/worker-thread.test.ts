import { afterEach, describe, expect, it } from "vitest";
import { ManualClock } from "./clock.ts";
import { WorkerLost, WorkerThread } from "./worker-thread.ts";

/** Speaks the protocol of worker-jobs.ts in plain JavaScript, which Node.js 20 runs without a build. */
const source = `
  import { parentPort, threadId } from "node:worker_threads";
  parentPort.on("message", ({ id, job }) => {
    if (job === "crash") throw new Error("crashed");
    if (job === "exit") process.exit(3);
    if (job === "refuse")
      parentPort.postMessage({ id, error: { kind: "other", message: "no space", code: "ENOSPC" } });
    else if (job !== "hang") parentPort.postMessage({ id, value: [job, threadId] });
  });`;
const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);

const clock = new ManualClock();
const threads: WorkerThread<string, readonly [job: string, threadId: number]>[] = [];
function start(parallel = 1) {
  const thread = new WorkerThread<string, readonly [job: string, threadId: number]>({
    url,
    clock,
    parallel,
    idleMs: 1000,
  });
  threads.push(thread);
  return thread;
}
afterEach(() => Promise.all(threads.splice(0).map((thread) => thread.close())));

describe("a worker thread", () => {
  it("starts with the first job and serves the next ones", async () => {
    const thread = start();
    expect(thread.started).toBe(false);
    const [first, second] = await Promise.all([thread.run("a"), thread.run("b")]);
    expect([first[0], second[0]]).toEqual(["a", "b"]);
    expect(second[1]).toBe(first[1]);
  });

  it.each(["crash", "exit"])(
    "fails the job that ended it (%s), and runs the others in a new one",
    async (job) => {
      const thread = start();
      const [, before] = await thread.run("before");
      const [ended, after] = await Promise.allSettled([thread.run(job), thread.run("after")]);
      expect(ended).toMatchObject({ status: "rejected", reason: expect.any(WorkerLost) });
      expect(after).toMatchObject({ status: "fulfilled", value: ["after", expect.any(Number)] });
      expect(after.status === "fulfilled" && after.value[1]).not.toBe(before);
    },
  );

  it("hands on the job's own error", async () => {
    await expect(start().run("refuse")).rejects.toMatchObject({ message: "no space", code: "ENOSPC" });
  });

  it("fails what is under way when it is closed", async () => {
    const thread = start(2);
    const hanging = thread.run("hang");
    await thread.run("a");
    await Promise.all([expect(hanging).rejects.toBeInstanceOf(WorkerLost), thread.close()]);
  });

  it("ends after its idle time, but not under a job", async () => {
    const thread = start(2);
    const hanging = thread.run("hang");
    await thread.run("a");
    clock.advance(5000);
    expect(thread.started).toBe(true);
    await Promise.all([expect(hanging).rejects.toBeInstanceOf(WorkerLost), thread.close()]);
    await thread.run("b");
    clock.advance(999);
    expect(thread.started).toBe(true);
    clock.advance(1);
    expect(thread.started).toBe(false);
  });
});
