import { beforeEach, expect, it } from "vitest";
import { headed, lateLog, log, response } from "../../../test/engine/guest-frames.ts";
import { endedBy, PlayedEnvironment, returned, turns } from "../../../test/engine/played-environment.ts";
import type { IdleEnvironment } from "./contract.ts";
import { encodeFrame, FRAME } from "./frames.ts";
import { RECALL_MS } from "./prefetched.ts";

let world: PlayedEnvironment;
beforeEach(() => {
  world = new PlayedEnvironment();
});

it("sends the events that are given ahead in one turn in one piece, each with its number", async () => {
  await world.serving("b", "c");
  expect(world.sent()).toEqual([
    [["a", undefined]],
    [
      ["b", 0],
      ["c", 1],
    ],
  ]);
  world.prefetch("d");
  await turns();
  expect(world.sent()[2]).toEqual([["d", 2]]);
});

it("begins each when the one before it is answered, also where the answers come together", async () => {
  await world.serving("b", "c");
  expect(world.told).toEqual([]);
  world.frames(log("1"), response("a"), log("2"), response("b"), log("3"));
  await turns();
  expect(world.told).toEqual(["log 1", "a response", "b begun", "log 2", "b response", "c begun", "log 3"]);
  expect([world.environment.idle(), world.sandbox.busy]).toEqual([undefined, true]);
  world.frames(response("c"));
  await turns();
  expect(world.told.at(-1)).toBe("c response");
  expect([world.environment.idle(), world.sandbox.busy]).toEqual([world.environment, false]);
});

it("takes none ahead while it is idle, where its runtime does not say that it can, or its function writes beside the channel", async () => {
  const free = await world.idle();
  expect(world.environment.prefetching()).toBeUndefined();
  world.begin(free, "a");
  expect(world.environment.prefetching()).toBe(world.environment);
  world.sandbox.listener.output(1, Buffer.from("line\n"));
  expect(world.environment.prefetching()).toBeUndefined();
  world = new PlayedEnvironment(false);
  world.begin(await world.idle(), "a");
  expect(world.environment.prefetching()).toBeUndefined();
});

it("takes back what waits behind an event that goes on for long", async () => {
  await world.serving("b", "c");
  world.clock.advance(RECALL_MS - 1);
  await turns();
  expect(world.sandbox.recalls).toEqual([]);
  world.clock.advance(1);
  await turns();
  expect(world.sandbox.recalls).toEqual([2]);
  expect(world.told).toEqual(["b returned", "c returned"]);
  // No more behind it, until it is over.
  expect(world.environment.prefetching()).toBeUndefined();
  world.frames(response("a"), returned("b"));
  await turns();
  const again = world.environment.idle() as IdleEnvironment;
  world.begin(again, "d");
  world.frames(returned("c"));
  world.prefetch("e");
  await turns();
  expect(world.sent().at(-1)).toEqual([["e", 2]]);
  world.frames(response("d"), response("e"));
  await turns();
  expect(world.told.slice(2)).toEqual(["a response", "d response", "e begun", "e response"]);
});

it("takes back what has waited for long, however many went on before it", async () => {
  await world.serving("b", "c");
  world.clock.advance(RECALL_MS / 2);
  world.frames(response("a"));
  world.prefetch("d");
  await turns();
  world.clock.advance(RECALL_MS / 2);
  await turns();
  // One recall is of all that there are.
  expect(world.sandbox.recalls).toEqual([3]);
  expect(world.told).toEqual(["a response", "c returned", "d returned"]);
});

it("takes nothing back that has not waited for long", async () => {
  await world.serving("b");
  world.clock.advance(RECALL_MS / 2);
  world.frames(response("a"));
  world.prefetch("c");
  await turns();
  world.clock.advance(RECALL_MS / 2);
  await turns();
  expect(world.sandbox.recalls).toEqual([]);
  world.frames(response("b"), response("c"));
  world.clock.advance(RECALL_MS);
  await turns();
  expect([world.sandbox.recalls, world.environment.idle()]).toEqual([[], world.environment]);
});

it("gives nothing back that the guest was not told of", async () => {
  await world.serving("b");
  world.sandbox.recallable = false;
  world.clock.advance(RECALL_MS);
  await turns();
  expect([world.sandbox.recalls, world.told]).toEqual([[1], []]);
  world.frames(response("a"));
  await turns();
  expect(world.told).toEqual(["a response"]);
  world.frames(response("b"));
  await turns();
  expect(world.told).toEqual(["a response", "b begun", "b response"]);
});

it("takes nothing back where the answer has come meanwhile, to a platform that was busy", async () => {
  await world.serving("b");
  world.clock.advance(10 * RECALL_MS);
  world.frames(response("a"));
  await turns();
  expect([world.sandbox.recalls, world.told]).toEqual([[], ["a response"]]);
  world.frames(response("b"));
  await turns();
  expect([world.sandbox.recalls, world.told]).toEqual([[], ["a response", "b begun", "b response"]]);
});

it("is killed for handing back what nobody has recalled", async () => {
  await world.serving("b");
  world.frames(returned("b"));
  expect(world.sandbox.kills).toBe(1);
  world.sandbox.exit({ signal: "SIGKILL" });
  expect(world.told).toEqual(["dead", "a exit", "b begun", "b exit"]);
});

