import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { FakeBackend } from "../../../test/engine/fake-sandbox.ts";
import type { FakeSandbox } from "../../../test/engine/fake-sandbox.ts";
import { startEnvironment } from "./environment.ts";
import type { EnvironmentView, IdleEnvironment, InitResult, Outcome } from "./environment.ts";
import { encodeFrame, encodeHeadedFrame, FRAME } from "./frames.ts";
import { EnvironmentLog } from "./log.ts";

let clock: ManualClock;
let sandbox: FakeSandbox;
let environment: EnvironmentView;
let inits: InitResult[];
let deaths: number;
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

beforeEach(() => {
  clock = new ManualClock();
  const backend = new FakeBackend();
  [inits, outcomes, messages, deaths] = [[], [], [], 0];
  environment = startEnvironment({
    specId: "s",
    sandbox: { id: "e", command: "c", args: [], cwd: "/", environment: {}, memoryMb: 128 },
    backend,
    clock,
    log: new EnvironmentLog(
      { write: (line) => messages.push(line.message) },
      { account: "0", region: "r", group: "g", stream: "s" },
    ),
    init: (tmp) => JSON.stringify({ tmp }),
    initTimeoutMs: 10_000,
    onInit: (result) => inits.push(result),
    onDeath: () => deaths++,
  });
  sandbox = backend.started[0] as FakeSandbox;
});

async function ready(): Promise<IdleEnvironment> {
  sandbox.listener.frames(Buffer.concat([hello, encodeFrame(FRAME.initDone)]));
  await turn();
  return environment.idle() as IdleEnvironment;
}

describe("an execution environment", () => {
  it("answers hello with init, and is idle once that is done", async () => {
    expect(environment.idle()).toBeUndefined();
    sandbox.listener.frames(hello);
    expect(sandbox.sent).toEqual([encodeFrame(FRAME.init, '{"tmp":"/tmp/fake"}')]);
    sandbox.listener.frames(encodeFrame(FRAME.initDone));
    await turn();
    expect(inits).toMatchObject([{ kind: "ready" }]);
    expect(environment.idle()).toBe(environment);
    expect(sandbox.busy).toBe(false);
  });

  it("serves one event at a time", async () => {
    const idle = await ready();
    idle.begin(job("a"), Buffer.from("frame"));
    expect(environment.idle()).toBeUndefined();
    expect(() => idle.begin(job("b"), Buffer.from("frame"))).toThrow("busy, not idle");
    sandbox.listener.frames(response("a", { maxRssKb: 5000 }));
    await turn();
    expect(outcomes).toMatchObject([{ kind: "response", maxRssKb: 5000 }]);
    idle.begin(job("b"), Buffer.from("frame"));
    sandbox.listener.frames(response("b"));
    await turn();
    expect(outcomes).toHaveLength(2);
    expect(environment.peakRssKb).toBe(5000);
  });

  it("logs what was written to its descriptors in the turn of the answer before the answer counts", async () => {
    const idle = await ready();
    idle.begin(job(), Buffer.from("frame"));
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
    idle.begin(job(), Buffer.from("frame"));
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
    idle.begin(job(), Buffer.from("frame"));
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
    idle.begin(job("a", 3000), Buffer.from("frame"));
    clock.advance(2000);
    sandbox.listener.frames(response("a"));
    await turn();
    idle.begin(job("b", 3000), Buffer.from("frame"));
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
    idle.begin(job(), Buffer.from("frame"));
    sandbox.listener.frames(
      encodeHeadedFrame(FRAME.error, '{"requestId":"r","exit":true}', Buffer.from("{}")),
    );
    await turn();
    expect(outcomes).toMatchObject([{ kind: "error" }]);
    expect([environment.dead, sandbox.kills]).toEqual([true, 1]);
  });
});
