import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import type { FunctionSpec, InitializationType } from "../contract.ts";
import type { EnvironmentView, IdleEnvironment, Job } from "../environment/contract.ts";
import type { GuestEvent } from "../environment/channel.ts";
import type { StartedBy } from "../placement/cold-start.ts";
import type { RestoreResult } from "./restore.ts";
import { Snapshots } from "./snapshots.ts";

interface Start {
  readonly by: StartedBy;
  readonly environment: FakeEnvironment;
  ready(): void;
  fail(): void;
}

/** An environment as far as snapshots know it. */
class FakeEnvironment {
  readonly lines: string[] = [];
  readonly log = {
    observed: false,
    address: { stream: "a stream" },
    write: (_time: number, line: string) => void this.lines.push(line),
  };
  killed = false;
  job: Job | undefined;
  event: GuestEvent | undefined;
  readonly #by: StartedBy;

  constructor(by: StartedBy) {
    this.#by = by;
  }

  begin(job: Job, event: GuestEvent): void {
    this.job = job;
    this.event = event;
  }

  idle(): IdleEnvironment | undefined {
    return this.killed ? undefined : this.asIdle();
  }

  kill(): Promise<void> {
    if (!this.killed) {
      this.killed = true;
      this.#by.onDeath(this.asIdle());
    }
    return Promise.resolve();
  }

  asIdle(): IdleEnvironment {
    return this as unknown as IdleEnvironment;
  }
}

let clock: ManualClock;
let snapshots: Snapshots;
let starts: Start[];
let minted: number;

function specOf(id: string): FunctionSpec {
  const logging = { format: "Text" };
  return { id, arn: `arn of ${id}`, timeoutMs: 3000, snapStart: true, logging } as FunctionSpec;
}

/** A language whose guests can be restored, unless the spec's id says otherwise. */
function preparedFor(spec: FunctionSpec): StartedBy["prepared"] {
  const language = { restores: !spec.id.startsWith("node") };
  const plan = { language, runtimeVersion: "python:3.13.v1", runtimeVersionArn: "arn:runtime" };
  return { plan } as StartedBy["prepared"];
}

beforeEach(() => {
  clock = new ManualClock();
  starts = [];
  minted = 0;
  snapshots = new Snapshots({
    clock,
    ids: { uuid: () => "restore-id" },
    credentials: {
      forFunction: () => ({ accessKeyId: "A", secretAccessKey: "S", sessionToken: String(++minted) }),
    },
    max: 2,
    starter: {
      prepare: (spec) => Promise.resolve(preparedFor(spec)),
      start(by, onInit) {
        const environment = new FakeEnvironment(by);
        starts.push({
          by,
          environment,
          ready: () =>
            onInit({ kind: "ready", environment: environment.asIdle(), initMs: 5 }, environment.asIdle()),
          fail: () => onInit({ kind: "timeout", initMs: 5 }, environment.asIdle()),
        });
        return environment.asIdle();
      },
    },
  });
});

/** Lets what was asked for start. */
async function start(index = starts.length): Promise<Start> {
  await expect.poll(() => starts[index]).toBeDefined();
  return starts[index] as Start;
}

/** Keeps one ready for a spec. */
async function make(id: string): Promise<FakeEnvironment> {
  const made = snapshots.make(specOf(id));
  const started = await start();
  started.ready();
  expect(await made).toBe(true);
  return started.environment;
}

