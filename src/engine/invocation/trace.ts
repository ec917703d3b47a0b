import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import { isDecided, parseTraceHeader, writeTraceHeader } from "./trace-header.ts";

/** Hexadecimal digits of a trace's id after its time, and of a segment's. */
const TRACE_DIGITS = 24;
const SEGMENT_DIGITS = 16;
const BATCH = 256 * (TRACE_DIGITS + SEGMENT_DIGITS);

/**
 * Ids of traces and segments, and headers for invocations that are not traced (AWS X-Ray Developer Guide, "Tracing
 * header"). Random digits are drawn for many at once: one system call an invocation would cost a fifth of the warm path's
 * budget (measured: 4 µs).
 */
export class TraceIds {
  readonly #clock: Clock;
  readonly #ids: Ids;
  #digits = "";
  #at = 0;

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock;
    this.#ids = ids;
  }

  /** A new trace's id, whose time is now. */
  root(): string {
    return `1-${Math.floor(this.#clock.now() / 1000).toString(16)}-${this.#draw(TRACE_DIGITS)}`;
  }

  segment(): string {
    return this.#draw(SEGMENT_DIGITS);
  }

  /** What a function is told where nothing is recorded of its invocation. @param given its caller's header */
  untraced(given: string | undefined): string {
    if (given === undefined) return writeTraceHeader(this.root(), this.segment(), false);
    if (isDecided(given)) return given;
    const { root, parent, others } = parseTraceHeader(given);
    return writeTraceHeader(root ?? this.root(), parent ?? this.segment(), false, others);
  }

  #draw(count: number): string {
    if (this.#at + count > this.#digits.length) {
      this.#digits = this.#ids.hex(BATCH);
      this.#at = 0;
    }
    const at = this.#at;
    this.#at += count;
    return this.#digits.slice(at, at + count);
  }
}
