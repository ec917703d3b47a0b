import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { FakeBackend, logTo, PLAIN_SANDBOX } from "../../../test/engine/fake-sandbox.ts";
import type { FakeSandbox } from "../../../test/engine/fake-sandbox.ts";
import { headed, hello, log, response } from "../../../test/engine/guest-frames.ts";
import { RESPONSE_WINDOW_BYTES } from "./channel.ts";
import { bootEnvironment } from "./environment.ts";
import type { EnvironmentView, IdleEnvironment, InitResult, Outcome, StemEnvironment } from "./contract.ts";
import { encodeFrame, encodeHeadedFrame, FRAME } from "./frames.ts";

let clock: ManualClock;
let sandbox: FakeSandbox;
let environment: EnvironmentView;
let inits: InitResult[];
let deaths: number;
let booted: number;
let stemDeaths: number;
let outcomes: Outcome[];
let messages: string[];
let streams: Stream[];

interface Stream {
  readonly contentType: string;
  readonly taken: (bytes: number) => void;
  bytes: number;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Moves the clock, and has read what can be read then. */
async function elapse(ms: number): Promise<void> {
  clock.advance(ms);
  for (let turns = 0; turns < 3; turns++) await turn();
}
const job = (requestId = "r", timeoutMs = 3000) => ({
  requestId,
  timeoutMs,
  responseBegan: (contentType: string, taken: (bytes: number) => void) => {
    streams.push({ contentType, taken, bytes: 0 });
  },
  responseChunk: (bytes: Buffer) => {
    (streams.at(-1) as Stream).bytes += bytes.length;
    return true;
  },
  finished: (outcome: Outcome) => outcomes.push(outcome),
});
const start = (requestId: string, contentType?: string): Buffer =>
  headed(FRAME.responseStart, { requestId, contentType });
const chunk = (bytes: number): Buffer => encodeFrame(FRAME.responseChunk, Buffer.alloc(bytes));
const end = (requestId: string): Buffer => headed(FRAME.responseEnd, { requestId });
const credit = (bytes: number): Buffer => {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(bytes);
  return encodeFrame(FRAME.credit, body);
};

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
    sandbox: PLAIN_SANDBOX,
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
    log: logTo((message) => messages.push(message)),
    init: () => '{"handler":"h"}',
    initTimeoutMs: 10_000,
    onInit: (result) => inits.push(result),
    onDeath: () => deaths++,
  });
}

