import { afterEach, beforeEach, expect, it } from "vitest";
import { ManualClock } from "../../src/core/clock.ts";
import { systemIds } from "../../src/core/ids.ts";
import { Readiness, type QueuePrefix } from "../../src/engine/pollers/readiness.ts";
import { openLocalStorage } from "../../src/storage/local/open.ts";
import type { Storage } from "../../src/storage/storage.ts";

let clock: ManualClock;
let storage: Storage;
let readiness: Readiness;
const prefix: QueuePrefix = ["111111111111", "us-east-1", "sqs", "queue"];
const queue = [...prefix, "0123456789abcdef"] as const;

beforeEach(async () => {
  clock = new ManualClock();
  storage = await openLocalStorage({ folder: "", clock, ids: systemIds, ephemeral: true });
  readiness = new Readiness(storage.queue, clock);
});
afterEach(async () => {
  readiness.close();
  await storage.close();
});

/** Whether the wait has ended, when asked. */
function wait(afterNothing = false, signal = new AbortController().signal) {
  let over = false;
  void readiness.wait(prefix, signal, afterNothing).then(() => (over = true));
  return async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return over;
  };
}
const append = (delayMs = 0) => storage.queue.append([{ queue, body: Buffer.from("x"), delayMs }]);

it("is over at once where there is a message, and with the next one where there is none", async () => {
  const first = wait();
  expect(await first()).toBe(false);
  clock.advance(3_600_000);
  expect(await first()).toBe(false);
  await append();
  expect(await first()).toBe(true);
  expect(await wait()()).toBe(true);
});

it("is over when a delay or a lease ends", async () => {
  await append(5000);
  const delayed = wait();
  clock.advance(4900);
  expect(await delayed()).toBe(false);
  clock.advance(200);
  expect(await delayed()).toBe(true);
  await storage.queue.receive(queue, 1, 10_000);
  const leased = wait();
  clock.advance(9900);
  expect(await leased()).toBe(false);
  clock.advance(200);
  expect(await leased()).toBe(true);
});

it("does not hurry where a receive has just found nothing", async () => {
  await append();
  const held = wait(true);
  expect(await held()).toBe(false);
  clock.advance(1100);
  expect(await held()).toBe(true);
});

it("ends with its signal, and hears of its own queue alone", async () => {
  const abort = new AbortController();
  const aborted = wait(false, abort.signal);
  await storage.queue.append([
    { queue: ["111111111111", "us-east-1", "sqs", "other", "0"], body: Buffer.from("x") },
  ]);
  expect(await aborted()).toBe(false);
  abort.abort();
  expect(await aborted()).toBe(true);
  expect(await wait(false, abort.signal)()).toBe(true);
});