it("fails all that a guest may have begun by the time that it ended for what it must not say", async () => {
  await world.serving("b", "c");
  world.frames(response("a"), encodeFrame(0x42));
  expect(world.sandbox.kills).toBe(1);
  world.sandbox.exit({ signal: "SIGKILL" });
  expect(world.told).toEqual(["a response", "dead", "b begun", "b exit", "c begun", "c exit"]);
});

it("gives back what waited where an event ends its runtime after its answer, by what it left behind", async () => {
  await world.serving("b");
  world.frames(response("a"), endedBy("a"));
  await turns();
  world.sandbox.exit({ status: 129 });
  expect(world.told).toEqual(["dead", "a response", "b returned"]);
});

it("gives back all that waited behind an event that timed out, once it is gone", async () => {
  await world.serving("b", "c");
  await world.elapse(3000);
  expect(world.told).toEqual(["dead", "a timeout"]);
  world.sandbox.exit({ signal: "SIGKILL" });
  expect(world.told.slice(2)).toEqual(["b returned", "c returned"]);
});

it("fails, and does not repeat, what it may have begun when it already counted as dead", async () => {
  await world.serving("b", "c", "d");
  await world.elapse(3000);
  world.frames(response("a"), response("b"));
  world.sandbox.exit({ signal: "SIGKILL" });
  expect(world.told.slice(-5)).toEqual(["b begun", "b exit", "c begun", "c exit", "d returned"]);
});

it("gives back all that waited behind an event that ends its runtime when it already counted as dead", async () => {
  await world.serving("b", "c", "d");
  await world.elapse(3000);
  world.frames(response("a"), endedBy("b"));
  world.sandbox.exit({ status: 129 });
  expect(world.told).toEqual(["dead", "a timeout", "b begun", "b exit", "c returned", "d returned"]);
});

it("fails the event that a guest may have gone on to when it ended right after an answer", async () => {
  await world.serving("b", "c");
  world.frames(response("a"));
  world.sandbox.exit({ status: 1 });
  expect(world.told).toEqual(["dead", "a response", "b begun", "b exit", "c returned"]);
});

it("gives back what waited in a runtime that says that it is broken", async () => {
  await world.serving("b");
  world.frames(endedBy("a"));
  await turns();
  expect(world.told).toEqual(["dead", "a error"]);
  world.sandbox.exit({ status: 1 });
  expect(world.told.slice(2)).toEqual(["b returned"]);
});

it("fails the event under way where the guest ends, and gives back those behind it", async () => {
  await world.serving("b", "c");
  world.frames(response("a"));
  await turns();
  world.sandbox.exit({ status: 1 });
  expect(world.told).toEqual(["a response", "dead", "b begun", "b exit", "c returned"]);
});

it("gives back all behind an event that ended its runtime after its answer", async () => {
  await world.serving("b", "c");
  world.frames(response("a"), lateLog("late"), endedBy("a"));
  await turns();
  expect(world.told).toEqual(["log late", "dead", "a response"]);
  world.sandbox.exit({ status: 128 });
  expect(world.told.slice(3)).toEqual(["b returned", "c returned"]);
});

it("gives back all behind an event whose runtime ended when its turn was over", async () => {
  await world.serving("b", "c");
  world.frames(response("a"));
  await turns();
  world.frames(lateLog("late"), endedBy("a"));
  expect(world.told).toEqual(["a response", "log late", "dead", "b returned"]);
  world.sandbox.exit({ status: 128 });
  expect(world.told.slice(4)).toEqual(["c returned"]);
});

/** What `a` has left behind ends the runtime, at `b`, with `c` behind it. */
async function failsByTheEnd(told: readonly string[]): Promise<void> {
  world.frames(endedBy("a"));
  await turns();
  expect([world.told, world.sandbox.kills]).toEqual([told, 0]);
  expect([world.environment.prefetching(), world.environment.idle()]).toEqual([undefined, undefined]);
  world.sandbox.exit({ status: 128 });
  expect(world.told).toEqual([...told, "dead", "b exit", "c returned"]);
}

it("fails the event behind one that ended its runtime where it counts as begun already, by that end", async () => {
  await world.serving("b");
  world.frames(response("a"));
  await turns();
  await world.elapse(100);
  world.prefetch("c");
  await failsByTheEnd(["a response", "b begun"]);
});

it("gives back all behind an event whose runtime ended after its answer, where nothing was logged", async () => {
  await world.serving("b");
  world.frames(response("a"));
  await turns();
  world.frames(endedBy("a"));
  expect(world.told).toEqual(["a response", "dead", "b returned"]);
});

it("fails an event that was begun from idle where the one before it ends its runtime late, by that end", async () => {
  world.begin(await world.idle(), "a");
  world.frames(response("a"));
  await turns();
  world.begin(world.environment.idle() as IdleEnvironment, "b");
  world.prefetch("c");
  await failsByTheEnd(["a response"]);
});

it("fails an event that is tried again by its own error where that ends its runtime", async () => {
  world.begin(await world.idle(), "a");
  world.frames(headed(FRAME.error, { requestId: "a", exit: false }));
  await turns();
  world.begin(world.environment.idle() as IdleEnvironment, "a");
  world.frames(endedBy("a"));
  await turns();
  expect(world.told).toEqual(["a error", "dead", "a error"]);
});

it("is used no more where what an event has left behind ends its runtime while it is idle", async () => {
  world.begin(await world.idle(), "a");
  world.frames(response("a"));
  await turns();
  world.frames(endedBy("a"));
  expect([world.told, world.environment.idle()]).toEqual([["a response", "dead"], undefined]);
});
