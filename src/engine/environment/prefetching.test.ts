import { beforeEach, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { FakeBackend, PLAIN_SANDBOX } from "../../../test/engine/fake-sandbox.ts";
import type { FakeSandbox } from "../../../test/engine/fake-sandbox.ts";
import { headed, hello, initDone, log, response } from "../../../test/engine/guest-frames.ts";
import type { GuestEvent } from "./channel.ts";
import type { EnvironmentView, IdleEnvironment, Job, Outcome, PrefetchingEnvironment } from "./contract.ts";
import { bootEnvironment } from "./environment.ts";
import { encodeFrame, FRAME, FrameParser, splitHeaded } from "./frames.ts";
import { EnvironmentLog } from "./log.ts";
import { RECALL_MS } from "./prefetched.ts";

let clock: ManualClock;
let sandbox: FakeSandbox;
let environment: EnvironmentView;
/** All that jobs and the log were told, in order. */
let told: string[];

const returned = (requestId: string): Buffer => headed(FRAME.returned, { requestId });

async function turns(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function job(requestId: string): Job {
  return {
    requestId,
    timeoutMs: 3000,
    begun: () => told.push(`${requestId} begun`),
    returned: () => told.push(`${requestId} returned`),
    finished: (outcome: Outcome) => told.push(`${requestId} ${outcome.kind}`),
  };
}

function event(requestId: string): GuestEvent {
  return {
    requestId,
    deadlineMs: 0,
    invokedFunctionArn: "arn",
    traceId: "Root=1",
    clientContext: undefined,
    payload: Buffer.from("{}"),
  };
}

/** An idle environment of a runtime that takes events ahead, if it says so. */
async function idle(prefetches = true): Promise<IdleEnvironment> {
  const backend = new FakeBackend();
  const stem = bootEnvironment({
    sandbox: { ...PLAIN_SANDBOX, prefetches: true },
    backend,
    clock,
  });
  sandbox = backend.started[0] as FakeSandbox;
  environment = stem.adopt({
    specId: "s",
    specialisation: { code: "/code", layers: undefined },
    log: new EnvironmentLog(
      { write: (line) => told.push(`log ${line.message.trim()}`) },
      {
        account: "0",
        region: "r",
        group: "g",
        stream: "s",
        writer: { account: "0", name: "f", arn: "function", roleArn: "role" },
      },
    ),
    init: () => "{}",
    initTimeoutMs: 10_000,
    onInit: () => undefined,
    onDeath: () => told.push("dead"),
  });
  await turns();
  sandbox.listener.frames(Buffer.concat([hello, initDone(prefetches ? { prefetches } : undefined)]));
  await turns();
  sandbox.sent.length = 0;
  return environment.idle() as IdleEnvironment;
}

/** An environment at the event `a`, with others behind it. */
async function serving(...ahead: string[]): Promise<void> {
  (await idle()).begin(job("a"), event("a"));
  prefetch(...ahead);
  await turns();
}

function prefetch(...requestIds: string[]): void {
  for (const requestId of requestIds)
    (environment.prefetching() as PrefetchingEnvironment).prefetch(job(requestId), event(requestId));
}

/** Request id and number of every event that the guest was sent, by the writes that they came with. */
function sent(): (readonly [string, number | undefined][])[] {
  return sandbox.sent.map((bytes) => {
    const events: [string, number | undefined][] = [];
    new FrameParser((_type, body) => {
      const { requestId, prefetched } = splitHeaded(body).header as {
        requestId: string;
        prefetched?: number;
      };
      events.push([requestId, prefetched]);
    }).push(bytes);
    return events;
  });
}

beforeEach(() => {
  clock = new ManualClock();
  told = [];
});

it("sends the events that are given ahead in one turn in one piece, each with its number", async () => {
  await serving("b", "c");
  expect(sent()).toEqual([
    [["a", undefined]],
    [
      ["b", 0],
      ["c", 1],
    ],
  ]);
  prefetch("d");
  await turns();
  expect(sent()[2]).toEqual([["d", 2]]);
});

it("begins each when the one before it is answered, also where the answers come together", async () => {
  await serving("b", "c");
  expect(told).toEqual([]);
  sandbox.listener.frames(Buffer.concat([log("1"), response("a"), log("2"), response("b"), log("3")]));
  await turns();
  expect(told).toEqual(["log 1", "a response", "b begun", "log 2", "b response", "c begun", "log 3"]);
  expect([environment.idle(), sandbox.busy]).toEqual([undefined, true]);
  sandbox.listener.frames(response("c"));
  await turns();
  expect(told.at(-1)).toBe("c response");
  expect([environment.idle(), sandbox.busy]).toEqual([environment, false]);
});

it("takes none ahead while it is idle, where its runtime does not say that it can, or its function writes beside the channel", async () => {
  const free = await idle();
  expect(environment.prefetching()).toBeUndefined();
  free.begin(job("a"), event("a"));
  expect(environment.prefetching()).toBe(environment);
  sandbox.listener.output(1, Buffer.from("line\n"));
  expect(environment.prefetching()).toBeUndefined();
  (await idle(false)).begin(job("a"), event("a"));
  expect(environment.prefetching()).toBeUndefined();
});

it("takes back what waits behind an event that goes on for long", async () => {
  await serving("b", "c");
  clock.advance(RECALL_MS - 1);
  await turns();
  expect(sandbox.recalls).toEqual([]);
  clock.advance(1);
  await turns();
  expect(sandbox.recalls).toEqual([2]);
  expect(told).toEqual(["b returned", "c returned"]);
  // No more behind it, until it is over.
  expect(environment.prefetching()).toBeUndefined();
  sandbox.listener.frames(Buffer.concat([response("a"), returned("b")]));
  await turns();
  const again = environment.idle() as IdleEnvironment;
  again.begin(job("d"), event("d"));
  sandbox.listener.frames(returned("c"));
  prefetch("e");
  await turns();
  expect(sent().at(-1)).toEqual([["e", 2]]);
  sandbox.listener.frames(Buffer.concat([response("d"), response("e")]));
  await turns();
  expect(told.slice(2)).toEqual(["a response", "d response", "e begun", "e response"]);
});

it("takes back what has waited for long, however many went on before it", async () => {
  await serving("b", "c");
  clock.advance(RECALL_MS / 2);
  sandbox.listener.frames(response("a"));
  prefetch("d");
  await turns();
  clock.advance(RECALL_MS / 2);
  await turns();
  // One recall is of all that there are.
  expect(sandbox.recalls).toEqual([3]);
  expect(told).toEqual(["a response", "c returned", "d returned"]);
});

it("takes nothing back that has not waited for long", async () => {
  await serving("b");
  clock.advance(RECALL_MS / 2);
  sandbox.listener.frames(response("a"));
  prefetch("c");
  await turns();
  clock.advance(RECALL_MS / 2);
  await turns();
  expect(sandbox.recalls).toEqual([]);
  sandbox.listener.frames(Buffer.concat([response("b"), response("c")]));
  clock.advance(RECALL_MS);
  await turns();
  expect([sandbox.recalls, environment.idle()]).toEqual([[], environment]);
});

it("gives nothing back that the guest was not told of", async () => {
  await serving("b");
  sandbox.recallable = false;
  clock.advance(RECALL_MS);
  await turns();
  expect([sandbox.recalls, told]).toEqual([[1], []]);
  sandbox.listener.frames(response("a"));
  await turns();
  expect(told).toEqual(["a response"]);
  sandbox.listener.frames(response("b"));
  await turns();
  expect(told).toEqual(["a response", "b begun", "b response"]);
});

it("takes nothing back where the answer has come meanwhile, to a platform that was busy", async () => {
  await serving("b");
  clock.advance(10 * RECALL_MS);
  sandbox.listener.frames(response("a"));
  await turns();
  expect([sandbox.recalls, told]).toEqual([[], ["a response"]]);
  sandbox.listener.frames(response("b"));
  await turns();
  expect([sandbox.recalls, told]).toEqual([[], ["a response", "b begun", "b response"]]);
});

/** The answer to `a` is read when its followers have been recalled already. */
async function answeredWhileRecalling(): Promise<void> {
  await serving("b", "c");
  clock.advance(RECALL_MS);
  while (sandbox.recalls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  sandbox.listener.frames(response("a"));
  await turns();
  expect(told).toEqual(["a response", "c returned"]);
  expect(environment.idle()).toBeUndefined();
}

it("waits for what the guest says of the one that it may have begun before it saw the recall", async () => {
  await answeredWhileRecalling();
  sandbox.listener.frames(response("b"));
  await turns();
  expect(told.slice(2)).toEqual(["b begun", "b response"]);
  sandbox.listener.frames(returned("c"));
  expect([sandbox.kills, environment.idle()]).toEqual([0, environment]);
});

it("gives that one back where the guest had seen it", async () => {
  await answeredWhileRecalling();
  sandbox.listener.frames(Buffer.concat([returned("b"), returned("c")]));
  expect(told.slice(2)).toEqual(["b returned"]);
  expect([sandbox.kills, environment.idle(), sandbox.busy]).toEqual([0, environment, false]);
});

it("holds that one to its time limit", async () => {
  await answeredWhileRecalling();
  clock.advance(3000);
  expect(told.slice(2)).toEqual(["b begun", "dead", "b timeout"]);
});

it("is killed for handing back what nobody has recalled", async () => {
  await serving("b");
  sandbox.listener.frames(returned("b"));
  expect(sandbox.kills).toBe(1);
  sandbox.exit({ signal: "SIGKILL" });
  expect(told).toEqual(["dead", "a exit", "b begun", "b exit"]);
});

it("fails all that a guest may have begun by the time that it ended for what it must not say", async () => {
  await serving("b", "c");
  sandbox.listener.frames(Buffer.concat([response("a"), encodeFrame(0x42)]));
  expect(sandbox.kills).toBe(1);
  sandbox.exit({ signal: "SIGKILL" });
  expect(told).toEqual(["a response", "dead", "b begun", "b exit", "c begun", "c exit"]);
});

it("gives back what waited where an event ends its runtime after its answer, by what it left behind", async () => {
  await serving("b");
  const crash = headed(FRAME.error, { requestId: "a", exit: true });
  sandbox.listener.frames(Buffer.concat([response("a"), crash]));
  await turns();
  sandbox.exit({ status: 129 });
  expect(told).toEqual(["dead", "a response", "b returned"]);
});

it("gives back all that waited behind an event that timed out, once it is gone", async () => {
  await serving("b", "c");
  const before = told.length;
  clock.advance(3000);
  expect(told.slice(before)).toEqual(["dead", "a timeout"]);
  await turns();
  sandbox.exit({ signal: "SIGKILL" });
  expect(told.slice(before + 2)).toEqual(["b returned", "c returned"]);
});

it("fails, and does not repeat, what it may have begun when it already counted as dead", async () => {
  await serving("b", "c", "d");
  clock.advance(3000);
  sandbox.listener.frames(Buffer.concat([response("a"), response("b")]));
  sandbox.exit({ signal: "SIGKILL" });
  expect(told.slice(-5)).toEqual(["b begun", "b exit", "c begun", "c exit", "d returned"]);
});

it("fails the event that a guest may have gone on to when it ended right after an answer", async () => {
  await serving("b", "c");
  sandbox.listener.frames(response("a"));
  sandbox.exit({ status: 1 });
  expect(told).toEqual(["dead", "a response", "b begun", "b exit", "c returned"]);
});

it("gives back what waited in a runtime that says that it is broken", async () => {
  await serving("b");
  sandbox.listener.frames(headed(FRAME.error, { requestId: "a", exit: true }));
  await turns();
  expect(told).toEqual(["dead", "a error"]);
  sandbox.exit({ status: 1 });
  expect(told.slice(2)).toEqual(["b returned"]);
});

it("fails the event under way where the guest ends, and gives back those behind it", async () => {
  await serving("b", "c");
  sandbox.listener.frames(response("a"));
  await turns();
  sandbox.exit({ status: 1 });
  expect(told).toEqual(["a response", "dead", "b begun", "b exit", "c returned"]);
});

it("writes nothing that an event logs before its START, though it was recalled", async () => {
  await answeredWhileRecalling();
  sandbox.listener.frames(log("1"));
  expect(told.slice(2)).toEqual(["b begun", "log 1"]);
  sandbox.listener.frames(Buffer.concat([response("b"), returned("c")]));
  await turns();
  expect([told.slice(4), sandbox.kills, environment.idle()]).toEqual([["b response"], 0, environment]);
});

/** `b` is handed back although it counts as begun: it is given once more, and runs as if nothing had been. */
async function givenAgain(begun: string[]): Promise<void> {
  // Nothing more ahead while its guest may still hand it back.
  expect(environment.prefetching()).toBeUndefined();
  sandbox.listener.frames(Buffer.concat([returned("b"), returned("c")]));
  await turns();
  expect([told.slice(2), environment.idle(), sandbox.busy]).toEqual([begun, undefined, true]);
  expect(sent().at(-1)).toEqual([["b", 2]]);
  prefetch("d");
  await turns();
  expect(sent().at(-1)).toEqual([["d", 3]]);
  sandbox.listener.frames(Buffer.concat([response("b"), response("d")]));
  await turns();
  expect(told.slice(2)).toEqual([...begun, "b response", "d begun", "d response"]);
  expect([sandbox.kills, environment.idle(), sandbox.busy]).toEqual([0, environment, false]);
}

it("begins one again that was handed back after what the event before it has left behind was logged", async () => {
  await answeredWhileRecalling();
  sandbox.listener.frames(log("late"));
  await givenAgain(["b begun", "log late"]);
});

it("begins one again that was handed back after its guest had said nothing of it for long", async () => {
  await answeredWhileRecalling();
  clock.advance(100);
  await givenAgain(["b begun"]);
});

it("begins one again that was told before it was recalled", async () => {
  await serving("b");
  sandbox.listener.frames(response("a"));
  await turns();
  clock.advance(100);
  prefetch("c");
  await turns();
  clock.advance(RECALL_MS);
  await turns();
  expect([sandbox.recalls, told]).toEqual([[2], ["a response", "b begun", "c returned"]]);
  sandbox.listener.frames(Buffer.concat([returned("b"), returned("c")]));
  await turns();
  expect(sent().at(-1)).toEqual([["b", 2]]);
  sandbox.listener.frames(returned("b"));
  expect(sandbox.kills).toBe(1);
});

it("gives one event's time to one that it begins again", async () => {
  await answeredWhileRecalling();
  sandbox.listener.frames(log("late"));
  clock.advance(2000);
  sandbox.listener.frames(Buffer.concat([returned("b"), returned("c")]));
  clock.advance(2999);
  expect(told.at(-1)).toBe("log late");
  clock.advance(1);
  expect(told.slice(4)).toEqual(["dead", "b timeout"]);
});

it("gives back all behind an event that ended its runtime after its answer", async () => {
  await serving("b", "c");
  const ended = headed(FRAME.error, { requestId: "a", exit: true });
  sandbox.listener.frames(Buffer.concat([response("a"), log("late"), ended]));
  expect(told).toEqual(["a response", "b begun", "log late", "dead", "b returned"]);
  sandbox.exit({ status: 128 });
  expect(told.slice(5)).toEqual(["c returned"]);
});

it("gives back all behind an event whose runtime ended after its answer, where nothing was logged", async () => {
  await serving("b");
  const ended = headed(FRAME.error, { requestId: "a", exit: true });
  sandbox.listener.frames(response("a"));
  await turns();
  sandbox.listener.frames(ended);
  expect(told).toEqual(["a response", "dead", "b returned"]);
});

it("takes back an event, too, whose turn came before the recall, and that its guest had not come to", async () => {
  await serving("b", "c");
  sandbox.listener.frames(response("a"));
  await turns();
  for (let watch = 0; watch < 2; watch++) {
    clock.advance(RECALL_MS);
    // oxlint-disable-next-line no-await-in-loop
    await turns();
  }
  expect([sandbox.recalls, told]).toEqual([[2], ["a response", "c returned"]]);
  sandbox.listener.frames(Buffer.concat([returned("b"), returned("c")]));
  expect([told.slice(2), sandbox.kills, environment.idle()]).toEqual([["b returned"], 0, environment]);
});

it("says after a while that an event has begun of which its guest says nothing", async () => {
  await serving("b");
  sandbox.listener.frames(response("a"));
  await turns();
  expect(told).toEqual(["a response"]);
  clock.advance(100);
  expect(told).toEqual(["a response", "b begun"]);
});

it("says that an event has begun before it writes what the function wrote beside the channel", async () => {
  await serving("b");
  sandbox.listener.frames(response("a"));
  await turns();
  sandbox.listener.output(1, Buffer.from("line\n"));
  expect(told).toEqual(["a response", "b begun", "log line"]);
});
