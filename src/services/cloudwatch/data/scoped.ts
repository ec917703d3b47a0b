import { Packer } from "#telemetry/packed";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "#core/clock";
import type { Summary } from "#telemetry/summary";
import type { Change, DocumentKey, Documents } from "#storage/documents";
import type { Journal, JournalRecord, StreamName } from "#storage/journal";
import { storedChunk } from "./chunks.ts";
import { Generation, type SeriesPoints } from "./generation.ts";
import { floor, type Layer, type MINUTE, MINUTES, type SECOND, SECONDS } from "./layers.ts";
import { readLogRecord, writeLogRecord } from "./log.ts";
import { metricKey, seriesId, type Metric, type MetricDocument, type Scope } from "./metric.ts";
import type { Points } from "./packing.ts";
import { sealSeries } from "./sealing.ts";

/** Series that are worked on before other work gets a turn: a few milliseconds. */
const TURN = 10;

/** Series that are sorted at once: a millisecond's work. */
const SORTED = 1000;

/** A log record is closed when it is this long. */
const RECORD_BYTES = 64 * 1024;

export interface ScopedDeps {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly clock: Clock;
}

/**
 * The data of one account and region on their way to disk: `pending` in memory alone, `logged` in the journal as well,
 * `sealing` while they are worked into chunks, a commit a few series. Every point is in one of them or in a chunk, but for
 * those of the series that are in a commit just now.
 */
export class ScopedData {
  readonly scope: Scope;
  readonly #deps: ScopedDeps;
  readonly #stream: StreamName;
  #pending = new Generation();
  #logging: Generation | undefined;
  #logged = new Generation();
  #sealing: Generation | undefined;
  /** Series that are being committed: in memory still, and in chunks perhaps. */
  #moving: { readonly ids: ReadonlySet<string>; readonly ended: Promise<unknown> } | undefined;
  #discarded = false;

  constructor(scope: Scope, deps: ScopedDeps) {
    this.scope = scope;
    this.#deps = deps;
    this.#stream = [scope.account, scope.region, "metrics"];
  }

