import { request as httpRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock, Timer } from "#core/clock";
import { linesFor } from "./events.ts";
import type { TelemetryEvent } from "./events.ts";
import type { Destination, Subscription } from "./subscription.ts";

/** Connects to a port inside the sandbox. */
export type Connect = (port: number) => Promise<Duplex>;

/** First and longest pause before a delivery that failed is tried again, in milliseconds. */
const RETRY_MS = { first: 50, most: 2000 };
/** An answer that takes longer is taken for none. */
const ANSWER_MS = 2000;

/**
 * One extension's stream of telemetry: buffered, sent in batches one after the other, and only while its environment
 * runs. What does not fit in twice the buffer is dropped and counted, so that an extension that reads slowly or not at all
 * costs the platform no more memory.
 */
export class Subscriber {
  readonly subscription: Subscription;
  readonly #clock: Clock;
  readonly #connect: Connect;
  #lines: string[] = [];
  #bytes = 0;
  #dropped = { records: 0, bytes: 0 };
  #timer: Timer | undefined;
  #due = false;
  #paused = false;
  #closed = false;
  #sending: Promise<void> | undefined;
  #retryMs = RETRY_MS.first;
  #stream: Duplex | undefined;

  constructor(subscription: Subscription, clock: Clock, connect: Connect) {
    this.subscription = subscription;
    this.#clock = clock;
    this.#connect = connect;
  }

  push(event: TelemetryEvent): void {
    const { maxBytes, maxItems, timeoutMs } = this.subscription;
    for (const line of linesFor(event, this.subscription)) {
      const bytes = Buffer.byteLength(line);
      if (this.#bytes + bytes > 2 * maxBytes || this.#lines.length >= 2 * maxItems) {
        this.#dropped.records++;
        this.#dropped.bytes += bytes;
        continue;
      }
      this.#lines.push(line);
      this.#bytes += bytes;
    }
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
      if (this.#lines.length > 0) this.#after(this.#due ? this.#retryMs : this.subscription.timeoutMs);
    });
    return this.#sending;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#stream?.destroy();
    this.#lines = [];
  }

  #after(ms: number): void {
    if (this.#closed) return;
    this.#timer ??= this.#clock.after(ms, () => {
      this.#timer = undefined;
      void this.flush();
    });
  }

  async #send(): Promise<void> {
    const lines = this.#lines;
    const bytes = this.#bytes;
    this.#lines = [];
    this.#bytes = 0;
    const dropped = this.#dropped;
    const told = dropped.records > 0 ? [...lines, this.#droppedLine()] : lines;
    this.#dropped = { records: 0, bytes: 0 };
    if (told.length === 0) {
      this.#due = false;
      return;
    }
    try {
      await this.#deliver(told);
      this.#due = false;
      this.#retryMs = RETRY_MS.first;
    } catch {
      if (this.#closed) return;
      this.#lines = [...lines, ...this.#lines];
      this.#bytes += bytes;
      this.#dropped.records += dropped.records;
      this.#dropped.bytes += dropped.bytes;
      this.#retryMs = Math.min(RETRY_MS.most, 2 * this.#retryMs);
    }
  }

  #droppedLine(): string {
    return JSON.stringify({
      time: new Date(this.#clock.now()).toISOString(),
      type: "platform.logsDropped",
      record: {
        reason:
          "Some logs were dropped because the downstream consumer is slower than the logs production rate",
        droppedRecords: this.#dropped.records,
        droppedBytes: this.#dropped.bytes,
      },
    });
  }

  async #deliver(lines: readonly string[]): Promise<void> {
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
