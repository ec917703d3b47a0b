import type { Clock } from "#core/clock";
import type { ResponseSink } from "../contract.ts";
import { MAX_RESPONSE_BYTES, MAX_STREAMED_BYTES } from "./errors.ts";

/** Where the parts of one streamed response go, as they come from a function. */
export interface ResponseReceiver {
  /** The most that it takes; what comes beyond is thrown away. */
  readonly limitBytes: number;
  /** How much has come, the part that was thrown away included. */
  readonly bytes: number;
  readonly overflowed: boolean;
  /** @returns `overflowed` is not so */
  push(chunk: Buffer): boolean;
}

/**
 * "The first 6 MB of your function's response payload has uncapped bandwidth. After this initial burst, Lambda streams your
 * response at a maximum rate of 2 MBps" (AWS Lambda Developer Guide, "Bandwidth limits for response streaming"). A token
 * bucket of these figures, as in AWS's open runtime interface emulator.
 */
export const BURST_BYTES = 6 * 1024 * 1024;
const BYTES_PER_MS = (2 * 1024 * 1024) / 1000;

/** Smaller parts that wait for a sink are gathered in pieces of this size: one byte must not cost an object to hold it. */
const PIECE_BYTES = 64 * 1024;

/**
 * Gives a response on to a sink, one part after the other, no faster than AWS does. What it holds is bounded by whoever
 * pushes: a function may only send so much that has not been taken.
 */
export class SinkReceiver implements ResponseReceiver {
  readonly limitBytes = MAX_STREAMED_BYTES;
  bytes = 0;
  readonly #sink: ResponseSink;
  readonly #clock: Clock;
  readonly #taken: (bytes: number) => void;
  #waiting: Buffer[] = [];
  /** How much of the last waiting piece is filled, where it is one of ours. */
  #filled: number | undefined;
  #tokens = BURST_BYTES;
  #countedAt: number;
  #pumping: Promise<void> | undefined;

  /** @param taken told of bytes that the sink has taken, or that were thrown away */
  constructor(sink: ResponseSink, clock: Clock, taken: (bytes: number) => void) {
    this.#sink = sink;
    this.#clock = clock;
    this.#taken = taken;
    this.#countedAt = clock.monotonic();
  }

  get overflowed(): boolean {
    return this.bytes > this.limitBytes;
  }

  push(chunk: Buffer): boolean {
    const room = Math.max(0, this.limitBytes - this.bytes);
    this.bytes += chunk.length;
    if (chunk.length > room) this.#taken(chunk.length - room);
    if (room > 0 && chunk.length > 0) {
      this.#keep(chunk.length > room ? chunk.subarray(0, room) : chunk);
      this.#pumping ??= this.#pump();
    }
    return !this.overflowed;
  }

  /** Resolves when the sink has taken all that was pushed. */
  async drained(): Promise<void> {
    await this.#pumping;
  }

  #keep(chunk: Buffer): void {
    const last = this.#waiting.at(-1);
    if (this.#filled !== undefined && last !== undefined && this.#filled + chunk.length <= last.length) {
      chunk.copy(last, this.#filled);
      this.#filled += chunk.length;
      return;
    }
    this.#close();
    if (this.#pumping === undefined || chunk.length >= PIECE_BYTES / 4) {
      this.#waiting.push(chunk);
      return;
    }
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    chunk.copy(piece);
    this.#waiting.push(piece);
    this.#filled = chunk.length;
  }

  /** Nothing more goes into the last piece. */
  #close(): void {
    if (this.#filled === undefined) return;
    this.#waiting.push((this.#waiting.pop() as Buffer).subarray(0, this.#filled));
    this.#filled = undefined;
  }

  async #pump(): Promise<void> {
    while (this.#waiting.length > 0) {
      // The order of a response is that of its bytes: each part waits for the one before it.
      // oxlint-disable-next-line no-await-in-loop
      await this.#bandwidth();
      if (this.#waiting.length === 1) this.#close();
      const piece = this.#waiting.shift() as Buffer;
      this.#tokens -= piece.length;
      // oxlint-disable-next-line no-await-in-loop
      await this.#sink.write(piece);
      this.#taken(piece.length);
    }
    this.#pumping = undefined;
  }

  async #bandwidth(): Promise<void> {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(BURST_BYTES, this.#tokens + (now - this.#countedAt) * BYTES_PER_MS);
    this.#countedAt = now;
    if (this.#tokens > 0) return;
    const waitMs = Math.ceil((1 - this.#tokens) / BYTES_PER_MS);
    await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve));
    return this.#bandwidth();
  }
}

/** Gathers a response whose caller wants it whole. */
export class WholeReceiver implements ResponseReceiver {
  readonly limitBytes = MAX_RESPONSE_BYTES;
  bytes = 0;
  readonly #taken: (bytes: number) => void;
  #gathered = Buffer.alloc(0);

  constructor(taken: (bytes: number) => void) {
    this.#taken = taken;
  }

  get overflowed(): boolean {
    return this.bytes > this.limitBytes;
  }

  get payload(): Buffer {
    return this.#gathered.subarray(0, this.bytes);
  }

  push(chunk: Buffer): boolean {
    const end = this.bytes + chunk.length;
    if (end > this.limitBytes) this.#gathered = Buffer.alloc(0);
    else {
      if (end > this.#gathered.length) {
        const larger = Buffer.allocUnsafe(Math.min(this.limitBytes, Math.max(4096, 2 * end)));
        this.#gathered.copy(larger, 0, 0, this.bytes);
        this.#gathered = larger;
      }
      chunk.copy(this.#gathered, this.bytes);
    }
    this.bytes = end;
    this.#taken(chunk.length);
    return !this.overflowed;
  }
}
