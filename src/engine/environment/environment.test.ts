import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { FakeBackend } from "../../../test/engine/fake-sandbox.ts";
import type { FakeSandbox } from "../../../test/engine/fake-sandbox.ts";
import { bootEnvironment } from "./environment.ts";
import type {
  EnvironmentView,
  IdleEnvironment,
  InitResult,
  Outcome,
  StemEnvironment,
} from "./environment.ts";
import { encodeFrame, encodeHeadedFrame, FRAME } from "./frames.ts";
import { EnvironmentLog } from "./log.ts";

let clock: ManualClock;
let sandbox: FakeSandbox;
let environment: EnvironmentView;
let inits: InitResult[];
let deaths: number;
let booted: number;
let stemDeaths: number;
let outcomes: Outcome[];
let messages: string[];

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const job = (requestId = "r", timeoutMs = 3000) => ({
  requestId,
  timeoutMs,
  finished: (outcome: Outcome) => outcomes.push(outcome),
});
const response = (requestId: string, header: object = {}): Buffer =>
  encodeHeadedFrame(FRAME.response, JSON.stringify({ requestId, ...header }), Buffer.from("1"));
const hello = encodeFrame(FRAME.hello, "{}");

const event = {
  requestId: "r",
  deadlineMs: 0,
  invokedFunctionArn: "arn",
  traceId: "Root=1",
  clientContext: undefined,
  payload: Buffer.from("{}"),
};
const specialisation = { code: "/code", layers: undefined };

function boot(): StemEnvironment {
  const backend = new FakeBackend();
  const stem = bootEnvironment({
    sandbox: {
      id: "e",
      command: "c",
      args: [],
      mounts: [],
      environment: {},
      memoryMb: 128,
      ephemeralStorageMb: 512,
    },
    backend,
    clock,
    onBooted: () => booted++,
    onGone: () => stemDeaths++,
  });
  sandbox = backend.started[0] as FakeSandbox;
  return stem;
}

function adopt(stem: StemEnvironment): EnvironmentView {
  return stem.adopt({
    specId: "s",
    specialisation,
    log: new EnvironmentLog(
      { write: (line) => messages.push(line.message) },
      { account: "0", region: "r", group: "g", stream: "s" },
    ),
    init: () => '{"handler":"h"}',
    initTimeoutMs: 10_000,
    onInit: (result) => inits.push(result),
    onDeath: () => deaths++,
  });
}

beforeEach(() => {
  clock = new ManualClock();
  [inits, outcomes, messages, deaths, booted, stemDeaths] = [[], [], [], 0, 0, 0];
});

async function ready(): Promise<IdleEnvironment> {
  sandbox.listener.frames(Buffer.concat([hello, encodeFrame(FRAME.initDone)]));
  await turn();
  return environment.idle() as IdleEnvironment;
}

