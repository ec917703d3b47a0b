import type { Clock, Timer } from "#core/clock";
import type { Signal } from "./signals.ts";
import type { Fields } from "./values.ts";

export interface ExporterOptions<T> {
  readonly clock: Clock;
  readonly signal: Signal;
  /** Of the signal itself, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  /** May hold secrets: they are told to nobody else. */
  readonly headers: Readonly<Record<string, string>>;
  /** Makes a request's body of what was pushed. */
  readonly encode: (items: readonly T[]) => Fields;
  /** How much room an item takes, in bytes. */
  readonly sizeOf: (item: T) => number;
  /** Told of items that are lost, of all together at most once in ten seconds. */
  readonly onDropped: (count: number, reason: string) => void;
  /** For tests. */
  readonly post?: Post;
  /** From 0 to below 1: spreads the retries of many platforms. */
  readonly random?: () => number;
}

/** @returns the status and Retry-After; rejects where nobody answers */
export type Post = (
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
) => Promise<{ readonly status: number; readonly retryAfter?: string | undefined }>;

const INTERVAL_MS = 1000;
const BATCH = 512;
const BATCH_BYTES = 1024 * 1024;
const MOST_BYTES = 16 * 1024 * 1024;
/** OTLP specification, "OTLP/HTTP Response": all others are for good. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const FIRST_RETRY_MS = 1000;
const MOST_RETRY_MS = 30_000;
const TRIES = 6;
const REPORT_MS = 10_000;
const PATIENCE_MS = 10_000;

/**
 * Sends one signal to a collector in OTLP/HTTP, as JSON. Pushing costs as much as pushing to an array; one request is under
 * way at a time. What the collector cannot take now is tried again with growing pauses, and what finds no room meanwhile is
 * dropped and told.
 */
export class OtlpExporter<T> {
  readonly #options: ExporterOptions<T>;
  readonly #post: Post;
  #waiting: T[] = [];
  #bytes = 0;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  #wake: (() => void) | undefined;
  #dropped = 0;
  #reason = "";
  #report: Timer | undefined;
  /** Since it was made. */
  readonly counts = { exported: 0, dropped: 0 };

  constructor(options: ExporterOptions<T>) {
    this.#options = options;
    this.#post = options.post ?? postByFetch;
  }

  push(item: T): void {
    if (this.#closed) return;
    const size = this.#options.sizeOf(item);
    if (this.#bytes + size > MOST_BYTES) return this.#drop(1, "there is no room for more");
    this.#waiting.push(item);
    this.#bytes += size;
    this.#timer ??= this.#options.clock.after(INTERVAL_MS, () => this.#start());
  }

  /** Tries to send what is left, once, and no more of it after a failure. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    this.#start();
    await this.#running;
    this.#report?.cancel();
    this.#tell();
  }

  #start(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      const body = this.#encode(batch);
      // oxlint-disable-next-line no-await-in-loop
      const problem = body === undefined ? "it cannot be encoded" : await this.#deliver(body);
      if (problem === undefined) this.counts.exported += batch.length;
      else this.#drop(batch.length, problem);
      // A collector that does not answer would hold up the end for as long as it takes to give up each batch.
      if (problem !== undefined && this.#closed) this.#drop(this.#waiting.splice(0).length, problem);
    }
  }

  #encode(batch: readonly T[]): string | undefined {
    try {
      return JSON.stringify(this.#options.encode(batch));
    } catch {
      return undefined;
    }
  }

  #take(): readonly T[] {
    let count = 0;
    let bytes = 0;
    for (const item of this.#waiting) {
      if (count === BATCH || (count > 0 && bytes >= BATCH_BYTES)) break;
      bytes += this.#options.sizeOf(item);
      count++;
    }
    this.#bytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  /** @returns why it was not taken; undefined where it was */
  async #deliver(body: string): Promise<string | undefined> {
    const { url, headers } = this.#options;
    let problem = "";
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      let retryAfter: string | undefined;
      try {
        // oxlint-disable-next-line no-await-in-loop
        const answer = await this.#post(url, headers, body);
        if (answer.status >= 200 && answer.status < 300) return undefined;
        problem = `the collector answered ${answer.status}`;
        if (!RETRYABLE.has(answer.status)) return problem;
        ({ retryAfter } = answer);
      } catch {
        // What fetch says may hold the URL, and that a password.
        problem = "the collector does not answer";
      }
      if (this.#closed || attempt === TRIES) break;
      // oxlint-disable-next-line no-await-in-loop
      await this.#pause(attempt, retryAfter);
    }
    return problem;
  }

  #pause(attempt: number, retryAfter: string | undefined): Promise<void> {
    const { clock, random = Math.random } = this.#options;
    const asked = Number(retryAfter) * 1000;
    const growing = FIRST_RETRY_MS * 2 ** (attempt - 1) * (0.5 + random() / 2);
    const delay = Math.min(MOST_RETRY_MS, asked > 0 ? asked : growing);
    return new Promise((resolve) => {
      const timer = clock.after(delay, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #drop(count: number, reason: string): void {
    this.#dropped += count;
    this.counts.dropped += count;
    this.#reason = reason;
    this.#report ??= this.#options.clock.after(REPORT_MS, () => {
      this.#report = undefined;
      this.#tell();
    });
  }

  #tell(): void {
    if (this.#dropped > 0) this.#options.onDropped(this.#dropped, this.#reason);
    this.#dropped = 0;
  }
}

const postByFetch: Post = async (url, headers, body) => {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body,
    redirect: "error",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  // The connection is free for the next request once this was read.
  await response.arrayBuffer();
  return { status: response.status, retryAfter: response.headers.get("retry-after") ?? undefined };
};