  add(
    metric: Metric,
    unit: string,
    time: number,
    summary: Summary,
    step: typeof SECOND | typeof MINUTE,
  ): void {
    const id = seriesId(metric, unit);
    if (!this.#announced(id)) this.#pending.unknown.set(id, { metric, unit });
    this.#pending.add(id, time, summary, step);
  }

  /** Writes nothing more: storage was emptied. */
  discard(): void {
    this.#discarded = true;
  }

  /** Points that are in memory alone or in the log. */
  get points(): number {
    return this.generations().reduce((sum, { points }) => sum + points, 0);
  }

  get pending(): boolean {
    return !this.#pending.empty;
  }

  /** Whether a series' points are about to go to chunks. */
  isSealing(id: string): boolean {
    return this.#sealing?.series.has(id) === true;
  }

  /** Ends when they are no longer on their way, in memory and in chunks perhaps; undefined where they are not. */
  moving(id: string): Promise<unknown> | undefined {
    return this.#moving?.ids.has(id) === true ? this.#moving.ended : undefined;
  }

  generations(): readonly Generation[] {
    return [this.#pending, this.#logging, this.#logged, this.#sealing].filter((each) => each !== undefined);
  }

  /** Visits one series' points that are not in chunks yet. */
  visit(id: string, layer: Layer, each: (time: number, summary: Summary) => void): void {
    for (const generation of this.generations()) {
      const series = generation.series.get(id);
      if (series === undefined) continue;
      const points: Points = layer === SECONDS ? series.seconds : series.minutes;
      for (const [time, summary] of points) each(time, summary);
    }
  }

  /** Logs what is pending. It stays pending where the log cannot be written. */
  async log(): Promise<void> {
    if (this.#pending.empty || this.#discarded) return;
    const batch = this.#pending;
    this.#pending = new Generation();
    this.#logging = batch;
    try {
      await this.#announce(batch);
      await this.#deps.journal.append([{ stream: this.#stream, records: await this.#records(batch) }]);
      this.#logged.absorb(batch);
    } catch (error) {
      this.#pending.absorb(batch);
      throw error;
    } finally {
      this.#logging = undefined;
    }
  }

  /** Works what is logged into chunks, and forgets its log. What is left where one failed is logged still. */
  async seal(): Promise<void> {
    const { documents, journal, clock } = this.#deps;
    const log = journal.info(this.#stream);
    if (log === undefined || (this.#logged.empty && log.lastTime === undefined)) return;
    const upTo = log.nextSequence - 1;
    const sealing = this.#logged;
    this.#sealing = sealing;
    this.#logged = new Generation();
    try {
      for (const some of inTurns([...sealing.series.keys()], (id) => id)) {
        if (this.#discarded) return;
        const changes = some.flatMap((id) =>
          sealSeries(documents, this.scope, id, sealing.series.get(id) ?? NOTHING, upTo, clock.now()),
        );
        const committed = this.#commit(some, changes, sealing);
        this.#moving = { ids: new Set(some), ended: Promise.allSettled([committed]) };
        try {
          await committed;
        } finally {
          this.#moving = undefined;
        }
        await nextTurn();
      }
      // All that was logged, whatever the clock says by now: a record that stayed would be taken up at some later start.
      if (log.lastTime !== undefined) await journal.trim(this.#stream, log.lastTime + 1);
    } finally {
      sealing.absorb(this.#logged);
      this.#logged = sealing;
      this.#sealing = undefined;
    }
  }

  async #commit(ids: readonly string[], changes: readonly Change[], sealing: Generation): Promise<void> {
    if (changes.length > 0) await this.#deps.documents.commit(changes);
    for (const id of ids) sealing.remove(id);
  }

  /** Takes up what was logged and not worked into chunks when the platform last ended. */
  async recover(): Promise<void> {
    const { documents, journal } = this.#deps;
    const held = new Map<string, number>();
    const upTo = (layer: Layer, id: string, time: number): number => {
      const start = floor(time, layer.chunk);
      const key = `${layer.kind} ${id} ${start}`;
      let known = held.get(key);
      if (known === undefined) {
        known = storedChunk(documents, this.scope, layer, id, start)?.upTo ?? -1;
        held.set(key, known);
      }
      return known;
    };
    const wanted = (layer: Layer, id: string, points: Points, sequence: number): Points =>
      new Map([...points].filter(([time]) => upTo(layer, id, time) < sequence));
    let afterSequence = -1;
    for (;;) {
      const records = await journal.read(this.#stream, { afterSequence, limit: 16 });
      for (const { body, sequence } of records) {
        for (const { id, minutes, seconds } of readLogRecord(body))
          this.#logged.addPoints(id, {
            minutes: wanted(MINUTES, id, minutes, sequence),
            seconds: wanted(SECONDS, id, seconds, sequence),
          });
        afterSequence = sequence;
      }
      if (records.length === 0) return;
    }
  }

  /**
   * Whether a series' document is known to be written: those of whatever is logged are. Others are looked up, once
   * between two sealings, so that no metric of a function that is long gone takes room.
   */
  #announced(id: string): boolean {
    return this.#logged.series.has(id) || this.#sealing?.series.has(id) === true;
  }

  /** Writes the documents of metrics that came for the first time. */
  async #announce(batch: Generation): Promise<void> {
    const { documents } = this.#deps;
    const unknown = [...batch.unknown].filter(([id]) => !this.#announced(id));
    for (const some of inTurns(unknown, ([, { metric }]) => metricKey(this.scope, metric).join("\n"))) {
      const changes = new Map<string, { key: DocumentKey; value: MetricDocument }>();
      for (const [, { metric, unit }] of some) {
        const key = metricKey(this.scope, metric);
        const text = key.join("\n");
        const stored = changes.get(text)?.value ?? documents.get<MetricDocument>(key)?.value;
        if (stored?.units.includes(unit) === true) continue;
        changes.set(text, { key, value: { units: [...(stored?.units ?? []), unit] } });
      }
      if (changes.size > 0) await documents.commit([...changes.values()]);
      else await nextTurn();
    }
    batch.unknown.clear();
  }

  async #records(batch: Generation): Promise<readonly JournalRecord[]> {
    const time = this.#deps.clock.now();
    const records: JournalRecord[] = [];
    let packer = new Packer();
    let packed = 0;
    for (const [id, points] of batch.series) {
      writeLogRecord(packer, id, points);
      if (packer.length >= RECORD_BYTES) {
        records.push({ time, body: packer.bytes() });
        packer = new Packer();
      }
      if (++packed % (TURN * 10) === 0) await nextTurn();
    }
    if (packer.length > 0) records.push({ time, body: packer.bytes() });
    return records;
  }
}

const NOTHING: SeriesPoints = { minutes: new Map(), seconds: new Map() };

/** Some at a time, in the order of their keys: what a commit writes lies on few of the storage's pages then. */
function* inTurns<T>(items: readonly T[], keyOf: (item: T) => string): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += SORTED) {
    const sorted = items
      .slice(from, from + SORTED)
      .map((item) => ({ key: keyOf(item), item }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
    for (let at = 0; at < sorted.length; at += TURN)
      yield sorted.slice(at, at + TURN).map(({ item }) => item);
  }
}
