import type { Clock, Timer } from "#core/clock";
import type { DocumentKey, Documents } from "#storage/documents";
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

/** Where the segments of a trace lie whose id tells no time. */
interface Place {
  readonly minute: number;
}

/** Places that are looked at in one go when old ones are removed. */
const PLACES = 1000;

export interface SegmentStoreOptions {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/**
 * Segment documents by minutes: of the trace's id, or, where that tells no time within AWS's 30 days, of its first segment's
 * arrival, which is noted by the id.
 * What is older than 30 days is removed, whole minutes at a time.
 */
export class SegmentStore {
  readonly #options: SegmentStoreOptions;
  #timer: Timer | undefined;
  #stopped = false;

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
    const places = await this.#places(
      scope,
      segments.map(({ traceId }) => traceId),
    );
    for (const { traceId, document } of segments) {
      const minute = places.get(traceId) ?? minuteOf(now);
      const records = byMinute.get(minute) ?? [];
      records.push({ time: now, body: Buffer.from(document) });
      byMinute.set(minute, records);
    }
    await this.#options.journal.append(
      [...byMinute].map(([minute, records]) => ({ stream: streamOf(scope, minute), records })),
    );
  }

  /** The minute that holds a trace; undefined where there is none of that id. */
  minuteOf(scope: Scope, traceId: string): number | undefined {
    const noted = this.#options.documents.get<Place>(placeKey(scope, traceId));
    if (noted !== undefined) return noted.value.minute;
    const time = timeOfTrace(traceId);
    return time !== undefined && this.#isTold(time) ? minuteOf(time) : undefined;
  }

  /** The minute of each trace, noted where it was not known. */
  async #places(scope: Scope, traceIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { documents, clock } = this.#options;
    const places = new Map<string, number>();
    const minute = minuteOf(clock.now());
    const added: string[] = [];
    for (const id of new Set(traceIds)) {
      const known = this.minuteOf(scope, id);
      places.set(id, known ?? minute);
      if (known === undefined) added.push(id);
    }
    if (added.length > 0)
      await documents.commit(added.map((id) => ({ key: placeKey(scope, id), value: { minute } })));
    return places;
  }

  #isTold(time: number): boolean {
    const now = this.#options.clock.now();
    return time >= now - LIMITS.retention && time <= now + LIMITS.ahead;
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
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(SWEEP_MS, () => void this.#sweep());
  }

  /** For good: a sweep that is under way begins no other. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Forgets where traces lay that are gone. */
  async #forget({ account, region }: Scope, oldest: number): Promise<void> {
    const { documents } = this.#options;
    let gone: { key: DocumentKey; delete: true }[] = [];
    const all = [...documents.list<Place>([account, region, "xray-place"])];
    for (const { key, value } of all) {
      if (value.minute < oldest) gone.push({ key, delete: true });
      if (gone.length < PLACES) continue;
      await documents.commit(gone);
      gone = [];
    }
    if (gone.length > 0) await documents.commit(gone);
  }

  async #sweep(): Promise<void> {
    const { journal, clock, onError } = this.#options;
    try {
      const oldest = minuteOf(clock.now() - LIMITS.retention);
      const swept = new Map<string, Scope>();
      for (const name of journal.streams([]))
        if (name[2] === "xray" && Number(name[3]) < oldest) {
          await journal.remove(name);
          const [account, region] = name;
          swept.set(`${account} ${region}`, { account, region });
        }
      for (const scope of swept.values()) await this.#forget(scope, oldest);
    } catch (error) {
      onError(error);
    }
    this.start();
  }
}

function placeKey({ account, region }: Scope, traceId: string): DocumentKey {
  return [account, region, "xray-place", traceId];
}

function minuteOf(time: number): number {
  return Math.floor(time / MINUTE);
}

/** Of one width, so that names and times have one order. */
function streamOf({ account, region }: Scope, minute: number): StreamName {
  return [account, region, "xray", String(minute).padStart(10, "0")];
}
