import { setImmediate as nextTurn } from "node:timers/promises";
import type { Summary } from "#telemetry/summary";
import type { Documents } from "#storage/documents";
import {
  type ChunkDocument,
  COARSER,
  readChunk,
  FIVE_MINUTES,
  floor,
  HOUR,
  HOURS,
  type Layer,
  LAYERS,
  MINUTE,
  MINUTES,
  SECONDS,
  seriesPrefix,
} from "./layers.ts";
import {
  metricKey,
  seriesId,
  type KnownMetric,
  type Metric,
  type MetricDocument,
  type Scope,
} from "./metric.ts";
import { lastHour } from "./chunks.ts";
import { unpackPoints } from "./packing.ts";
import type { MetricStore } from "./store.ts";

export interface Span {
  /** Epoch milliseconds, inclusive; the first bin begins here. */
  readonly from: number;
  /** Exclusive; a bin that begins before it is whole. */
  readonly to: number;
  /** Milliseconds. */
  readonly period: number;
}

/** Chunks that are unpacked before other work gets a turn: about three milliseconds. */
const TURN = 24;

/** Values by the start of their period. */
export type Bins = ReadonlyMap<number, Summary>;

/** Reads metric data back: chunks, and what is on its way to them. */
export class MetricReader {
  readonly #documents: Documents;
  readonly #store: MetricStore;

  constructor(documents: Documents, store: MetricStore) {
    this.#documents = documents;
    this.#store = store;
  }

  /** The units in which a metric has values, in alphabetical order. */
  units(scope: Scope, metric: Metric): readonly string[] {
    return this.#documents.get<MetricDocument>(metricKey(scope, metric))?.value.units.toSorted() ?? [];
  }

  /**
   * The values of a metric in one unit, added up by periods. Other work gets a turn now and then.
   * @param shallow leaves percentiles out, where only sums and extremes are wanted
   */
  async read(
    scope: Scope,
    metric: Metric,
    unit: string,
    span: Span,
    now: number,
    shallow: boolean,
  ): Promise<Bins> {
    const id = seriesId(metric, unit);
    for (;;) {
      await this.#moved(scope, id);
      const sealings = this.#store.sealings(scope);
      const sealing = this.#isSealing(scope, id);
      const bins = await this.#collect(scope, id, span, now, shallow);
      // Points that went to chunks meanwhile have been read twice or not at all.
      const sealed =
        sealing && (!this.#isSealing(scope, id) || this.#store.held(scope)?.moving(id) !== undefined);
      if (this.#store.sealings(scope) === sealings && !sealed) return bins;
    }
  }

  /** Ends once a series' points are in memory or in chunks, not in both. */
  async #moved(scope: Scope, id: string): Promise<void> {
    for (;;) {
      const moving = this.#store.held(scope)?.moving(id);
      if (moving === undefined) return;
      await moving;
    }
  }

  #isSealing(scope: Scope, id: string): boolean {
    return this.#store.held(scope)?.isSealing(id) === true;
  }

  async #collect(scope: Scope, id: string, span: Span, now: number, shallow: boolean): Promise<Bins> {
    const bins = new Map<number, Summary>();
    const { from, period } = span;
    const to = from + Math.ceil((span.to - from) / period) * period;
    const collect = (time: number, summary: Summary): void => {
      const start = from + floor(time - from, period);
      const bin = bins.get(start);
      if (bin === undefined) bins.set(start, summary.copy());
      else bin.merge(summary);
    };
    if (period < MINUTE) await this.#readSeconds(scope, id, from, to, now, shallow, collect);
    else
      for (const part of plan(from, to, period, now))
        await this.#visit(scope, id, part.layer, part.from, part.to, shallow, collect);
    return bins;
  }

  /** Whether a metric has a value at or after `since` (epoch ms). */
  activeSince(scope: Scope, metric: KnownMetric, since: number): boolean {
    return metric.units.some((unit) => {
      const id = seriesId(metric, unit);
      const held = this.#store.held(scope)?.generations() ?? [];
      for (const { series } of held)
        for (const time of series.get(id)?.minutes.keys() ?? []) if (time + MINUTE > since) return true;
      // Two weeks fit in the minutes that are kept; a chunk that reaches over the time asked for counts.
      const last = [
        ...this.#documents.list(seriesPrefix(scope, MINUTES, id), { reverse: true, limit: 1 }),
      ][0];
      return last !== undefined && Number(last.key.at(-1)) + MINUTES.chunk > since;
    });
  }

  /** Values of seconds, and for minutes that have none (values of standard resolution) those of minutes. */
  async #readSeconds(
    scope: Scope,
    id: string,
    from: number,
    to: number,
    now: number,
    shallow: boolean,
    collect: (time: number, summary: Summary) => void,
  ): Promise<void> {
    const start = Math.max(from, now - SECONDS.keep);
    const covered = new Set<number>();
    await this.#visit(scope, id, SECONDS, start, to, shallow, (time, summary) => {
      covered.add(floor(time, MINUTE));
      collect(time, summary);
    });
    await this.#visit(scope, id, MINUTES, start, to, shallow, (time, summary) => {
      if (!covered.has(time)) collect(time, summary);
    });
  }

  async #visit(
    scope: Scope,
    id: string,
    layer: Layer,
    from: number,
    to: number,
    shallow: boolean,
    collect: (time: number, summary: Summary) => void,
  ): Promise<void> {
    const within = (time: number, summary: Summary): void => {
      const start = floor(time, layer.step);
      if (start >= from && start < to) collect(start, summary);
    };
    this.#store.held(scope)?.visit(id, layer, within);
    const last = COARSER.includes(layer) ? lastHour(this.#documents, scope, id) : undefined;
    if (last !== undefined) unpackPoints(last.packed, MINUTES.step, within, shallow);
    const prefix = seriesPrefix(scope, layer, id);
    let after = Math.max(0, floor(from, layer.chunk) - 1);
    for (let more = true; more;) {
      const chunks = [
        ...this.#documents.list<ChunkDocument>(prefix, { after: [...prefix, after], limit: TURN }),
      ];
      more = chunks.length === TURN;
      for (const { key, value } of chunks) {
        after = Number(key.at(-1));
        if (after >= to) {
          more = false;
          break;
        }
        unpackPoints(
          readChunk(value).packed,
          layer.step,
          (time, summary) => {
            // What was rolled up since, or by a platform that kept all layers at once.
            if (last === undefined || floor(time, MINUTES.chunk) !== last.start) within(time, summary);
          },
          shallow,
        );
      }
      if (more) await nextTurn();
    }
  }
}

interface Part {
  readonly layer: Layer;
  readonly from: number;
  readonly to: number;
}

/**
 * Which layers to read for periods of a minute and more: the coarsest whose points fall into whole periods, and for each
 * age no finer one than is kept. A period that does not fit what is kept has no values then, as in AWS
 * (GetMetricStatistics API reference, "Period").
 */
export function plan(from: number, to: number, period: number, now: number): readonly Part[] {
  const fits = ({ step }: Layer): boolean => period % step === 0 && from % step === 0;
  const parts: Part[] = [];
  let until = to;
  for (const layer of LAYERS.slice(1)) {
    if (layer === MINUTES && (fits(FIVE_MINUTES) || fits(HOURS))) continue;
    if (layer === FIVE_MINUTES && fits(HOURS)) continue;
    if (until <= from) break;
    const oldest = Math.max(from, floor(now - layer.keep, HOUR));
    if (oldest < until && (period % layer.step === 0 || layer === MINUTES))
      parts.push({ layer, from: oldest, to: until });
    until = Math.min(until, oldest);
  }
  return parts;
}