describe("environments of SnapStart functions", () => {
  it("are initialised with the time that AWS gives, and kept", async () => {
    const environment = await make("a");
    const { by } = starts[0] as Start;
    expect(by.initializationType satisfies InitializationType).toBe("snap-start");
    expect(by.initTimeoutMs).toBe(130_000);
    expect(snapshots.has("a")).toBe(true);
    expect(environment.killed).toBe(false);
  });

  it("are restored once, with credentials of that moment, and are then their taker's", async () => {
    const environment = await make("a");
    const results: RestoreResult[] = [];
    const deaths: EnvironmentView[] = [];
    const taker = {
      onDeath: (dead: EnvironmentView) => void deaths.push(dead),
      onRestored: (result: RestoreResult) => void results.push(result),
    };
    expect(snapshots.restore("a", taker)).toBe(environment);
    expect(snapshots.has("a")).toBe(false);
    expect(() => snapshots.restore("a", taker)).toThrow("no environment is ready");
    expect(environment.event).toMatchObject({ kind: "restore", requestId: "restore-id" });
    expect(JSON.parse(Buffer.from(environment.event?.payload ?? []).toString())).toEqual({
      AWS_ACCESS_KEY_ID: "A",
      AWS_SECRET_ACCESS_KEY: "S",
      AWS_SESSION_TOKEN: "1",
    });
    clock.advance(12);
    const answer = { kind: "response", payload: Buffer.from("null"), maxRssKb: 0 } as const;
    environment.job?.finished(answer, environment.asIdle());
    expect(results).toEqual([{ kind: "restored", environment, restoreMs: 12 }]);
    expect(environment.lines).toEqual([
      "RESTORE_START Runtime Version: python:3.13.v1\tRuntime Version ARN: arn:runtime\n",
      "RESTORE_REPORT Restore Duration: 12.00 ms\n",
    ]);
    await environment.kill();
    expect(deaths).toEqual([environment]);
  });

  it("that are not restored in time, or at all, end as AWS says", async () => {
    const outcomes = [
      [{ kind: "timeout" }, "SnapStartTimeoutException", 408],
      [{ kind: "error", payload: Buffer.from("{}"), maxRssKb: 0 }, "SnapStartException", 400],
    ] as const;
    for (const [outcome, code, status] of outcomes) {
      // oxlint-disable-next-line no-await-in-loop
      const environment = await make(code);
      let result: RestoreResult | undefined;
      snapshots.restore(code, { onDeath: () => undefined, onRestored: (told) => (result = told) });
      environment.job?.finished(outcome, environment.asIdle());
      expect(result).toMatchObject({ kind: "failed", error: { code, status } });
      expect(environment.killed).toBe(true);
    }
  });

  it("are not kept where they cannot be restored", async () => {
    const environment = await make("node");
    expect(starts.at(-1)?.by.initializationType).toBe("on-demand");
    expect(environment.killed).toBe(true);
    expect(snapshots.has("node")).toBe(false);
  });

  it("tell of an init that failed, and are not tried again in the background", async () => {
    snapshots.ensure(specOf("a"));
    (await start(0)).fail();
    await make("b");
    snapshots.ensure(specOf("a"));
    await make("c");
    expect(starts.map(({ by }) => by.spec.id)).toEqual(["a", "b", "c"]);
    const made = snapshots.make(specOf("a"));
    (await start(3)).fail();
    expect(await made).toBe(false);
  });

  it("give way to others, the longest unused first", async () => {
    const first = await make("a");
    const second = await make("b");
    await make("c");
    expect(first.killed).toBe(true);
    expect(second.killed).toBe(false);
    expect(["a", "b", "c"].map((id) => snapshots.has(id))).toEqual([false, true, true]);
  });

  it("are initialised again before their credentials run out", async () => {
    const first = await make("a");
    clock.advance(3 * 3_600_000);
    const second = await make("b");
    clock.advance(3 * 3_600_000);
    expect([first.killed, second.killed]).toEqual([true, false]);
    (await start(2)).ready();
    expect(snapshots.has("a")).toBe(true);
    clock.advance(3 * 3_600_000);
    expect(second.killed).toBe(true);
    expect((await start(3)).by.spec.id).toBe("b");
  });

  it("end with their version, also those that are being initialised, and with the platform", async () => {
    const kept = await make("a");
    snapshots.ensure(specOf("b"));
    const starting = await start(1);
    snapshots.retire("a");
    snapshots.retire("b");
    expect([kept.killed, starting.environment.killed]).toEqual([true, true]);
    const other = await make("c");
    snapshots.ensure(specOf("d"));
    const last = await start(3);
    await snapshots.close();
    expect([other.killed, last.environment.killed]).toEqual([true, true]);
    snapshots.ensure(specOf("e"));
    await expect(snapshots.make(specOf("e"))).rejects.toMatchObject({ code: "ServiceException" });
  });

  it("that die while they wait are not given out", async () => {
    const environment = await make("a");
    await environment.kill();
    expect(snapshots.has("a")).toBe(false);
  });
});
