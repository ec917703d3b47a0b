import type { Summary } from "#telemetry/summary";
import { MINUTE, SECOND } from "./layers.ts";
import type { Metric } from "./metric.ts";
import type { Points } from "./packing.ts";

/** One series' points in memory. High-resolution values are among the minutes as well. */
export interface SeriesPoints {
  readonly minutes: Points;
  readonly seconds: Points;
}

/** Points that take their way to disk together. */
export class Generation {
  readonly series = new Map<string, SeriesPoints>();
  /** Metrics that first came with this generation, by series: their documents are written before it is logged. */
  readonly unknown = new Map<string, { readonly metric: Metric; readonly unit: string }>();
  points = 0;

  get empty(): boolean {
    return this.series.size === 0;
  }

  /** Takes `summary`, which must not change any more, into the second or minute of `time`. */
  add(id: string, time: number, summary: Summary, step: typeof SECOND | typeof MINUTE): void {
    const series = this.#series(id);
    // The same summary may stand in both: what is merged into is always copied first.
    if (step === SECOND) this.#merge(series.seconds, Math.floor(time / SECOND) * SECOND, summary);
    this.#merge(series.minutes, Math.floor(time / MINUTE) * MINUTE, summary);
  }

  /** Adds points as they are, such as those of a log record. */
  addPoints(id: string, { minutes, seconds }: SeriesPoints): void {
    const series = this.#series(id);
    for (const [time, summary] of minutes) this.#merge(series.minutes, time, summary);
    for (const [time, summary] of seconds) this.#merge(series.seconds, time, summary);
  }

  absorb(other: Generation): void {
    for (const [id, points] of other.series) this.addPoints(id, points);
    for (const [id, unknown] of other.unknown) this.unknown.set(id, unknown);
  }

  remove(id: string): void {
    const series = this.series.get(id);
    if (series === undefined) return;
    this.points -= series.minutes.size + series.seconds.size;
    this.series.delete(id);
  }

  #series(id: string): SeriesPoints {
    let series = this.series.get(id);
    if (series === undefined) this.series.set(id, (series = { minutes: new Map(), seconds: new Map() }));
    return series;
  }

  #merge(points: Points, time: number, summary: Summary): void {
    const known = points.get(time);
    if (known === undefined) {
      points.set(time, summary);
      this.points++;
      return;
    }
    const merged = known.copy();
    merged.merge(summary);
    points.set(time, merged);
  }
}
