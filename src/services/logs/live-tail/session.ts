import type { LiveTailSessionStart, StartLiveTailResponseStream } from "@aws-sdk/client-cloudwatch-logs";
import type { AwsError } from "#core/errors";
import type { Clock, Timer } from "#core/clock";
import type { LogFilter } from "#patterns/filter/pattern";
import type { LogRecord } from "#telemetry/log-record";
import { logsErrors } from "../errors.ts";
import { Sample, type Sampled } from "./sample.ts";

const UPDATE_MS = 1000;
const TIMEOUT_MS = 3 * 3_600_000;
/** Updates that wait for a client that reads more slowly than they come; the oldest is dropped then. */
const MOST_WAITING = 10;
/** Own limit on the bytes of all that wait. */
const MOST_WAITING_BYTES = 8 << 20;

export interface SessionOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly start: LiveTailSessionStart;
  readonly wantsStream: (stream: string) => boolean;
  readonly matches: LogFilter;
  /** Called once, when the session is over, whatever ended it. */
  readonly onEnd: () => void;
}

/**
 * One Live Tail session: an update each second, with what was ingested meanwhile (API reference, StartLiveTail). It holds
 * no more than it would send in ten seconds, however fast events come and however slowly they are read.
 */
export class LiveTailSession {
  readonly #options: SessionOptions;
  readonly #sample: Sample;
  readonly #deadline: number;
  #waiting: Sampled[] = [];
  #timer: Timer;
  #over: { readonly error: AwsError | undefined } | undefined;
  #wake: (() => void) | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#sample = new Sample(options.random);
    this.#deadline = options.clock.now() + TIMEOUT_MS;
    this.#timer = options.clock.after(UPDATE_MS, this.#tick);
  }

  wantsStream(stream: string): boolean {
    return this.#options.wantsStream(stream);
  }

  /** @param group as results name it */
  take(group: string, stream: string, records: readonly LogRecord[]): void {
    for (const { message, timestamp, ingestionTime } of records)
      if (this.#options.matches(message)) {
        const event = {
          logStreamName: stream,
          logGroupIdentifier: group,
          message,
          timestamp,
          ingestionTime,
        };
        this.#sample.add(event, Buffer.byteLength(message));
      }
  }

  /** Ends it, with an exception in the stream where one is given. Idempotent. */
  end(error?: AwsError): void {
    if (this.#over !== undefined) return;
    this.#over = { error };
    this.#timer.cancel();
    this.#options.onEnd();
    this.#wake?.();
  }

  /** What the client is sent; to be read once. */
  async *events(): AsyncGenerator<StartLiveTailResponseStream> {
    try {
      yield { sessionStart: this.#options.start };
      for (;;) {
        const update = this.#waiting.shift();
        if (update !== undefined) {
          const { events, sampled } = update;
          yield { sessionUpdate: { sessionMetadata: { sampled }, sessionResults: [...events] } };
        } else if (this.#over === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        } else if (this.#over.error === undefined) return;
        else throw this.#over.error;
      }
    } finally {
      this.end();
      this.#waiting = [];
    }
  }

  readonly #tick = (): void => {
    const { clock } = this.#options;
    this.#waiting.push(this.#sample.take());
    let bytes = this.#waiting.reduce((sum, update) => sum + update.bytes, 0);
    while (this.#waiting.length > 1 && (this.#waiting.length > MOST_WAITING || bytes > MOST_WAITING_BYTES))
      bytes -= this.#waiting.shift()?.bytes ?? 0;
    if (clock.now() >= this.#deadline) {
      this.end(logsErrors.sessionTimeout());
      return;
    }
    this.#timer = clock.after(UPDATE_MS, this.#tick);
    this.#wake?.();
  };
}
