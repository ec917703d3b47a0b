// Events given ahead whose turn has come while the platform cannot tell whether their guest has begun them.
import { beforeEach, expect, it } from "vitest";
import { lateLog, log, response } from "../../../test/engine/guest-frames.ts";
import { PlayedEnvironment, returned, turn, turns } from "../../../test/engine/played-environment.ts";
import { RECALL_MS } from "./prefetched.ts";

let world: PlayedEnvironment;
beforeEach(() => {
  world = new PlayedEnvironment();
});

/** The answer to `a` is read when its followers have been recalled already. */
async function answeredWhileRecalling(): Promise<void> {
  await world.serving("b", "c");
  world.clock.advance(RECALL_MS);
  while (world.sandbox.recalls.length === 0) await turn();
  world.frames(response("a"));
  await turns();
  expect(world.told).toEqual(["a response", "c returned"]);
  expect(world.environment.idle()).toBeUndefined();
}

it("waits for what the guest says of the one that it may have begun before it saw the recall", async () => {
  await answeredWhileRecalling();
  world.frames(response("b"));
  await turns();
  expect(world.told.slice(2)).toEqual(["b begun", "b response"]);
  world.frames(returned("c"));
  expect([world.sandbox.kills, world.environment.idle()]).toEqual([0, world.environment]);
});

it("gives that one back where the guest had seen it", async () => {
  await answeredWhileRecalling();
  world.frames(returned("b"), returned("c"));
  expect(world.told.slice(2)).toEqual(["b returned"]);
  expect([world.sandbox.kills, world.environment.idle(), world.sandbox.busy]).toEqual([
    0,
    world.environment,
    false,
  ]);
});

it("holds that one to its time limit", async () => {
  await answeredWhileRecalling();
  await world.elapse(3000);
  expect(world.told.slice(2)).toEqual(["b begun", "dead", "b timeout"]);
});

it("writes nothing that an event logs before its START, though it was recalled", async () => {
  await answeredWhileRecalling();
  world.frames(log("1"));
  expect(world.told.slice(2)).toEqual(["b begun", "log 1"]);
  world.frames(response("b"), returned("c"));
  await turns();
  expect([world.told.slice(4), world.sandbox.kills, world.environment.idle()]).toEqual([
    ["b response"],
    0,
    world.environment,
  ]);
});

/** `b` is handed back although it counts as begun: it is given once more, and runs as if nothing had been. */
async function givenAgain(begun: string[], more = true): Promise<void> {
  // Nothing more ahead while its guest may still hand it back.
  expect(world.environment.prefetching()).toBeUndefined();
  world.frames(returned("b"), returned("c"));
  await turns();
  expect([world.told.slice(2), world.environment.idle(), world.sandbox.busy]).toEqual([
    begun,
    undefined,
    true,
  ]);
  expect(world.sent().at(-1)).toEqual([["b", 2]]);
  if (more) {
    world.prefetch("d");
    await turns();
    expect(world.sent().at(-1)).toEqual([["d", 3]]);
  }
  world.frames(response("b"), ...(more ? [response("d")] : []));
  await turns();
  expect(world.told.slice(2)).toEqual([...begun, "b response", ...(more ? ["d begun", "d response"] : [])]);
  expect([world.sandbox.kills, world.environment.idle(), world.sandbox.busy]).toEqual([
    0,
    world.environment,
    false,
  ]);
}

it("gives that one back, too, after what the event before it has left behind was logged", async () => {
  await answeredWhileRecalling();
  world.frames(lateLog("late"), returned("b"), returned("c"));
  expect(world.told.slice(2)).toEqual(["log late", "b returned"]);
  expect([world.sandbox.kills, world.environment.idle(), world.sandbox.busy]).toEqual([
    0,
    world.environment,
    false,
  ]);
});