beforeEach(() => {
  clock = new ManualClock();
  [inits, outcomes, messages, streams, deaths, booted, stemDeaths] = [[], [], [], [], 0, 0, 0];
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

  it("is given no event once its process has ended, though it is not read to the end yet", async () => {
    await ready();
    sandbox.listener.exiting();
    expect(environment.idle()).toBeUndefined();
    expect(deaths).toBe(1);
    sandbox.exit({ signal: "SIGKILL" });
    expect(deaths).toBe(1);
  });

  it("still tells the answer that was read after its process had ended", async () => {
    const idle = await ready();
    idle.begin(job("a"), event);
    sandbox.listener.exiting();
    sandbox.listener.frames(response("a"));
    sandbox.exit({ signal: "SIGKILL" });
    await turn();
    expect(outcomes).toMatchObject([{ kind: "response" }]);
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
    ["a part of no response", () => chunk(1)],
    ["the end of no response", () => end("r")],
    ["a response to another request, in parts", () => start("other")],
    ["a response that begins twice", () => Buffer.concat([start("r"), start("r")])],
    ["a whole response within one in parts", () => Buffer.concat([start("r"), response("r")])],
    [
      "more of a response than was asked for",
      () => Buffer.concat([start("r"), chunk(200_000), chunk(100_000)]),
    ],
    ["a part after the end", () => Buffer.concat([start("r"), chunk(1), end("r"), chunk(1)])],
    ["a second end", () => Buffer.concat([start("r"), end("r"), end("r")])],
  ])("is killed for %s", async (_what, frame) => {
    const idle = await ready();
    idle.begin(job(), event);
    sandbox.listener.frames(frame());
    expect(sandbox.kills).toBe(1);
    sandbox.exit({ signal: "SIGKILL" });
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]?.kind).not.toBe("response");
    expect(deaths).toBe(1);
  });

  it("takes a response in parts, and asks for more as they go on", async () => {
    const idle = await ready();
    idle.begin(job(), event);
    sandbox.sent.length = 0;
    sandbox.listener.frames(Buffer.concat([start("r", "text/plain"), chunk(RESPONSE_WINDOW_BYTES)]));
    expect(streams).toMatchObject([{ contentType: "text/plain", bytes: RESPONSE_WINDOW_BYTES }]);
    // Nobody has taken anything: the guest may send no more, but log lines pass.
    sandbox.listener.frames(log("still here"));
    expect(messages).toEqual(["still here\n"]);
    expect(sandbox.sent).toEqual([]);
    streams[0]?.taken(100_000);
    expect(sandbox.sent.splice(0)).toEqual([credit(100_000)]);
    // Small amounts are put together.
    streams[0]?.taken(10_000);
    expect(sandbox.sent).toEqual([]);
    sandbox.listener.frames(Buffer.concat([chunk(100_000), end("r")]));
    await turn();
    expect(outcomes).toMatchObject([{ kind: "streamed", bytes: RESPONSE_WINDOW_BYTES + 100_000 }]);
    // Wakes a guest that still waits for credit.
    expect(sandbox.sent.splice(0)).toEqual([credit(0)]);
    expect(environment.idle()).toBeDefined();
    idle.begin(job("b"), event);
    sandbox.sent.length = 0;
    streams[0]?.taken(RESPONSE_WINDOW_BYTES);
    expect(sandbox.sent).toEqual([]);
    sandbox.listener.frames(response("b"));
    await turn();
    expect(outcomes).toHaveLength(2);
  });

  it("takes an error after a response has begun", async () => {
    const idle = await ready();
    idle.begin(job(), event);
    const failed = encodeHeadedFrame(FRAME.error, '{"requestId":"r"}', Buffer.from("{}"));
    sandbox.listener.frames(Buffer.concat([start("r", "not\na header"), chunk(3), failed]));
    await turn();
    expect(streams).toMatchObject([{ contentType: "application/octet-stream", bytes: 3 }]);
    expect(outcomes).toMatchObject([{ kind: "error" }]);
    expect(environment.idle()).toBeDefined();
  });

  it("keeps the time limit while nobody takes its response", async () => {
    const idle = await ready();
    idle.begin(job(), event);
    sandbox.listener.frames(Buffer.concat([start("r"), chunk(RESPONSE_WINDOW_BYTES)]));
    await elapse(3000);
    expect(outcomes).toEqual([{ kind: "timeout" }]);
    expect(sandbox.kills).toBe(1);
  });

  it("is killed for ending its init twice, which would settle an invocation begun in between", () => {
    sandbox.listener.frames(Buffer.concat([hello, encodeFrame(FRAME.initDone), encodeFrame(FRAME.initDone)]));
    expect(sandbox.kills).toBe(1);
  });

  it("is not believed, until it is gone, once it has said what it must not", async () => {
    (await ready()).begin(job(), event);
    sandbox.listener.frames(chunk(10));
    expect(sandbox.kills).toBe(1);
    sandbox.listener.frames(response("r"));
    await turn();
    expect(outcomes).toEqual([]);
    sandbox.exit({ signal: "SIGKILL" });
    expect(outcomes).toMatchObject([{ kind: "exit", exit: { signal: "SIGKILL" } }]);
  });

  it("is given no event after one that it answered before it said what it must not", async () => {
    (await ready()).begin(job(), event);
    sandbox.listener.frames(Buffer.concat([response("r"), chunk(10)]));
    await turn();
    expect(outcomes).toMatchObject([{ kind: "response" }]);
    expect([environment.dead, environment.idle()]).toEqual([true, undefined]);
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
    // At once, so that it is given no event while it ends.
    expect([environment.dead, environment.idle(), deaths]).toEqual([true, undefined, 1]);
    sandbox.exit({ signal: "SIGKILL" });
    expect([outcomes, deaths]).toEqual([[], 1]);
  });

  it("times out to the millisecond, even where an earlier event's timer still runs", async () => {
    const idle = await ready();
    idle.begin(job("a", 3000), event);
    await elapse(2000);
    sandbox.listener.frames(response("a"));
    await turn();
    idle.begin(job("b", 3000), event);
    await elapse(2999);
    expect(outcomes).toHaveLength(1);
    await elapse(1);
    expect(outcomes[1]).toEqual({ kind: "timeout" });
    expect([environment.dead, sandbox.kills, deaths]).toEqual([true, 1, 1]);
    sandbox.exit({ signal: "SIGKILL" });
    expect(outcomes).toHaveLength(2);
  });

  it("does not time out where it has answered in time, but a platform that was busy has not read it", async () => {
    const idle = await ready();
    idle.begin(job("a", 3000), event);
    clock.advance(10_000);
    sandbox.listener.frames(response("a"));
    await turn();
    expect(outcomes).toMatchObject([{ kind: "response" }]);
    idle.begin(job("b", 3000), event);
    await elapse(2999);
    expect([outcomes.length, sandbox.kills]).toEqual([1, 0]);
    await elapse(1);
    expect(outcomes[1]).toEqual({ kind: "timeout" });
  });

  it("tells a streamed response of which parts were thrown away as too large", async () => {
    const idle = await ready();
    for (const [requestId, kept] of [
      ["a", false],
      ["b", true],
    ] as const) {
      idle.begin({ ...job(requestId), responseChunk: () => kept }, event);
      sandbox.listener.frames(Buffer.concat([start(requestId), chunk(10), end(requestId)]));
      // oxlint-disable-next-line no-await-in-loop
      await turn();
    }
    expect(outcomes).toMatchObject([
      { kind: "too-large", bytes: 10 },
      { kind: "streamed", bytes: 10 },
    ]);
  });

  it("ends the init phase after its limit", async () => {
    sandbox.listener.frames(hello);
    await elapse(10_000);
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

  it("tells an init error, not the exit that follows it, where both are seen in one turn", () => {
    sandbox.listener.frames(hello);
    sandbox.listener.frames(encodeFrame(FRAME.initError, '{"errorType":"X","errorMessage":"m"}'));
    sandbox.exit({ status: 129 });
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
    await elapse(3_600_000);
    const view = adopt(stem);
    expect([sandbox.busy, sandbox.sent]).toEqual([true, []]);
    await turn();
    expect(sandbox.specialisation).toBe(specialisation);
    expect(sandbox.sent).toHaveLength(1);
    expect(sandbox.fullSpeed).toBe(true);
    await elapse(100);
    sandbox.listener.frames(encodeFrame(FRAME.initDone));
    await turn();
    expect(inits).toMatchObject([{ kind: "ready", initMs: 100 }]);
    expect(sandbox.fullSpeed).toBe(false);
    expect(view.idle()).toBeDefined();
  });

  it("is not charged with the time that its host takes to start a process", async () => {
    adopt(boot());
    await turn();
    await elapse(30_000);
    expect(inits).toEqual([]);
    sandbox.listener.frames(hello);
    await elapse(9_999);
    expect(inits).toEqual([]);
    await elapse(1);
    expect(inits).toMatchObject([{ kind: "timeout", initMs: 10_000 }]);
  });

  it("that never starts is its host's failure, not its function's", async () => {
    adopt(boot());
    await turn();
    await elapse(60_000);
    const error = expect.objectContaining({ message: "the runtime did not start within 60 seconds" });
    expect(inits).toMatchObject([{ kind: "exit", exit: { error } }]);
    expect(sandbox.kills).toBe(1);
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
