import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import type { ResponseSink } from "../contract.ts";
import { MAX_RESPONSE_BYTES, MAX_STREAMED_BYTES } from "./errors.ts";
import { SinkReceiver, WholeReceiver } from "./response-stream.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A reader that takes a part only when told to, or each at once. */
class Reader implements ResponseSink {
  readonly parts: Buffer[] = [];
  bytes = 0;
  eager = true;
  /** Whether the parts are wanted, not their number of bytes alone. */
  keeps = true;
  #take: (() => void) | undefined;

  begin(): void {}

  write(part: Uint8Array): Promise<void> {
    if (this.keeps) this.parts.push(Buffer.from(part));
    this.bytes += part.length;
    return this.eager ? Promise.resolve() : new Promise((resolve) => (this.#take = resolve));
  }

  take(): Promise<void> {
    this.#take?.();
    return turn();
  }
}

function receiverFor(reader: Reader) {
  const clock = new ManualClock();
  const counted = { taken: 0 };
  const receiver = new SinkReceiver(reader, clock, (bytes) => (counted.taken += bytes));
  return { clock, counted, receiver };
}

describe("a response that goes to a sink", () => {
  it("is given on part by part, in order, and counts as taken only then", async () => {
    const reader = new Reader();
    reader.eager = false;
    const { receiver, counted } = receiverFor(reader);
    let drained = false;
    for (const text of ["one", "two", "three"]) receiver.push(Buffer.from(text));
    void receiver.drained().then(() => (drained = true));
    await turn();
    expect(reader.parts.map(String)).toEqual(["one"]);
    expect(counted.taken).toBe(0);
    await reader.take();
    // What came meanwhile goes on together.
    expect(reader.parts.map(String)).toEqual(["one", "twothree"]);
    expect([counted.taken, drained]).toEqual([3, false]);
    receiver.push(Buffer.from("four"));
    await reader.take();
    await reader.take();
    expect(reader.parts.map(String)).toEqual(["one", "twothree", "four"]);
    expect([counted.taken, drained]).toEqual([15, true]);
  });

  it("does not keep an object for every byte that waits", async () => {
    const reader = new Reader();
    reader.eager = false;
    const { receiver } = receiverFor(reader);
    for (let byte = 0; byte < 262_144; byte++) receiver.push(Buffer.of(byte % 251));
    await turn();
    reader.eager = true;
    await reader.take();
    await receiver.drained();
    expect(reader.parts.length).toBeLessThan(8);
    const all = Buffer.concat(reader.parts);
    expect(all.length).toBe(262_144);
    expect(all.every((value, at) => value === at % 251)).toBe(true);
  });

  it("has its first 6 MB at once and 2 MB in a second from then on, up to 200 MB", async () => {
    const reader = new Reader();
    reader.keeps = false;
    const { receiver, clock } = receiverFor(reader);
    const part = Buffer.alloc(1024 * 1024);
    const started = clock.now();
    for (let pushed = 0; pushed < 200; pushed++) {
      expect(receiver.push(part)).toBe(true);
      // oxlint-disable-next-line no-await-in-loop
      await turn();
      // oxlint-disable-next-line no-await-in-loop
      for (; reader.bytes < receiver.bytes; await turn()) clock.advance(100);
      if (pushed === 5) expect(clock.now()).toBe(started);
    }
    expect(reader.bytes).toBe(MAX_STREAMED_BYTES);
    // 194 MB at 2 MB in a second; the last part goes as soon as there is bandwidth for its first byte.
    expect((clock.now() - started) / 1000).toBeGreaterThan(96);
    expect((clock.now() - started) / 1000).toBeLessThan(98);
    expect(receiver.push(Buffer.of(1))).toBe(false);
    await receiver.drained();
    expect([receiver.overflowed, reader.bytes]).toEqual([true, MAX_STREAMED_BYTES]);
  });

  it("is cut at its limit, and what is thrown away counts as taken", async () => {
    const reader = new Reader();
    reader.keeps = false;
    const { receiver, clock, counted } = receiverFor(reader);
    const large = Buffer.alloc(MAX_STREAMED_BYTES + 10);
    expect(receiver.push(large)).toBe(false);
    expect(counted.taken).toBe(10);
    clock.advance(1000);
    await receiver.drained();
    expect(reader.bytes).toBe(MAX_STREAMED_BYTES);
    expect(counted.taken).toBe(large.length);
  });
});

describe("a response that is wanted whole", () => {
  it("is put together from its parts", () => {
    let taken = 0;
    const receiver = new WholeReceiver((bytes) => (taken += bytes));
    const parts = Array.from({ length: 3000 }, (_, index) => Buffer.from(`part ${index};`));
    for (const part of parts) expect(receiver.push(part)).toBe(true);
    expect(Buffer.concat(parts).equals(receiver.payload)).toBe(true);
    expect(taken).toBe(receiver.payload.length);
  });

  it("may have 6 MB and no byte more", () => {
    const receiver = new WholeReceiver(() => undefined);
    expect(receiver.push(Buffer.alloc(MAX_RESPONSE_BYTES))).toBe(true);
    expect(receiver.overflowed).toBe(false);
    expect(receiver.push(Buffer.of(1))).toBe(false);
    expect(receiver.overflowed).toBe(true);
  });
});