describe("an execution environment", () => {
  beforeEach(async () => {
    environment = adopt(boot());
    // Its code is bound by then.
    await turn();
  });

  it("answers hello with init, and is idle once that is done", async () => {
    expect(environment.idle()).toBeUndefined();
    sandbox.listener.frames(hello);
    expect(sandbox.sent).toEqual([encodeFrame(FRAME.init, '{"handler":"h"}')]);
    sandbox.listener.frames(encodeFrame(FRAME.initDone));
    await turn();
    expect(inits).toMatchObject([{ kind: "ready" }]);
    expect(environment.idle()).toBe(environment);
    expect(sandbox.busy).toBe(false);
  });

  it("serves one event at a time", async () => {
    const idle = await ready();
    idle.begin(job("a"), event);
    expect(environment.idle()).toBeUndefined();
    expect(() => idle.begin(job("b"), event)).toThrow("busy, not idle");
    sandbox.listener.frames(response("a", { maxRssKb: 5000 }));
    await turn();
    expect(outcomes).toMatchObject([{ kind: "response", maxRssKb: 5000 }]);
    idle.begin(job("b"), event);
    sandbox.listener.frames(response("b"));
    await turn();
    expect(outcomes).toHaveLength(2);
    expect(environment.peakRssKb).toBe(5000);
  });

  it("logs what was written to its descriptors in the turn of the answer before the answer counts", async () => {
    const idle = await ready();
    idle.begin(job(), event);
    sandbox.listener.frames(response("r"));
    sandbox.listener.output(1, Buffer.from("late"));
    expect(outcomes).toHaveLength(0);
    await turn();
    expect(messages).toEqual(["late\n"]);
    expect(outcomes).toHaveLength(1);
  });

  it.each([
    ["an answer to another request", () => response("other")],
    ["a second hello", () => hello],
    ["a second end of its init", () => encodeFrame(FRAME.initDone)],
    ["an unknown frame", () => encodeFrame(0x42)],
    ["a header that is no JSON", () => encodeHeadedFrame(FRAME.response, "{", Buffer.alloc(0))],
    ["a log frame without its time", () => encodeFrame(FRAME.log, "abc")],
  ])("is killed for %s", async (_what, frame) => {
    const idle = await ready();
    idle.begin(job(), event);
    sandbox.listener.frames(frame());
    expect(sandbox.kills).toBe(1);
    sandbox.exit({ signal: "SIGKILL" });
    expect(outcomes).toMatchObject([{ kind: "exit" }]);
    expect(deaths).toBe(1);
  });

  it("is killed for ending its init twice, which would settle an invocation begun in between", () => {
    sandbox.listener.frames(Buffer.concat([hello, encodeFrame(FRAME.initDone), encodeFrame(FRAME.initDone)]));
    expect(sandbox.kills).toBe(1);
  });

  it("is killed for a header that would take long to parse", async () => {
    const idle = await ready();
    idle.begin(job(), event);
    sandbox.listener.frames(response("r", { padding: "x".repeat(70_000) }));
    expect(sandbox.kills).toBe(1);
  });

  it("is killed for an answer that nobody asked for, and told dead", async () => {
    await ready();
    sandbox.listener.frames(response("r"));
    expect(sandbox.kills).toBe(1);
    sandbox.exit({ signal: "SIGKILL" });
    expect(environment.dead).toBe(true);
    expect(outcomes).toEqual([]);
  });

  it("times out to the millisecond, even where an earlier event's timer still runs", async () => {
    const idle = await ready();
    idle.begin(job("a", 3000), event);
    clock.advance(2000);
    sandbox.listener.frames(response("a"));
    await turn();
    idle.begin(job("b", 3000), event);
    clock.advance(2999);
    expect(outcomes).toHaveLength(1);
    clock.advance(1);
    expect(outcomes[1]).toEqual({ kind: "timeout" });
    expect([environment.dead, sandbox.kills, deaths]).toEqual([true, 1, 1]);
    sandbox.exit({ signal: "SIGKILL" });
    expect(outcomes).toHaveLength(2);
  });

  it("ends the init phase after its limit", () => {
    sandbox.listener.frames(hello);
    clock.advance(10_000);
    expect(inits).toMatchObject([{ kind: "timeout", initMs: 10_000 }]);
    expect(sandbox.kills).toBe(1);
  });

  it("tells an init error with the guest's own document, once it has ended", async () => {
    sandbox.listener.frames(hello);
    sandbox.listener.frames(encodeFrame(FRAME.initError, '{"errorType":"X","errorMessage":"m"}'));
    expect(inits).toEqual([]);
    await turn();
    sandbox.exit({ status: 1 });
    expect(inits).toMatchObject([{ kind: "error", errorType: "X" }]);
  });

  it("ends after an answer that says the runtime is broken", async () => {
    const idle = await ready();
    idle.begin(job(), event);
    sandbox.listener.frames(
      encodeHeadedFrame(FRAME.error, '{"requestId":"r","exit":true}', Buffer.from("{}")),
    );
    await turn();
    expect(outcomes).toMatchObject([{ kind: "error" }]);
    expect([environment.dead, sandbox.kills]).toEqual([true, 1]);
  });
});

describe("a stem environment", () => {
  it("waits, not busy, until a function adopts it, and is sent init once its code is bound", async () => {
    const stem = boot();
    sandbox.listener.frames(hello);
    expect([booted, sandbox.busy, sandbox.sent]).toEqual([1, false, []]);
    // However long it waits: the init phase begins with its function.
    clock.advance(3_600_000);
    const view = adopt(stem);
    expect([sandbox.busy, sandbox.sent]).toEqual([true, []]);
    await turn();
    expect(sandbox.specialisation).toBe(specialisation);
    expect(sandbox.sent).toHaveLength(1);
    expect(sandbox.fullSpeed).toBe(true);
    clock.advance(100);
    sandbox.listener.frames(encodeFrame(FRAME.initDone));
    await turn();
    expect(inits).toMatchObject([{ kind: "ready", initMs: 100 }]);
    expect(sandbox.fullSpeed).toBe(false);
    expect(view.idle()).toBeDefined();
  });

  it("is adopted once", () => {
    const stem = boot();
    adopt(stem);
    expect(() => adopt(stem)).toThrow("cannot be adopted");
  });

  it("tells its death, and takes no function afterwards", () => {
    const stem = boot();
    sandbox.exit({ status: 1 });
    expect([stem.dead, stemDeaths, deaths, inits]).toEqual([true, 1, 0, []]);
    expect(() => adopt(stem)).toThrow("cannot be adopted");
  });

  it("is killed for anything but one hello", () => {
    boot();
    sandbox.listener.frames(hello);
    sandbox.listener.frames(hello);
    expect(sandbox.kills).toBe(1);
  });

  it("keeps nothing of what its runtime printed before it had a function", () => {
    const stem = boot();
    sandbox.listener.output(1, Buffer.from("warning\n"));
    adopt(stem);
    expect(messages).toEqual([]);
  });
});