it("logs what an event left behind before the START of the next, which is that of none", async () => {
  await world.serving("b");
  world.frames(response("a"), lateLog("1"));
  await turns();
  world.frames(lateLog("2"), log("3"), response("b"), lateLog("4"));
  await turns();
  world.frames(lateLog("5"));
  const first = ["log 1", "a response", "log 2"];
  expect(world.told).toEqual([...first, "b begun", "log 3", "log 4", "b response", "log 5"]);
});

it("begins one again that was handed back after what the event before it has started wrote something", async () => {
  await answeredWhileRecalling();
  world.sandbox.listener.output(1, Buffer.from("late\n"));
  await givenAgain(["b begun", "log late"], false);
});

it("begins one again that was handed back before those behind it were taken back", async () => {
  await world.serving("b");
  world.frames(response("a"));
  await turns();
  await world.elapse(100);
  world.prefetch("c", "d");
  await turns();
  world.clock.advance(RECALL_MS);
  while (world.sandbox.recalls.length === 0) await turn();
  world.frames(returned("b"), returned("c"), returned("d"));
  expect(world.told).toEqual(["a response", "b begun", "c returned", "d returned"]);
  await turns();
  expect(world.sent().at(-1)).toEqual([["b", 3]]);
  world.frames(response("b"));
  await turns();
  expect([world.told.slice(4), world.sandbox.kills, world.environment.idle()]).toEqual([
    ["b response"],
    0,
    world.environment,
  ]);
});

it("begins one again that was handed back after its guest had said nothing of it for long", async () => {
  await answeredWhileRecalling();
  await world.elapse(100);
  await givenAgain(["b begun"]);
});

it("begins one again that was told before it was recalled", async () => {
  await world.serving("b");
  world.frames(response("a"));
  await turns();
  await world.elapse(100);
  world.prefetch("c");
  await turns();
  world.clock.advance(RECALL_MS);
  await turns();
  expect([world.sandbox.recalls, world.told]).toEqual([[2], ["a response", "b begun", "c returned"]]);
  world.frames(returned("b"), returned("c"));
  await turns();
  expect(world.sent().at(-1)).toEqual([["b", 2]]);
  world.frames(returned("b"));
  expect(world.sandbox.kills).toBe(1);
});

it("gives one event's time to one that it begins again", async () => {
  await answeredWhileRecalling();
  world.sandbox.listener.output(1, Buffer.from("late\n"));
  world.clock.advance(2000);
  world.frames(returned("b"), returned("c"));
  await world.elapse(2999);
  expect(world.told.at(-1)).toBe("log late");
  await world.elapse(1);
  expect(world.told.slice(4)).toEqual(["dead", "b timeout"]);
});

it("takes back an event, too, whose turn came before the recall, and that its guest had not come to", async () => {
  await world.serving("b", "c");
  world.frames(response("a"));
  await turns();
  for (let watch = 0; watch < 2; watch++) {
    world.clock.advance(RECALL_MS);
    // oxlint-disable-next-line no-await-in-loop
    await turns();
  }
  expect([world.sandbox.recalls, world.told]).toEqual([[2], ["a response", "c returned"]]);
  world.frames(returned("b"), returned("c"));
  expect([world.told.slice(2), world.sandbox.kills, world.environment.idle()]).toEqual([
    ["b returned"],
    0,
    world.environment,
  ]);
});

it("says after a while that an event has begun of which its guest says nothing", async () => {
  await world.serving("b");
  world.frames(response("a"));
  await turns();
  await world.elapse(99);
  expect(world.told).toEqual(["a response"]);
  await world.elapse(1);
  expect(world.told).toEqual(["a response", "b begun"]);
});

it("says that an event has begun before it writes what the function wrote beside the channel", async () => {
  await world.serving("b");
  world.frames(response("a"));
  await turns();
  world.sandbox.listener.output(1, Buffer.from("line\n"));
  expect(world.told).toEqual(["a response", "b begun", "log line"]);
});
