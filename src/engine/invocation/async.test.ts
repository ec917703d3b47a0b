import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import type { QueueAppend, QueueName } from "#storage/documents";
import type { LeasedMessage, Queue } from "#storage/queue";
import { throttled } from "../concurrency/throttle.ts";
import type { FunctionSpec, Invocation, InvocationResult, MetricSink } from "../contract.ts";
import { createAsyncInvoker } from "./async.ts";
import type { AsyncInvoker, EventQueue } from "./async.ts";
import type { AsyncEvent } from "./async-event.ts";
import type { EventLimits, EventOutcome } from "./async-outcome.ts";

interface Stored {
  readonly queue: QueueName;
  readonly id: string;
  body: Uint8Array;
  readonly sentAt: number;
  due: number;
  lease: string;
  receives: number;
}

/** A queue in memory on the test's clock, with the port's own promises. */
class MemoryQueue implements EventQueue {
  readonly stored = new Map<string, Stored>();
  readonly #clock: ManualClock;
  #listener: ((queue: QueueName) => void) | undefined;
  #next = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }
  async append(messages: readonly QueueAppend[]): Promise<readonly string[]> {
    const ids = messages.map(({ queue, body, delayMs }) => {
      const id = String(this.#next++);
      const now = this.#clock.now();
      this.stored.set(id, {
        queue,
        id,
        body,
        sentAt: now,
        due: now + (delayMs ?? 0),
        lease: "",
        receives: 0,
      });
      return id;
    });
    for (const { queue } of messages) this.#listener?.(queue);
    return ids;
  }
  async receive(queue: QueueName, max: number, leaseMs: number): Promise<readonly LeasedMessage[]> {
    const due = this.#of(queue).filter((message) => message.due <= this.#clock.now());
    return due.slice(0, max).map((message) => {
      message.due = this.#clock.now() + leaseMs;
      message.lease = String(this.#next++);
      message.receives++;
      return { ...message, receiveCount: message.receives, firstReceivedAt: message.sentAt };
    });
  }
  async ack(_queue: QueueName, id: string, lease: string): ReturnType<Queue["ack"]> {
    if (this.#held(id, lease) === undefined) return "missing";
    this.stored.delete(id);
    return "removed";
  }
  async extend(_queue: QueueName, id: string, lease: string, leaseMs: number): Promise<boolean> {
    const message = this.#held(id, lease);
    if (message !== undefined) message.due = this.#clock.now() + leaseMs;
    return message !== undefined;
  }
  async giveBack(
    _q: QueueName,
    id: string,
    lease: string,
    delayMs: number,
    body?: Uint8Array,
  ): Promise<boolean> {
    const message = this.#held(id, lease);
    if (message === undefined) return false;
    message.due = this.#clock.now() + delayMs;
    message.lease = "";
    message.body = body ?? message.body;
    return true;
  }
  depth(queue: QueueName): ReturnType<Queue["depth"]> {
    const dues = this.#of(queue).map(({ due }) => due);
    const later = dues.filter((due) => due > this.#clock.now());
    const nextDueAt = later.length === 0 ? undefined : Math.min(...later);
    const visible = dues.length - later.length;
    return { visible, leased: 0, delayed: later.length, oldestSentAt: undefined, nextDueAt };
  }
  async purge(): Promise<void> {
    this.stored.clear();
  }
  queues(): readonly QueueName[] {
    const names = new Map([...this.stored.values()].map(({ queue }) => [queue.join(), queue]));
    return [...names.values()];
  }
  watch(_prefix: readonly string[], listener: (queue: QueueName) => void): () => void {
    this.#listener = listener;
    return () => (this.#listener = undefined);
  }
  #of(queue: QueueName): Stored[] {
    return [...this.stored.values()].filter((message) => message.queue.join() === queue.join());
  }
  #held(id: string, lease: string): Stored | undefined {
    const message = this.stored.get(id);
    return message?.lease === lease && message.due > this.#clock.now() ? message : undefined;
  }
}

interface Bench {
  readonly clock: ManualClock;
  readonly queue: MemoryQueue;
  readonly invoker: AsyncInvoker;
  readonly calls: { name: string; at: number; requestId: string }[];
  readonly discarded: string[];
  readonly outcomes: EventOutcome[];
  accept(name: string, requestId?: string): Promise<void>;
  /** Moves time on and lets what it set off finish. */
  pass(ms: number): Promise<void>;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const answer = (functionError?: "Unhandled"): InvocationResult => ({
  payload: Buffer.from("null"),
  functionError,
  logTail: undefined,
});

function open(
  behave: (invocation: Invocation) => Promise<InvocationResult>,
  shared: {
    clock?: ManualClock;
    queue?: MemoryQueue;
    concurrency?: number;
    firstConcurrency?: number;
    load?: () => number;
    limits?: EventLimits;
    metrics?: MetricSink;
  } = {},
): Bench {
  const clock = shared.clock ?? new ManualClock();
  const queue = shared.queue ?? new MemoryQueue(clock);
  const start = clock.now();
  const calls: Bench["calls"] = [];
  const discarded: string[] = [];
  const outcomes: EventOutcome[] = [];
  const { limits } = shared;
  const invoker = createAsyncInvoker({
    queue,
    clock,
    concurrency: shared.concurrency ?? 100,
    firstConcurrency: shared.firstConcurrency ?? 100,
    load: shared.load ?? (() => 0),
    engine: {
      invoke: (invocation) => {
        calls.push({ name: invocation.spec.name, at: clock.now() - start, requestId: invocation.requestId });
        return behave(invocation);
      },
    },
    resolve: (arn) => (arn === "gone" ? undefined : ({ name: arn } as FunctionSpec)),
    ...(limits === undefined ? {} : { limits: () => limits }),
    ...(shared.metrics === undefined ? {} : { metrics: shared.metrics }),
    onOutcome: (_event, outcome) => void outcomes.push(outcome),
    onDiscard: (event: AsyncEvent, reason) => discarded.push(`${event.requestId} ${reason}`),
    onError: (error) => {
      throw error;
    },
  });
  // Its first look at what an earlier process left.
  clock.advance(0);
  return {
    clock,
    queue,
    invoker,
    calls,
    discarded,
    outcomes,
    accept: async (name, requestId = "r") => {
      await invoker.accept({
        account: "000000000000",
        region: "us-east-1",
        functionName: name,
        functionArn: name,
        qualifier: undefined,
        invokedArn: name,
        requestId,
        payload: Buffer.from("{}"),
        clientContext: undefined,
        traceHeader: undefined,
      });
      await settle();
    },
    pass: async (ms) => {
      for (let left = ms; left > 0; left -= 1000) {
        clock.advance(Math.min(1000, left));
        await settle();
      }
    },
  };
}

describe("the asynchronous invoker", () => {
  it("runs an event once and forgets it", async () => {
    const bench = open(async () => answer());
    await bench.accept("f");
    expect(bench.calls).toEqual([{ name: "f", at: 0, requestId: "r" }]);
    expect(bench.queue.stored.size).toBe(0);
  });

  it("tries a failing function twice more, after one and two minutes, with the same request id", async () => {
    const bench = open(async () => answer("Unhandled"));
    await bench.accept("f");
    await bench.pass(400_000);
    expect(bench.calls.map((call) => Math.round(call.at / 60_000))).toEqual([0, 1, 3]);
    expect(new Set(bench.calls.map((call) => call.requestId))).toEqual(new Set(["r"]));
    expect(bench.discarded).toEqual(["r retries"]);
    expect(bench.queue.stored.size).toBe(0);
  });

  it("keeps a failing function's runs in one trace", async () => {
    const root = "1-5759e988-bd862e3fe1be46a994272793";
    const given: (string | undefined)[] = [];
    const bench = open(async ({ traceHeader }) => {
      given.push(traceHeader);
      const traced = `Root=${root};Parent=000000000000000${given.length};Sampled=1`;
      return { ...answer("Unhandled"), traceHeader: traced };
    });
    await bench.accept("f");
    await bench.pass(400_000);
    expect(given).toEqual([undefined, `Root=${root};Sampled=1`, `Root=${root};Sampled=1`]);
  });

  it("backs off from throttles without counting them, and gives up after six hours", async () => {
    const bench = open(() =>
      Promise.reject(throttled({ reason: "ConcurrentInvocationLimitExceeded", waitMs: undefined })),
    );
    await bench.accept("f");
    await bench.pass(20_000);
    expect(bench.calls.map((call) => call.at)).toEqual([0, 1000, 3000, 7000, 15_000]);
    await bench.pass(6.2 * 3600_000);
    expect(bench.discarded).toEqual(["r age"]);
    expect(bench.calls.length).toBeGreaterThan(70);
  });

  it("tells how an event ended, before it forgets it", async () => {
    const bench = open(async () => answer());
    await bench.accept("f");
    expect(bench.outcomes).toMatchObject([{ condition: "Success", attempts: 1 }]);
  });

  it("tries as often as was configured", async () => {
    const bench = open(async () => answer("Unhandled"), { limits: { maxRetries: 0, maxAgeMs: 3600_000 } });
    await bench.accept("f");
    expect(bench.discarded).toEqual(["r retries"]);
    expect(bench.outcomes).toMatchObject([
      { condition: "RetriesExhausted", attempts: 1, last: { result: { functionError: "Unhandled" } } },
    ]);
    await bench.pass(400_000);
    expect(bench.calls).toHaveLength(1);
  });

  it.each([
    { maxAgeMs: 60_000 - 1, attempts: 1 },
    { maxAgeMs: 150_000, attempts: 2 },
  ])("gives up an event that would be older than $maxAgeMs ms, after $attempts attempts", async (given) => {
    const { maxAgeMs, attempts } = given;
    const bench = open(async () => answer("Unhandled"), { limits: { maxRetries: 2, maxAgeMs } });
    await bench.accept("f");
    await bench.pass(400_000);
    expect(bench.calls).toHaveLength(attempts);
    expect(bench.outcomes).toMatchObject([{ condition: "EventAgeExceeded", attempts }]);
    expect(bench.queue.stored.size).toBe(0);
  });

  it("gives up a throttled event by its age, without a response to tell of", async () => {
    const bench = open(
      () => Promise.reject(throttled({ reason: "ConcurrentInvocationLimitExceeded", waitMs: undefined })),
      {
        limits: { maxRetries: 2, maxAgeMs: 60_000 },
      },
    );
    await bench.accept("f");
    await bench.pass(70_000);
    const refusal = { status: 429, message: "Rate Exceeded." };
    expect(bench.outcomes).toEqual([
      { condition: "EventAgeExceeded", attempts: 0, last: undefined, refusal },
    ]);
  });

  it("drops the events of a function that is gone", async () => {
    const bench = open(async () => answer());
    await bench.accept("gone");
    expect(bench.discarded).toEqual(["r deleted"]);
    expect(bench.queue.stored.size).toBe(0);
  });

  it("lets a function with few events pass one with many", async () => {
    const waiting: (() => void)[] = [];
    const bench = open(() => new Promise((resolve) => waiting.push(() => resolve(answer()))), {
      concurrency: 4,
    });
    for (let i = 0; i < 40; i++) await bench.accept("many", `m${i}`);
    await bench.accept("few", "f0");
    for (let i = 0; i < 8; i++) {
      waiting.shift()?.();
      await settle();
    }
    expect(bench.calls.findIndex((call) => call.name === "few")).toBeLessThan(13);
    expect(bench.calls.some((call) => call.name === "few")).toBe(true);
  });

  it("lets a function's first event pass a backlog of long runs that holds every place", async () => {
    const bench = open(
      ({ spec }) => (spec.name === "many" ? new Promise(() => undefined) : Promise.resolve(answer())),
      { concurrency: 4, firstConcurrency: 4 },
    );
    for (let i = 0; i < 40; i++) await bench.accept("many", `m${i}`);
    await bench.pass(1000);
    expect(bench.calls).toHaveLength(4);
    for (const name of ["a", "b", "c"]) await bench.accept(name);
    await bench.pass(1000);
    expect(bench.calls.slice(4).map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  it("leaves a backlog alone while its function may not run, and runs it when it may", async () => {
    let stopped = true;
    const bench = open(() =>
      stopped
        ? Promise.reject(throttled({ reason: "ConcurrentInvocationLimitExceeded", waitMs: undefined }))
        : Promise.resolve(answer()),
    );
    for (let i = 0; i < 60; i++) await bench.accept("f", `r${i}`);
    await bench.pass(60_000);
    expect(bench.calls.length).toBeLessThan(30);
    stopped = false;
    const before = bench.calls.length;
    await bench.pass(10_000);
    expect(bench.calls.length - before).toBeGreaterThan(40);
  });

  it("keeps as many events of a function under way as may run at once", async () => {
    const running: (() => void)[] = [];
    const bench = open(() => {
      if (running.length >= 2)
        return Promise.reject(
          throttled({ reason: "ReservedFunctionConcurrentInvocationLimitExceeded", waitMs: undefined }),
        );
      return new Promise((resolve) => running.push(() => resolve(answer())));
    });
    for (let i = 0; i < 200; i++) await bench.accept("f", `r${i}`);
    let done = 0;
    for (let round = 0; round < 50; round++) {
      done += running.length;
      for (const finish of running.splice(0)) finish();
      await settle();
      await settle();
      await bench.pass(100);
    }
    expect(done).toBeGreaterThan(90);
    expect(bench.calls.length - done).toBeLessThan(30);
  });

  it("gives up the events of a function that may not run at all, without a try", async () => {
    const bench = open(async () => answer(), { limits: { maxRetries: 2, maxAgeMs: 1000, stopped: true } });
    await bench.accept("f");
    expect(bench.calls).toEqual([]);
    expect(bench.discarded).toEqual(["r stopped"]);
    expect(bench.outcomes).toMatchObject([{ condition: "RetriesExhausted", attempts: 0, last: undefined }]);
  });

  it("asks the storage for nothing while many functions' events wait for their next try", async () => {
    const bench = open(() =>
      Promise.reject(throttled({ reason: "ConcurrentInvocationLimitExceeded", waitMs: undefined })),
    );
    for (let i = 0; i < 50; i++) await bench.accept(`f${i}`);
    await bench.pass(200_000);
    let asked = 0;
    for (const method of ["receive", "queues", "depth"] as const) {
      const real = bench.queue[method].bind(bench.queue) as (...args: unknown[]) => never;
      bench.queue[method] = (...args: unknown[]) => (asked++, real(...args));
    }
    const before = bench.calls.length;
    await bench.pass(20_000);
    expect(asked).toBeLessThanOrEqual(2 * (bench.calls.length - before));
  });

  it("counts what is accepted, how old it is at each try, and what is dropped", async () => {
    const told: string[] = [];
    const metrics: MetricSink = {
      series: ({ name, unit, dimensions }) => ({
        record: (value) => void told.push(`${name} ${value} ${unit} ${Object.values(dimensions).join()}`),
        close: () => undefined,
      }),
    };
    const bench = open(async () => answer("Unhandled"), {
      metrics,
      limits: { maxRetries: 1, maxAgeMs: 100_000 },
    });
    await bench.accept("f");
    await bench.pass(60_000);
    expect(told.filter((line) => line.endsWith(" f,f")).toSorted()).toEqual([
      "AsyncEventAge 0 Milliseconds f,f",
      "AsyncEventAge 60000 Milliseconds f,f",
      "AsyncEventsDropped 1 Count f,f",
      "AsyncEventsReceived 1 Count f,f",
    ]);
    expect(told).toHaveLength(8);
  });

  it("keeps the lease of an event that runs for long, so that it runs once", async () => {
    let finish: (() => void) | undefined;
    const bench = open(() => new Promise((resolve) => (finish = () => resolve(answer()))));
    await bench.accept("f");
    await bench.pass(600_000);
    expect(bench.calls).toHaveLength(1);
    finish?.();
    await settle();
    expect(bench.queue.stored.size).toBe(0);
  });

  it("runs an event once whose lease has ended while the platform stood still", async () => {
    let finish: (() => void) | undefined;
    const first = new Promise<InvocationResult>((resolve) => (finish = () => resolve(answer())));
    const bench: Bench = open(() => (bench.calls.length === 1 ? first : Promise.resolve(answer())));
    await bench.accept("f");
    await settle();
    for (const message of bench.queue.stored.values()) message.due = bench.clock.now();
    await bench.accept("f");
    await settle();
    // It was received once more with the second one, which alone has run then and is gone.
    expect([...bench.queue.stored.values()].map(({ receives }) => receives)).toEqual([2]);
    await bench.pass(600_000);
    expect(bench.calls).toHaveLength(2);
    finish?.();
    await settle();
    expect(bench.queue.stored.size).toBe(0);
  });

  it("runs again what a process that died had taken", async () => {
    const first = open(() => new Promise(() => undefined));
    await first.accept("f");
    // Dies: nothing of it runs on, not even its timers.
    const clock = new ManualClock(first.clock.now());
    const queue = new MemoryQueue(clock);
    for (const [id, message] of first.queue.stored) queue.stored.set(id, message);
    const second = open(async () => answer(), { clock, queue });
    await second.pass(10_000);
    expect(second.calls).toHaveLength(0);
    await second.pass(10_000);
    expect(second.calls.map((call) => call.requestId)).toEqual(["r"]);
    expect(queue.stored.size).toBe(0);
  });

  it("loses nothing when it closes while an event runs", async () => {
    let finish: (() => void) | undefined;
    const bench = open(() => new Promise((resolve) => (finish = () => resolve(answer("Unhandled")))));
    await bench.accept("f");
    await bench.invoker.close(0);
    finish?.();
    await settle();
    expect([...bench.queue.stored.values()].map((message) => message.due <= bench.clock.now())).toEqual([
      true,
    ]);
    expect(bench.discarded).toEqual([]);
  });

  it("starts with few events of a backlog and adds more while the event loop has time left", async () => {
    let load = 0;
    const bench = open(() => new Promise(() => undefined), {
      firstConcurrency: 2,
      concurrency: 20,
      load: () => load,
    });
    for (let i = 0; i < 40; i++) await bench.accept("f", `r${i}`);
    expect(bench.calls).toHaveLength(2);
    await bench.pass(250);
    expect(bench.calls).toHaveLength(3);
    load = 0.8;
    await bench.pass(5000);
    expect(bench.calls).toHaveLength(3);
    load = 0;
    await bench.pass(250);
    expect(bench.calls).toHaveLength(5);
    for (let step = 0; step < 20; step++) await bench.pass(250);
    expect(bench.calls).toHaveLength(20);
  });

  it("goes on one event at a time while the event loop has no time left", async () => {
    const running: (() => void)[] = [];
    const bench = open(() => new Promise((resolve) => running.push(() => resolve(answer()))), {
      firstConcurrency: 8,
      load: () => 1,
    });
    for (let i = 0; i < 40; i++) await bench.accept("f", `r${i}`);
    expect(bench.calls).toHaveLength(8);
    // Short ones: they come and go between two looks.
    for (let look = 0; look < 4; look++) {
      await bench.pass(250);
      for (const finish of running.splice(0)) finish();
      await settle();
      await settle();
    }
    const before = bench.calls.length;
    expect(running).toHaveLength(1);
    running.shift()?.();
    await settle();
    expect(bench.calls).toHaveLength(before + 1);
  });

  it("lets other events pass those that run for long while the event loop has no time left", async () => {
    const bench = open(
      ({ spec }) => (spec.name === "long" ? new Promise(() => undefined) : Promise.resolve(answer())),
      { firstConcurrency: 2, load: () => 1 },
    );
    for (let i = 0; i < 3; i++) await bench.accept("long", `l${i}`);
    for (let i = 0; i < 3; i++) await bench.accept("short", `s${i}`);
    await bench.pass(2000);
    const short = bench.calls.filter(({ name }) => name === "short");
    expect(short).toHaveLength(3);
  });

  it("waits for the removal of what has run when it closes", async () => {
    let removed: (() => void) | undefined;
    const bench = open(async () => answer());
    const { queue } = bench;
    const ack = queue.ack.bind(queue);
    queue.ack = async (name, id, lease) => {
      await new Promise<void>((resolve) => (removed = resolve));
      return ack(name, id, lease);
    };
    await bench.accept("f");
    let closed = false;
    const closing = bench.invoker.close(60_000).then(() => (closed = true));
    await settle();
    expect(closed).toBe(false);
    removed?.();
    await closing;
    expect(queue.stored.size).toBe(0);
  });
});
