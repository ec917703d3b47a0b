import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { FunctionSpec } from "#engine/contract";
import { bubblewrapUsable } from "#engine/sandbox/bubblewrap/usable";
import { bubblewrapHost } from "../conformance/sandbox/support.ts";
import type { Host } from "../conformance/sandbox/support.ts";
import { JavaPackage, jdks } from "../guests/jdk.ts";
import { works } from "../support/tools.ts";
import { openBench } from "./support.ts";
import type { Bench } from "./support.ts";

/** Any Python will do: which runtimes have SnapStart is the Lambda service's to know. */
const RUNTIME = "python3.11";

const HOOKS = `
import os, random, time
from snapshot_restore_py import register_after_restore, register_before_snapshot

told = ["init " + os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]
names_log = "AWS_LAMBDA_LOG_STREAM_NAME" in os.environ
random.seed(1)
with open("/tmp/kept" if os.environ.get("OWN_TMP") else os.devnull, "w") as file:
    file.write("from init")

@register_before_snapshot
def first():
    told.append("before 1")

register_before_snapshot(lambda text: told.append(text), "before 2")

@register_after_restore
def restored():
    told.append("after 1 " + os.environ["AWS_SESSION_TOKEN"])

register_after_restore(lambda *, text: told.append(text), text="after 2")

def handler(event, context):
    told.append("event")
    time.sleep(event.get("seconds", 0))
    seen = os.listdir("/tmp") if os.environ.get("OWN_TMP") else []
    if os.environ.get("OWN_TMP"):
        open("/tmp/mine", "w").close()
    return {"told": told, "random": random.random(), "names log": names_log, "pid": os.getpid(), "tmp": sorted(seen)}
`;
import { until } from "../support/until.ts";

/** What HOOKS tells with its first event, wherever its init and its restore took place. */
const FIRST_TOLD = [
  "init snap-start",
  "before 2",
  "before 1",
  expect.stringMatching(/^after 1 token \d+$/),
  "after 2",
  "event",
];

interface Told {
  readonly told: readonly string[];
  readonly random: number;
  readonly tmp: readonly string[];
}

const hosts: readonly [name: string, why: string | undefined, open: () => Promise<Host | undefined>][] = [
  ["plain processes", undefined, () => Promise.resolve(undefined)],
  [
    "bubblewrap",
    await bubblewrapUsable().then((use) => (use.usable ? undefined : use.why)),
    () => bubblewrapHost(),
  ],
];

