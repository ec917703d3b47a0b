import { Packer } from "#telemetry/packed";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "#core/clock";
import type { Summary } from "#telemetry/summary";
import type { Documents } from "#storage/documents";
import type { Journal, JournalRecord, StreamName } from "#storage/journal";
import { chunkUpTo, sealSeries } from "./chunks.ts";
import { Generation, type SeriesPoints } from "./generation.ts";
import { floor, type Layer, type MINUTE, MINUTES, type SECOND, SECONDS } from "./layers.ts";
import { readLogRecord, writeLogRecord } from "./log.ts";
import { metricKey, seriesId, type Metric, type MetricDocument, type Scope } from "./metric.ts";
import type { Points } from "./packing.ts";

/** Series that are worked on before other work gets a turn: a few milliseconds. */
const TURN = 10;

/** A log record is closed when it is this long. */
const RECORD_BYTES = 64 * 1024;

/** Series whose documents are known to be written; beyond these the set is begun anew. */
const MAX_KNOWN = 50_000;

export interface ScopedDeps {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly clock: Clock;
}

/**
 * The data of one account and region on their way to disk: `pending` in memory alone, `logged` in the journal as well,
 * `sealing` while they are worked into chunks, a commit a few series. Every point is in one of them or in a chunk; a
 * chunk tells by its `upTo` that it has taken a generation's points over.
 */
export class ScopedData {
  readonly scope: Scope;
  readonly #deps: ScopedDeps;
  readonly #stream: StreamName;
  readonly #known = new Set<string>();
  #pending = new Generation();
  #logging: Generation | undefined;
  #logged = new Generation();
  #sealing: Generation | undefined;
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
    if (!this.#known.has(id)) this.#pending.unknown.set(id, { metric, unit });
    this.#pending.add(id, time, summary, step);
  }

  /** A metric's document was deleted: it is written again with the next value. */
  forget(id: string): void {
    this.#known.delete(id);
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

  generations(): readonly Generation[] {
    return [this.#pending, this.#logging, this.#logged, this.#sealing].filter((each) => each !== undefined);
  }

  /** Visits one series' points that are not in chunks yet. */
  visit(
    id: string,
    layer: Layer,
    upToOf: (chunk: number) => number,
    each: (time: number, summary: Summary) => void,
  ): void {
    for (const generation of this.generations()) {
      const series = generation.series.get(id);
      if (series === undefined) continue;
      const points: Points = layer === SECONDS ? series.seconds : series.minutes;
      for (const [time, summary] of points)
        if (generation.upTo === Infinity || upToOf(floor(time, layer.chunk)) < generation.upTo)
          each(time, summary);
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

  /** Works what is logged into chunks, and forgets its log. Goes on where an earlier one failed. */
  async seal(): Promise<void> {
    const { documents, journal, clock } = this.#deps;
    if (this.#sealing === undefined) {
      if (this.#logged.empty) return;
      this.#sealing = this.#logged;
      this.#sealing.upTo = (journal.info(this.#stream)?.nextSequence ?? 0) - 1;
      this.#logged = new Generation();
    }
    const sealing = this.#sealing;
    const before = clock.now();
    const ids = [...sealing.series.keys()];
    for (let at = 0; at < ids.length; at += TURN) {
      if (this.#discarded) return;
      const some = ids.slice(at, at + TURN);
      const changes = some.flatMap((id) =>
        sealSeries(documents, this.scope, id, sealing.series.get(id) ?? NOTHING, sealing.upTo, clock.now()),
      );
      if (changes.length > 0) await documents.commit(changes);
      for (const id of some) sealing.remove(id);
      await nextTurn();
    }
    this.#sealing = undefined;
    await journal.trim(this.#stream, before);
  }

  /** Takes up what was logged and not worked into chunks when the platform last ended. */
  async recover(): Promise<void> {
    const { documents, journal } = this.#deps;
    const held = new Map<string, number>();
    const upTo = (layer: Layer, id: string, time: number): number => {
      const start = floor(time, layer.chunk);
      const key = `${layer.kind} ${id} ${start}`;
      let known = held.get(key);
      if (known === undefined) held.set(key, (known = chunkUpTo(documents, this.scope, layer, id, start)));
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

  /** Writes the documents of metrics that came for the first time. */
  async #announce(batch: Generation): Promise<void> {
    const { documents } = this.#deps;
    const unknown = [...batch.unknown].filter(([id]) => !this.#known.has(id));
    for (let at = 0; at < unknown.length; at += TURN) {
      const some = unknown.slice(at, at + TURN);
      const changes = new Map<string, { key: ReturnType<typeof metricKey>; value: MetricDocument }>();
      for (const [, { metric, unit }] of some) {
        const key = metricKey(this.scope, metric);
        const text = key.join("\n");
        const stored = changes.get(text)?.value ?? documents.get<MetricDocument>(key)?.value;
        if (stored?.units.includes(unit) === true) continue;
        changes.set(text, { key, value: { ...metric, units: [...(stored?.units ?? []), unit] } });
      }
      if (changes.size > 0) await documents.commit([...changes.values()]);
      else await nextTurn();
      if (this.#known.size > MAX_KNOWN) this.#known.clear();
      for (const [id] of some) this.#known.add(id);
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
