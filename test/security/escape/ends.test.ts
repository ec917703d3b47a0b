// When an environment ends, all of it ends.
import { expect, it } from "vitest";
import { until } from "../../lifecycle/support.ts";
import { runs } from "../../conformance/sandbox/support.ts";
import { behindWalls, needsPython } from "./walls.ts";

/** A child that ignores every signal it can, has left its session, and whose parent is gone: it does not come with `wait`. */
const RUNAWAY = `
import signal, subprocess, sys
code = "import os, signal, sys, time\\nfor s in range(1, 32):\\n try: signal.signal(s, signal.SIG_IGN)\\n except (OSError, ValueError): pass\\nos.setsid()\\nif os.fork(): os._exit(0)\\nos.setsid()\\nif os.fork(): os._exit(0)\\nprint('away', flush=True)\\nwhile True: time.sleep(0.01)\\n"
child = subprocess.Popen([sys.executable, "-c", code, event["mark"]], stdout=subprocess.PIPE)
assert child.stdout.readline() == b"away\\n"
child.wait()
`;

let marks = 0;
const mark = (): string => `runaway-${process.pid}-${++marks}`;

behindWalls(
  (world, kind) => {
    it("keeps nothing running after the deadline", async (context) => {
      needsPython(world(), context);
      const name = mark();
      await world().pythonFunction("late", { Timeout: 2 });
      const { result, served } = await world().alongside(() =>
        world().invoke("late", {
          code: `${RUNAWAY}\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass`,
          mark: name,
        }),
      );
      expect(result).toMatchObject({
        error: "Unhandled",
        payload: {
          errorType: "Sandbox.Timedout",
          errorMessage: expect.stringContaining("timed out after 2.00"),
        },
      });
      expect(served).toBeGreaterThan(0);
      await until(async () => expect(await runs(name)).toBe(false));
    });

    it("keeps nothing running when its runtime exits", async (context) => {
      needsPython(world(), context);
      const name = mark();
      await world().pythonFunction("leaver");
      const answer = await world().invoke("leaver", { code: `${RUNAWAY}\nos._exit(3)`, mark: name });
      expect(answer.payload).toMatchObject({
        errorType: "Runtime.ExitError",
        errorMessage: expect.stringContaining("exit status 3"),
      });
      await until(async () => expect(await runs(name)).toBe(false));
    });

    it("keeps nothing running once its function is deleted", async (context) => {
      needsPython(world(), context);
      const name = mark();
      await world().pythonFunction("deleted");
      await world().run("deleted", `${RUNAWAY}\nresult = 1`, { mark: name });
      expect(await runs(name)).toBe(true);
      await world().delete("deleted");
      await until(async () => expect(await runs(name)).toBe(false));
    });

    it("keeps nothing running when its network, files and memory go: a parked child is in none of them", async (context) => {
      needsPython(world(), context);
      if (kind.sandbox === "process") context.skip("process claims no namespace");
      const name = mark();
      await world().pythonFunction("parked");
      // A child that holds on to all that it can reach of its environment.
      const holding = `${RUNAWAY.replace("print('away'", "held = [os.open(p, os.O_RDONLY) for p in ('/tmp', '/var/task', '/proc/self/ns/net', '/proc/self/ns/mnt', '/')]\\nprint('away'")}\nresult = 1`;
      await world().run("parked", holding, { mark: name });
      await world().delete("parked");
      await until(async () => expect(await runs(name)).toBe(false));
    });
  },
  () => true,
);
