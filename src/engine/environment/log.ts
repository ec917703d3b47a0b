import type { LogWriter } from "#telemetry/log-sink";
import type { LogSink } from "../contract.ts";

/** CloudWatch Logs: an event is at most 256 KB, 26 bytes of which are its overhead (PutLogEvents, API reference). */
export const MAX_EVENT_BYTES = 262_144 - 26;

/** Invoke's `LogType=Tail` answers the last 4 KB. */
const TAIL_BYTES = 4096;

export interface LogAddress {
  readonly account: string;
  readonly region: string;
  readonly group: string;
  readonly stream: string;
  readonly writer: LogWriter;
}

/** Who is told of platform events beside the log: the Telemetry API. */
export interface PlatformObserver {
  /** Whether anyone listens now. */
  readonly active: boolean;
  /** @param type such as `start`, without `platform.` */
  platform(time: number, type: string, record: object): void;
}

/** The log stream of one execution environment, and the tail of the invocation that runs in it. */
export class EnvironmentLog {
  readonly address: LogAddress;
  readonly #sink: LogSink;
  readonly #admits: ((line: string) => boolean) | undefined;
  #tail: string[] | undefined;
  #tailLength = 0;
  #observer: PlatformObserver | undefined;
  /** What happened before it was known whether anyone observes: the start of the init phase. */
  #early: Parameters<PlatformObserver["platform"]>[] | undefined = [];

  /** @param admits which of the function's own lines are kept; all of them without it */
  constructor(sink: LogSink, address: LogAddress, admits?: (line: string) => boolean) {
    this.#sink = sink;
    this.#admits = admits;
    this.address = address;
  }

  /** Whether `platform` should be told: asked before a record is made for it. */
  get observed(): boolean {
    return this.#early !== undefined || this.#observer?.active === true;
  }

  platform(time: number, type: string, record: object): void {
    if (this.#observer !== undefined) this.#observer.platform(time, type, record);
    else this.#early?.push([time, type, record]);
  }

  /** Says who observes, or that nobody does. Once, before the guest runs anything. */
  observe(observer: PlatformObserver | undefined): void {
    this.#observer = observer;
    for (const event of this.#early ?? []) observer?.platform(...event);
    this.#early = undefined;
  }

  /** Keeps what is written from now on for `takeTail`. */
  keepTail(): void {
    this.#tail ??= [];
  }

  /** The last 4 KB since `keepTail`, and keeps no more. */
  takeTail(): Uint8Array | undefined {
    if (this.#tail === undefined) return undefined;
    const bytes = Buffer.from(this.#tail.join(""));
    this.#tail = undefined;
    this.#tailLength = 0;
    return bytes.subarray(Math.max(0, bytes.length - TAIL_BYTES));
  }

  /** What the function itself logs, where its log takes it. */
  application(time: number, message: string): void {
    if (this.#admits?.(message) !== false) this.write(time, message);
  }

  /** Writes one event; one that is too large for CloudWatch Logs becomes several. */
  write(time: number, message: string): void {
    if (this.#tail !== undefined) this.#remember(this.#tail, message);
    // A UTF-16 unit is at most 3 bytes of UTF-8: nearly every event is passed on without being measured.
    if (message.length * 3 <= MAX_EVENT_BYTES || Buffer.byteLength(message) <= MAX_EVENT_BYTES)
      return this.#emit(time, message);
    for (const piece of splitUtf8(message, MAX_EVENT_BYTES)) this.#emit(time, piece);
  }

  #emit(time: number, message: string): void {
    const { account, region, group, stream, writer } = this.address;
    this.#sink.write({ account, region, group, stream, time, message, writer });
  }

  #remember(tail: string[], message: string): void {
    const piece = message.length > TAIL_BYTES ? message.slice(-TAIL_BYTES) : message;
    tail.push(piece);
    this.#tailLength += piece.length;
    while (tail.length > 1 && this.#tailLength - (tail[0] as string).length >= TAIL_BYTES)
      this.#tailLength -= (tail.shift() as string).length;
  }
}

/** Cuts `text` into pieces of at most `bytes` bytes of UTF-8, never inside a character. */
export function splitUtf8(text: string, bytes: number): string[] {
  const buffer = Buffer.from(text);
  const pieces: string[] = [];
  let at = 0;
  while (at < buffer.length) {
    let end = Math.min(at + bytes, buffer.length);
    while (end < buffer.length && end > at && ((buffer[end] as number) & 0xc0) === 0x80) end--;
    pieces.push(buffer.toString("utf8", at, end));
    at = end;
  }
  return pieces;
}
