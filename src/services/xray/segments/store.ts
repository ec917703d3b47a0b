import type { Clock, Timer } from "#core/clock";
import type { Journal, StreamName } from "#storage/journal";
import type { Scope } from "../scope.ts";
import { LIMITS } from "../limits.ts";
import type { Segment, Subsegment } from "./segment.ts";
import { parseSegment, timeOfTrace } from "./parse.ts";

/** A trace's segments lie together, in the stream of the minute in which its id says that it began. */
const MINUTE = 60_000;
const SWEEP_MS = 3_600_000;
/** Records read at a time. */
const CHUNK = 500;

/** A segment with its document as it came, which BatchGetTraces answers. */
export interface StoredSegment {
  readonly document: string;
  readonly segment: Segment | Subsegment;
}

export interface SegmentStoreOptions {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** Segment documents by minutes. What is older than 30 days is removed, whole minutes at a time. */
export class SegmentStore {
  readonly #options: SegmentStoreOptions;
  #timer: Timer | undefined;

  constructor(options: SegmentStoreOptions) {
    this.#options = options;
  }

  /** Resolves once they are on disk. The documents have been parsed: see `parseSegment`. */
  async append(
    scope: Scope,
    segments: readonly { readonly traceId: string; readonly document: string }[],
  ): Promise<void> {
    const now = this.#options.clock.now();
    const byMinute = new Map<number, { time: number; body: Buffer }[]>();
    for (const { traceId, document } of segments) {
      const minute = minuteOf(timeOfTrace(traceId) ?? now);
      const records = byMinute.get(minute) ?? [];
      records.push({ time: now, body: Buffer.from(document) });
      byMinute.set(minute, records);
    }
    await this.#options.journal.append(
      [...byMinute].map(([minute, records]) => ({ stream: streamOf(scope, minute), records })),
    );
  }

  /** Segments of traces that began in a minute, in the order in which they came. */
  async *minute(scope: Scope, minute: number): AsyncGenerator<StoredSegment> {
    let afterSequence: number | undefined;
    for (;;) {
      const records = await this.#options.journal.read(streamOf(scope, minute), {
        limit: CHUNK,
        ...(afterSequence === undefined ? {} : { afterSequence }),
      });
      for (const { body } of records) {
        const document = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
        yield { document, segment: parseSegment(document) };
      }
      if (records.length < CHUNK) return;
      afterSequence = records.at(-1)?.sequence;
    }
  }

  /** Minutes of [from, to], epoch milliseconds, in which traces began. */
  minutes(scope: Scope, from: number, to: number): readonly number[] {
    const [first, last] = [minuteOf(from), minuteOf(to)];
    return this.#options.journal
      .streams([scope.account, scope.region, "xray"])
      .map((name) => Number(name[3]))
      .filter((minute) => minute >= first && minute <= last)
      .sort((a, b) => a - b);
  }

  start(): void {
    this.#timer = this.#options.clock.after(SWEEP_MS, () => void this.#sweep());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  async #sweep(): Promise<void> {
    const { journal, clock, onError } = this.#options;
    try {
      const oldest = minuteOf(clock.now() - LIMITS.retention);
      for (const name of journal.streams([]))
        if (name[2] === "xray" && Number(name[3]) < oldest) await journal.remove(name);
    } catch (error) {
      onError(error);
    }
    this.start();
  }
}

function minuteOf(time: number): number {
  return Math.floor(time / MINUTE);
}

/** Of one width, so that names and times have one order. */
function streamOf({ account, region }: Scope, minute: number): StreamName {
  return [account, region, "xray", String(minute).padStart(10, "0")];
}
