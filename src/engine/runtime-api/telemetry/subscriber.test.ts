import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { until } from "../../../../test/support/until.ts";
import { Subscriber } from "./subscriber.ts";
import { parseSubscription } from "./subscription.ts";

let clock: ManualClock;
let server: Server;
let batches: { type: string; record: unknown }[][];
let refuse: number;
let subscriber: Subscriber;

beforeEach(async () => {
  clock = new ManualClock();
  [batches, refuse] = [[], 0];
  server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    request.once("end", () => {
      if (refuse-- > 0) response.writeHead(500);
      else batches.push(JSON.parse(text) as (typeof batches)[number]);
      response.end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const subscription = parseSubscription(
    "Telemetry",
    Buffer.from(
      JSON.stringify({
        types: ["function"],
        destination: { protocol: "HTTP", URI: `http://sandbox.localdomain:${port}` },
        buffering: { timeoutMs: 100, maxItems: 1000 },
      }),
    ),
  );
  subscriber = new Subscriber(subscription, clock, async (to) => {
    const socket = connect(to, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  });
});

afterEach(() => {
  subscriber.close();
  server.close();
  server.closeAllConnections();
});

const say = (record: string): void => subscriber.push({ time: clock.now(), type: "function", record });
const records = (): unknown[] => batches.flat().map(({ record }) => record);

describe("a telemetry subscriber", () => {
  it("is sent what came within its time as one batch", async () => {
    say("a");
    clock.advance(99);
    say("b");
    expect(batches).toEqual([]);
    clock.advance(1);
    await until(() => expect(batches).toHaveLength(1));
    expect(records()).toEqual(["a", "b"]);
  });

  it("is sent nothing while its environment stands still", async () => {
    subscriber.pause();
    say("a");
    clock.advance(1000);
    await subscriber.flush();
    expect(batches).toEqual([]);
    subscriber.resume();
    await until(() => expect(records()).toEqual(["a"]));
  });

  it("is sent again, in order, what it refused", async () => {
    refuse = 2;
    say("a");
    await subscriber.flush();
    say("b");
    for (let tries = 0; tries < 3; tries++) {
      clock.advance(2000);
      await subscriber.flush();
    }
    expect(records()).toEqual(["a", "b"]);
  });

  it("loses what it does not take in time, and is told how much", async () => {
    const line = "x".repeat(100_000);
    refuse = 2;
    subscriber.pause();
    for (let i = 0; i < 10; i++) say(line);
    subscriber.resume();
    for (let tries = 0; tries < 3; tries++) await subscriber.flush();
    // Two of these lines fill a batch.
    expect(batches.map((batch) => batch.length)).toEqual([2, 2, 2]);
    const all = batches.flat();
    expect(all.filter(({ type }) => type === "function")).toHaveLength(5);
    expect(all.at(-1)).toMatchObject({
      type: "platform.logsDropped",
      record: { droppedRecords: 5, droppedBytes: expect.any(Number) as number },
    });
  });

  it("that refuses is tried again after a pause, not with each line", async () => {
    let tries = 0;
    const refusing = new Subscriber(subscriber.subscription, clock, () => {
      tries++;
      return Promise.reject(new Error("refused"));
    });
    const flood = async (lines: number): Promise<void> => {
      for (let i = 0; i < lines; i++) {
        refusing.push({ time: 0, type: "function", record: "a line" });
        // oxlint-disable-next-line no-await-in-loop
        if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await flood(2000);
    expect(tries).toBe(1);
    clock.advance(100);
    await flood(1000);
    expect(tries).toBe(2);
    refusing.close();
  });

  it("is told of the platform's events whatever else is lost", async () => {
    for (let i = 0; i < 3000; i++) say("a line");
    const runtimeDone = { time: 0, type: "platform.runtimeDone", record: { requestId: "r" } };
    subscriber.push(runtimeDone);
    await subscriber.flush();
    await subscriber.flush();
    expect(batches.every((batch) => batch.length <= 1000)).toBe(true);
    expect(batches.flat()).toContainEqual({ ...runtimeDone, time: "1970-01-01T00:00:00.000Z" });
  });
});
