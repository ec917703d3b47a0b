import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { AwsError } from "#core/errors";
import { throttled } from "../concurrency/throttle.ts";
import type { InvocationResult } from "../contract.ts";
import type { PolledRecord, QueueMapping, QueueSource } from "./contract.ts";
import { Pollers } from "./pollers.ts";
import { QUEUE_SCALING } from "./scaling.ts";

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
};

const answer = (payload: unknown = null, functionError?: "Unhandled"): InvocationResult => ({
  payload: Buffer.from(JSON.stringify(payload)),
  functionError,
  logTail: undefined,
});

/** A queue on the test's clock, with what the source port promises. */
class FakeQueue implements QueueSource {
  readonly messages: { record: PolledRecord; due: number; group: string | undefined; receives: number }[] =
    [];
  readonly hidden: number;
  refuse: Error | undefined;
  asked = 0;
  readonly #clock: ManualClock;
  #wakes = new Set<() => void>();

  constructor(clock: ManualClock, hidden = 30_000) {
    this.#clock = clock;
    this.hidden = hidden;
  }

  send(...ids: string[]): void {
    for (const id of ids) {
      const json = JSON.stringify({ messageId: id });
      const record = { id, json, filtered: () => ({ messageId: id }), traceHeader: undefined };
      const group = id.includes(":") ? id.split(":")[0] : undefined;
      this.messages.push({ record, due: 0, group, receives: 0 });
    }
    this.wake();
  }

