import { request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock, Timer } from "#core/clock";
import { categoryOf, linesFor } from "./events.ts";
import type { TelemetryEvent } from "./events.ts";
import type { Destination, Subscription } from "./subscription.ts";

/** Connects to a port inside the sandbox. */
export type Connect = (port: number) => Promise<Duplex>;

/** First and longest pause before a delivery that failed is tried again, in milliseconds. */
const RETRY_MS = { first: 50, most: 2000 };
/** An answer that takes longer is taken for none. */
const ANSWER_MS = 2000;

/** Room that functions' and extensions' lines leave to the platform's events, which they must not crowd out. */
const PLATFORM_ROOM = { items: 1000, bytes: 262_144 };

interface Line {
  readonly text: string;
  readonly bytes: number;
}

/**
 * One extension's stream of telemetry: buffered, sent in batches one after the other, and only while its environment
 * runs. What does not fit in twice the buffer is dropped and counted, so that an extension that reads slowly or not at all
 * costs the platform no more memory.
 */
export class Subscriber {
  readonly subscription: Subscription;
  readonly #clock: Clock;
  readonly #connect: Connect;
  #lines: Line[] = [];
  #bytes = 0;
  #dropped = { records: 0, bytes: 0 };
  #timer: Timer | undefined;
  #due = false;
  #paused = false;
  #closed = false;
  #sending: Promise<void> | undefined;
  #retryMs = RETRY_MS.first;
  /** The latest delivery has failed: the next is tried after a pause, however much comes meanwhile. */
  #failing = false;
  #stream: Duplex | undefined;

  constructor(subscription: Subscription, clock: Clock, connect: Connect) {
    this.subscription = subscription;
    this.#clock = clock;
    this.#connect = connect;
  }

  push(event: TelemetryEvent): void {
    const { maxBytes, maxItems, timeoutMs } = this.subscription;
    const platform = categoryOf(event) === "platform";
    for (const text of linesFor(event, this.subscription)) {
      const line = { text, bytes: Buffer.byteLength(text) };
      if (this.#keep(line, platform)) continue;
      this.#dropped.records++;
      this.#dropped.bytes += line.bytes;
    }
    if (this.#failing) return;
    if (this.#bytes >= maxBytes || this.#lines.length >= maxItems) return void this.flush();
    if (this.#lines.length > 0) this.#after(timeoutMs);
  }

  /** Nothing of the environment runs any more: it could not take a delivery. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#due) void this.flush();
  }

  /** Sends what is buffered; resolves when that has been tried. */
  flush(): Promise<void> {
    this.#due = true;
    if (this.#paused || this.#closed) return Promise.resolve();
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
      if (this.#failing) {
        this.#timer?.cancel();
        this.#timer = undefined;
      }
      if (this.#lines.length > 0) this.#after(this.#failing ? this.#retryMs : this.subscription.timeoutMs);
    });
    return this.#sending;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#stream?.destroy();
    this.#lines = [];
  }

  /** @returns whether there was room */
  #keep(line: Line, platform: boolean): boolean {
    const { maxBytes, maxItems } = this.subscription;
    const more = platform ? PLATFORM_ROOM : { items: 0, bytes: 0 };
    if (this.#bytes + line.bytes > 2 * maxBytes + more.bytes) return false;
    if (this.#lines.length >= 2 * maxItems + more.items) return false;
    this.#lines.push(line);
    this.#bytes += line.bytes;
    return true;
  }

  #after(ms: number): void {
    if (this.#closed) return;
    this.#timer ??= this.#clock.after(ms, () => {
      this.#timer = undefined;
      void this.flush();
    });
  }

  /** Sends what is buffered by now, in batches of the subscription's size. */
  async #send(): Promise<void> {
    if (this.#dropped.records > 0 && this.#keep(this.#droppedLine(), true))
      this.#dropped = { records: 0, bytes: 0 };
    for (let left = this.#lines.length; left > 0 && !this.#closed;) {
      const batch = this.#take();
      left -= batch.length;
      try {
        await this.#deliver(batch);
        this.#retryMs = RETRY_MS.first;
        this.#failing = false;
      } catch {
        if (this.#closed) return;
        this.#lines = [...batch, ...this.#lines];
        this.#bytes += sizeOf(batch);
        this.#failing = true;
        this.#retryMs = Math.min(RETRY_MS.most, 2 * this.#retryMs);
        return;
      }
    }
    this.#due = false;
  }

  /** As many lines as a batch may have; one at least. */
  #take(): readonly Line[] {
    const { maxBytes, maxItems } = this.subscription;
    let count = 0;
    for (let bytes = 0; count < Math.min(maxItems, this.#lines.length); count++) {
      bytes += this.#lines[count]?.bytes ?? 0;
      if (count > 0 && bytes > maxBytes) break;
    }
    const batch = this.#lines.splice(0, count);
    this.#bytes -= sizeOf(batch);
    return batch;
  }

  #droppedLine(): Line {
    const text = JSON.stringify({
      time: new Date(this.#clock.now()).toISOString(),
      type: "platform.logsDropped",
      record: {
        reason:
          "Some logs were dropped because the downstream consumer is slower than the logs production rate",
        droppedRecords: this.#dropped.records,
        droppedBytes: this.#dropped.bytes,
      },
    });
    return { text, bytes: Buffer.byteLength(text) };
  }

  async #deliver(batch: readonly Line[]): Promise<void> {
    const lines = batch.map(({ text }) => text);
    const { destination } = this.subscription;
    if (destination.protocol === "HTTP") {
      const stream = await this.#connect(destination.port);
      this.#stream = stream;
      try {
        await post(stream, destination, `[${lines.join(",")}]`, this.#clock);
      } finally {
        stream.destroy();
      }
      return;
    }
    if (this.#stream === undefined || this.#stream.destroyed) {
      this.#stream = await this.#connect(destination.port);
      this.#stream.on("error", () => undefined).resume();
    }
    const stream = this.#stream;
    await new Promise<void>((resolve, reject) =>
      stream.write(`${lines.join("\n")}\n`, (error) => (error == null ? resolve() : reject(error))),
    );
  }
}

function sizeOf(batch: readonly Line[]): number {
  return batch.reduce((sum, { bytes }) => sum + bytes, 0);
}

function post(
  stream: Duplex,
  { port, path, method }: Extract<Destination, { protocol: "HTTP" }>,
  body: string,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ANSWER_MS, () => stream.destroy(new Error("no answer in time")));
    stream.once("close", () => {
      timer.cancel();
      reject(new Error("closed before it answered"));
    });
    const request = httpRequest({
      createConnection: () => stream,
      path,
      method,
      headers: {
        Host: `sandbox.localdomain:${port}`,
        "Content-Type": "application/json",
        "Content-Length": Buffer.byteLength(body),
        Connection: "close",
      },
    });
    request.once("error", reject);
    request.once("response", (response) => {
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) resolve();
      else reject(new Error(`status ${status}`));
    });
    request.end(body);
  });
}