describe.skipIf(!works(RUNTIME, "--version")).each(hosts)("SnapStart on %s", (_, why, open) => {
  let host: Host | undefined;
  let bench: Bench;
  let minted = 0;
  let made = 0;
  const snapStarted = async (
    files: Record<string, string>,
    overrides: Partial<FunctionSpec> = {},
  ): Promise<FunctionSpec> => {
    const spec = await bench.spec(files, {
      runtime: RUNTIME,
      version: "1",
      snapStart: true,
      name: `snap-${++made}`,
      environment: host === undefined ? {} : { OWN_TMP: "1" },
      ...overrides,
    });
    onTestFinished(() => bench.engine.retire(spec.id));
    return spec;
  };
  const linesOf = (spec: FunctionSpec): string[] =>
    bench.lines.filter(({ group }) => group === spec.logging.group).map(({ message }) => message);

  beforeEach(({ skip }) => {
    if (why !== undefined) skip(why);
  });
  beforeAll(async () => {
    if (why !== undefined) return;
    host = await open();
    bench = await openBench({
      ...(host === undefined ? {} : { backend: host.backend }),
      credentials: {
        forFunction: () => ({
          accessKeyId: "ASIAEXAMPLE",
          secretAccessKey: "secret",
          sessionToken: `token ${++minted}`,
        }),
      },
    });
  });
  afterAll(async () => {
    if (why !== undefined) return;
    await bench.close();
    await host?.close();
  });

  it("initialises at publish, runs the hooks in AWS's order and restores with fresh credentials and randomness", async () => {
    const spec = await snapStarted({ "index.py": HOOKS });
    expect(await bench.engine.snapshot(spec)).toBe(true);
    const atPublish = minted;
    expect(linesOf(spec)).toEqual([
      expect.stringMatching(/^INIT_START Runtime Version: python:3\.11\.v\d+\t/),
      expect.stringMatching(/^INIT_REPORT Init Duration: \d+\.\d\d ms\n$/),
    ]);

    const first = await bench.invoke(spec);
    const answer = first.payload as Told;
    expect(answer.told).toEqual(FIRST_TOLD);
    expect(Number(/\d+$/.exec(answer.told[3] ?? "")?.[0])).toBeGreaterThan(atPublish);
    expect(first.payload).toMatchObject({ "names log": false });
    // What random.seed(1) makes first: a generator that was not seeded anew would say so.
    expect(answer.random).not.toBeCloseTo(0.13436424411240122, 12);
    expect(first.tail).toMatch(
      /Max Memory Used: \d+ MB\tRestore Duration: \d+\.\d\d ms\tBilled Restore Duration: \d+ ms\t\n$/,
    );
    expect(first.tail).not.toContain("Init Duration");
    const restored = linesOf(spec).filter((line) => line.startsWith("RESTORE_"));
    expect(restored).toEqual([
      expect.stringMatching(
        /^RESTORE_START Runtime Version: python:3\.11\.v\d+\tRuntime Version ARN: arn:aws:lambda:/,
      ),
      expect.stringMatching(/^RESTORE_REPORT Restore Duration: \d+\.\d\d ms\n$/),
    ]);

    const second = await bench.invoke(spec);
    expect((second.payload as Told).told.filter((text) => text === "event")).toHaveLength(2);
    expect(second.tail).not.toContain("Restore Duration");
  });

  it("has the next environment ready after one was restored, with a /tmp of its own", async () => {
    const spec = await snapStarted({ "index.py": HOOKS });
    await bench.engine.snapshot(spec);
    const first = (await bench.invoke(spec)).payload as Told & { readonly pid: number };
    await until(() => {
      const inits = linesOf(spec).filter((line) => line.startsWith("INIT_REPORT"));
      expect(inits).toHaveLength(2);
    });
    // Two at once: the one that is warm, and the one that is ready.
    const both = await Promise.all([1, 2].map(() => bench.invoke(spec, { seconds: 1 })));
    expect(both.filter(({ tail }) => tail?.includes("Restore Duration"))).toHaveLength(1);
    expect(both.filter(({ tail }) => tail?.includes("Init Duration"))).toEqual([]);
    if (host === undefined) return;
    expect(first.tmp).toEqual(["kept"]);
    const seen = both.map(({ payload }) => (payload as Told).tmp.join(" ")).toSorted();
    expect(seen).toEqual(["kept", "kept mine"]);
  });

  it("initialises and restores within the invocation where none is ready, and says so", async () => {
    const spec = await snapStarted({ "index.py": HOOKS });
    const answer = await bench.invoke(spec);
    expect((answer.payload as Told).told).toEqual(FIRST_TOLD);
    expect(answer.tail).toMatch(/\tInit Duration: \d+\.\d\d ms\tRestore Duration: \d+\.\d\d ms\t/);
  });

  it("runs the hooks of functions that a wrapper script starts", async ({ skip }) => {
    if (host === undefined) {
      skip("plain processes have no path of their own for the wrapper");
      return;
    }
    const code = await bench.package([
      { name: "index.py", data: HOOKS },
      { name: "wrapper", data: '#!/bin/sh\nexec "$@"\n', mode: 0o100755 },
    ]);
    const environment = { AWS_LAMBDA_EXEC_WRAPPER: "/var/task/wrapper" };
    const spec = { ...(await snapStarted({}, { environment })), code };
    expect(await bench.engine.snapshot(spec)).toBe(true);
    const answer = await bench.invoke(spec);
    expect((answer.payload as Told).told).toHaveLength(6);
    expect(answer.tail).not.toContain("Init Duration");
  });

  it("restores Java functions", { timeout: 120_000 }, async ({ skip }) => {
    const jdk = (await jdks()).find(({ path }) => path !== undefined);
    if (jdk === undefined) {
      skip("this host has no JDK");
      return;
    }
    const name = "example/Typed.class";
    const code = new JavaPackage(jdk, {
      "example/Typed.java": `package example;
public class Typed {
  public String handle(Object event) { return System.getenv("AWS_LAMBDA_INITIALIZATION_TYPE"); }
}`,
    });
    onTestFinished(() => code.remove());
    const overrides = { runtime: jdk.name.split(" ")[0] as string, handler: "example.Typed::handle" };
    const spec = await snapStarted({}, { ...overrides, memoryMb: 512 });
    const files = [{ name, data: readFileSync(join(code.folder, name)) }];
    const packed = { ...spec, code: await bench.package(files) };
    expect(await bench.engine.snapshot(packed)).toBe(true);
    const answer = await bench.invoke(packed);
    expect(answer.payload).toBe("snap-start");
    expect(answer.tail).toContain("Restore Duration");
  });

  it("initialises runtimes that cannot be restored normally, and tells at publish whether they can be", async () => {
    const files = { "index.js": "exports.handler = async () => process.env.AWS_LAMBDA_INITIALIZATION_TYPE" };
    const spec = await snapStarted(files, { runtime: "nodejs20.x" });
    expect(await bench.engine.snapshot(spec)).toBe(true);
    const answer = await bench.invoke(spec);
    expect(answer.payload).toBe("on-demand");
    expect(answer.tail).toContain("Init Duration");
    const broken = await snapStarted({ "index.js": "throw new Error('no');" }, { runtime: "nodejs20.x" });
    expect(await bench.engine.snapshot(broken)).toBe(false);
  });

  it.each([
    ["code", "raise ValueError('no')", "INIT_REPORT Init Duration: .*Error Type: ValueError"],
    [
      "hook",
      "import snapshot_restore_py\nsnapshot_restore_py.register_before_snapshot(lambda: 1 / 0)\nhandler = print",
      "INIT_REPORT Init Duration: .*Error Type: Runtime.BeforeSnapshotError",
    ],
  ])("tells of %s that fails before the snapshot", async (_what, code, line) => {
    const spec = await snapStarted({ "index.py": code });
    expect(await bench.engine.snapshot(spec)).toBe(false);
    expect(linesOf(spec).join("")).toMatch(new RegExp(line));
  });

  it("answers SnapStartException where a hook fails after the restore", async () => {
    const spec = await snapStarted({
      "index.py":
        "import snapshot_restore_py\nsnapshot_restore_py.register_after_restore(lambda: 1 / 0)\nhandler = lambda e, c: 1",
    });
    await bench.engine.snapshot(spec);
    await expect(bench.invoke(spec)).rejects.toMatchObject({ code: "SnapStartException", status: 400 });
    const lines = linesOf(spec).join("");
    expect(lines).toContain("[ERROR] Runtime.AfterRestoreError: ZeroDivisionError: division by zero");
    expect(lines).toMatch(/RESTORE_REPORT .*\tStatus: error\tError Type: Runtime\.AfterRestoreError/);
    await until(() => expect(bench.engine.status().environments).toBe(0));
  });

  it("times an invocation by its own limit after a restore, whose limit is another", async () => {
    const spec = await snapStarted(
      { "index.py": "import time\ndef handler(event, context):\n    time.sleep(60)" },
      { timeoutMs: 1000 },
    );
    await bench.engine.snapshot(spec);
    const answer = await bench.invoke(spec);
    expect(answer.payload).toMatchObject({ errorType: "Sandbox.Timedout" });
  });

  it("ends what is ready with its version", async () => {
    const spec = await snapStarted({ "index.py": HOOKS });
    await bench.engine.snapshot(spec);
    bench.engine.retire(spec.id);
    const answer = await bench.invoke(spec);
    expect(answer.tail).toContain("Init Duration");
  });
});