  wake(): void {
    for (const wake of this.#wakes) wake();
    this.#wakes.clear();
  }

  ready(signal: AbortSignal, afterNothing: boolean): Promise<void> {
    if (signal.aborted || (!afterNothing && this.#visible().length > 0)) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#wakes.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  async receive(max: number): Promise<readonly PolledRecord[]> {
    this.asked++;
    if (this.refuse !== undefined) throw this.refuse;
    const taken = this.#visible().slice(0, max);
    for (const message of taken) {
      message.due = this.#clock.now() + this.hidden;
      message.receives++;
    }
    return taken.map(({ record }) => record);
  }

  async remove(records: readonly PolledRecord[]): Promise<void> {
    for (const { id } of records) {
      const at = this.messages.findIndex(({ record }) => record.id === id);
      if (at >= 0) this.messages.splice(at, 1);
    }
    this.wake();
  }

  async hiddenMs(): Promise<number> {
    return this.hidden;
  }

  ids(): string[] {
    return this.messages.map(({ record }) => record.id);
  }

  #visible() {
    const now = this.#clock.now();
    const held = new Set(this.messages.filter(({ due }) => due > now).map(({ group }) => group));
    return this.messages.filter(({ due, group }) => due <= now && (group === undefined || !held.has(group)));
  }
}

interface Bench {
  readonly clock: ManualClock;
  readonly queue: FakeQueue;
  readonly pollers: Pollers;
  readonly mapping: QueueMapping;
  readonly batches: string[][];
  readonly counted: Map<string, number>;
  pass(ms: number): Promise<void>;
}

async function open(
  behave: (ids: readonly string[]) => Promise<InvocationResult>,
  settings: Partial<QueueMapping> & { most?: number; load?: () => number } = {},
): Promise<Bench> {
  const clock = new ManualClock();
  const queue = new FakeQueue(clock);
  const batches: string[][] = [];
  const counted = new Map<string, number>();
  const { most = 1000, load = () => 0, ...rest } = settings;
  const pollers = new Pollers({
    clock,
    most,
    load,
    onError: (error) => {
      throw error;
    },
  });
  const mapping: QueueMapping = {
    id: "a/r/uuid",
    source: queue,
    target: {
      admit: (records) => ({ admitted: records, stopped: 0 }),
      invoke: (records) => {
        const ids = records.map(({ id }) => id);
        batches.push(ids);
        return behave(ids);
      },
    },
    batchSize: 10,
    windowMs: 0,
    ordered: false,
    partial: false,
    scaling: QUEUE_SCALING,
    accepts: undefined,
    count: (metric, events) => counted.set(metric, (counted.get(metric) ?? 0) + events),
    ...rest,
  };
  pollers.start(mapping);
  await settle();
  return {
    clock,
    queue,
    pollers,
    mapping,
    batches,
    counted,
    async pass(ms) {
      for (let left = ms; left > 0; left -= 100) {
        clock.advance(Math.min(100, left));
        queue.wake();
        await settle();
      }
    },
  };
}

const never = (): Promise<InvocationResult> => new Promise(() => undefined);

describe("a queue's poller", () => {
  it("gives a function what is there, at most a batch at once, and removes it", async () => {
    const bench = await open(async () => answer(), { batchSize: 3 });
    bench.queue.send("1", "2", "3", "4");
    await settle();
    expect(bench.batches).toEqual([["1", "2", "3"], ["4"]]);
    expect(bench.queue.ids()).toEqual([]);
    expect(Object.fromEntries(bench.counted)).toEqual({
      PolledEventCount: 4,
      InvokedEventCount: 4,
      DeletedEventCount: 4,
    });
  });

  it("asks an empty queue for nothing", async () => {
    const bench = await open(async () => answer());
    bench.queue.send("1");
    await settle();
    const { asked } = bench.queue;
    bench.clock.advance(3_600_000);
    await settle();
    expect(bench.queue.asked).toBe(asked);
  });

  it("leaves what a function fails on to the queue's visibility timeout", async () => {
    let fails = true;
    const bench = await open(async () => (fails ? answer({}, "Unhandled") : answer()));
    bench.queue.send("1", "2");
    await settle();
    expect(bench.batches).toHaveLength(1);
    await bench.pass(29_900);
    expect(bench.batches).toHaveLength(1);
    fails = false;
    await bench.pass(200);
    expect(bench.batches).toEqual([
      ["1", "2"],
      ["1", "2"],
    ]);
    expect(bench.queue.ids()).toEqual([]);
    expect(bench.counted.get("FailedInvokeEventCount")).toBe(2);
  });

  it("removes what a partial batch response does not name", async () => {
    const failed = { batchItemFailures: [{ itemIdentifier: "2" }] };
    const bench = await open(async () => answer(failed), { partial: true });
    bench.queue.send("1", "2", "3");
    await settle();
    expect(bench.queue.ids()).toEqual(["2"]);
  });

  it("removes what filters reject, unprocessed", async () => {
    const accepts = (record: unknown) => (record as { messageId: string }).messageId !== "2";
    const bench = await open(async () => answer(), { accepts });
    bench.queue.send("1", "2", "3");
    await settle();
    expect(bench.batches).toEqual([["1", "3"]]);
    expect(bench.queue.ids()).toEqual([]);
    expect(bench.counted.get("FilteredOutEventCount")).toBe(1);
    expect(bench.counted.get("DeletedEventCount")).toBe(2);
  });

  it("waits for more until its window is over, or the batch is full", async () => {
    const bench = await open(async () => answer(), { batchSize: 15, windowMs: 5000 });
    bench.queue.send("1");
    await settle();
    await bench.pass(3000);
    bench.queue.send("2");
    await settle();
    await bench.pass(1500);
    expect(bench.batches).toEqual([]);
    await bench.pass(600);
    expect(bench.batches).toEqual([["1", "2"]]);
    bench.queue.send(...Array.from({ length: 17 }, (_, n) => `m${n}`));
    await settle();
    expect(bench.batches.slice(1).map(({ length }) => length)).toEqual([15]);
    await bench.pass(5100);
    expect(bench.batches.slice(2).map(({ length }) => length)).toEqual([2]);
  });

  it("splits a batch whose event would be larger than 6 MB", async () => {
    const bench = await open(async () => answer());
    bench.queue.send("1", "2", "3");
    for (const message of bench.queue.messages)
      Object.assign(message.record, { json: JSON.stringify("x".repeat(2_500_000)) });
    bench.queue.wake();
    await settle();
    expect(bench.batches.flat()).toEqual(["1", "2", "3"]);
    expect(bench.batches.every(({ length }) => length <= 2)).toBe(true);
  });

  it("runs a group's next batch only after the one before, and what others hold meanwhile", async () => {
    const finish: (() => void)[] = [];
    const bench = await open(() => new Promise((resolve) => finish.push(() => resolve(answer()))), {
      batchSize: 1,
      ordered: true,
    });
    bench.queue.send("a:1", "a:2", "b:1");
    await settle();
    await bench.pass(300);
    expect(bench.batches).toEqual([["a:1"], ["b:1"]]);
    finish[0]?.();
    await settle();
    await bench.pass(300);
    expect(bench.batches).toEqual([["a:1"], ["b:1"], ["a:2"]]);
  });

  it("tries a throttled batch again with ever longer pauses while its messages are hidden, then leaves them", async () => {
    const bench = await open(() =>
      Promise.reject(throttled({ reason: "ConcurrentInvocationLimitExceeded", waitMs: undefined })),
    );
    bench.queue.send("1");
    await settle();
    await bench.pass(29_000);
    expect(bench.batches.length).toBeGreaterThan(4);
    expect(bench.batches.length).toBeLessThan(10);
    expect(bench.queue.messages[0]?.receives).toBe(1);
    await bench.pass(10_000);
    expect(bench.queue.messages[0]?.receives).toBe(2);
  });

  it("starts with five batches at once and adds three hundred a minute", async () => {
    const bench = await open(never, { batchSize: 1 });
    bench.queue.send(...Array.from({ length: 1000 }, (_, n) => String(n)));
    await settle();
    await bench.pass(400);
    expect(bench.batches.length).toBeLessThanOrEqual(6);
    await bench.pass(20_000);
    expect(bench.batches.length).toBeGreaterThan(90);
    expect(bench.batches.length).toBeLessThan(115);
  });

  it("never runs more batches than MaximumConcurrency", async () => {
    const bench = await open(never, { batchSize: 1, scaling: { ...QUEUE_SCALING, most: 2 } });
    bench.queue.send("1", "2", "3", "4");
    await bench.pass(5000);
    expect(bench.batches).toHaveLength(2);
    expect(bench.queue.messages.filter(({ receives }) => receives > 0)).toHaveLength(2);
  });

  it("adds none while the event loop has no time left", async () => {
    const bench = await open(never, { batchSize: 1, load: () => 1, most: 1 });
    bench.queue.send("1", "2", "3");
    await settle();
    expect(bench.batches).toHaveLength(1);
    expect(bench.queue.messages.filter(({ receives }) => receives > 0)).toHaveLength(1);
  });

  it("takes nothing more when it is stopped, and tells when the last batch has ended", async () => {
    let finish: (() => void) | undefined;
    const bench = await open(() => new Promise((resolve) => (finish = () => resolve(answer()))));
    bench.queue.send("1");
    await settle();
    bench.pollers.stop(bench.mapping.id);
    bench.queue.send("2");
    await settle();
    expect(bench.pollers.state(bench.mapping.id).busy).toBe(true);
    finish?.();
    await settle();
    expect(bench.pollers.state(bench.mapping.id).busy).toBe(false);
    expect(bench.queue.ids()).toEqual(["2"]);
  });

  it("tells why it cannot read, tries less and less often, and goes on once it can", async () => {
    const bench = await open(async () => answer());
    bench.queue.refuse = new AwsError("AccessDenied", "Not for this role.");
    bench.queue.send("1");
    await settle();
    await bench.pass(30_000);
    expect(bench.pollers.state(bench.mapping.id).problem).toBe("Not for this role.");
    expect(bench.queue.asked).toBeLessThan(10);
    bench.queue.refuse = undefined;
    await bench.pass(60_000);
    expect(bench.queue.ids()).toEqual([]);
    expect(bench.pollers.state(bench.mapping.id).problem).toBeUndefined();
  });

  it("leaves to the queue what would close a loop", async () => {
    const bench = await open(async () => answer(), {
      target: {
        admit: (records) => ({ admitted: records.filter(({ id }) => id !== "2"), stopped: 1 }),
        invoke: async () => answer(),
      },
    });
    bench.queue.send("1", "2", "3");
    await settle();
    expect(bench.queue.ids()).toEqual(["2"]);
  });

  it("ends at once where nobody waits for its batches", async () => {
    const bench = await open(never);
    bench.queue.send("1");
    await settle();
    await bench.pollers.close(0);
    bench.queue.send("2");
    await settle();
    expect(bench.batches).toEqual([["1"]]);
  });
});
