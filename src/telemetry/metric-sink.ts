import type { Clock, Timer } from "#core/clock";
import { Summary } from "./summary.ts";

/** What tells one series from all others; the engine's `MetricAddress` has this shape. */
export interface SeriesAddress {
  readonly account: string;
  readonly region: string;
  /** Such as `AWS/Lambda`. */
  readonly namespace: string;
  readonly name: string;
  /** CloudWatch's word, such as `Count`. */
  readonly unit: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** All values of one minute of a series. */
export interface MetricMinute {
  /** Epoch milliseconds, a whole minute. */
  readonly start: number;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

export interface MetricSeriesHandle {
  /** Costs a few additions. @param time epoch milliseconds; a value older than what is kept is dropped */
  record(value: number, time: number): void;
  /**
   * Says that no more values are to be expected, as when a function was deleted: its values stay for as long as others,
   * but make way first where there are many such series.
   */
  close(): void;
}

/** What was recorded of one series since it was last drained. */
export interface DrainedSeries {
  /** The same object as long as the series has the same handle: it may be a key. */
  readonly address: SeriesAddress;
  readonly minutes: readonly { readonly start: number; readonly summary: Summary }[];
}

/** Metrics on their way to where they are kept: in memory, added up by whole minutes, with their distributions. */
export interface AggregatingMetricSink {
  /** The same series for the same address. Ask once and keep it: finding one costs far more than recording. */
  series(address: SeriesAddress): MetricSeriesHandle;
  /** Every series that holds values, with its minutes in order; the minute under way is among them. */
  read(): readonly { readonly address: SeriesAddress; readonly minutes: readonly MetricMinute[] }[];
  /** Takes everything out: every series that holds values, with its minutes in order. */
  drain(): readonly DrainedSeries[];
  /** Values that were not kept: of series beyond `maxSeries`, and such as came too late. */
  readonly dropped: number;
  close(): void;
}

export interface MetricSinkOptions {
  readonly clock: Clock;
  /** How many whole minutes are kept. A function may run for 15 of them, and its metrics bear the time it began. */
  readonly keepMinutes?: number;
  /** Series beyond these are not kept: with all their minutes, 10,000 series take about 30 MB. */
  readonly maxSeries?: number;
  /** Series that were closed beyond these are forgotten, the longest closed first. */
  readonly maxClosed?: number;
}

const MINUTE = 60_000;

export function createMetricSink(options: MetricSinkOptions): AggregatingMetricSink {
  return new MemorySink(options);
}

class MemorySink implements AggregatingMetricSink {
  readonly keepMinutes: number;
  readonly #clock: Clock;
  readonly #maxSeries: number;
  /** Only series that hold values: a handle that outlives its values comes back with the next one. */
  readonly #live = new Map<string, Series>();
  readonly #closing = new Set<Series>();
  readonly #maxClosed: number;
  #timer: Timer | undefined;
  #closed = false;
  dropped = 0;

  constructor({ clock, keepMinutes = 20, maxSeries = 10_000, maxClosed = 1000 }: MetricSinkOptions) {
    this.#maxClosed = maxClosed;
    this.#clock = clock;
    this.keepMinutes = keepMinutes;
    this.#maxSeries = maxSeries;
  }

  series(address: SeriesAddress): MetricSeriesHandle {
    const key = keyOf(address);
    return this.#live.get(key) ?? new Series(this, key, address);
  }

  read() {
    return [...this.#live.values()].map((series) => ({ address: series.address, minutes: series.read() }));
  }

  drain(): readonly DrainedSeries[] {
    const drained = [...this.#live.values()].map((series) => ({
      address: series.address,
      minutes: series.take(),
    }));
    this.#live.clear();
    this.#closing.clear();
    return drained;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#live.clear();
    this.#closing.clear();
  }

  /** `key`'s series is not expected to take more values. */
  retire(key: string): void {
    const series = this.#live.get(key);
    if (series === undefined) return;
    this.#closing.add(series);
    if (this.#closing.size <= this.#maxClosed) return;
    const [longest] = this.#closing;
    if (longest !== undefined) this.#drop(longest);
  }

  #drop(series: Series): void {
    series.forget(Infinity);
    this.#live.delete(series.key);
    this.#closing.delete(series);
  }

  /** The series that keeps the values of `series`: itself, another handle's of the same address, or none any more. */
  admit(series: Series): Series | undefined {
    const known = this.#live.get(series.key);
    if (known !== undefined) return known;
    if (this.#closed || this.#live.size >= this.#maxSeries) return undefined;
    this.#live.set(series.key, series);
    this.#timer ??= this.#clock.after(MINUTE, this.#sweep);
    return series;
  }

  readonly #sweep = (): void => {
    const oldest = Math.floor(this.#clock.now() / MINUTE) - this.keepMinutes;
    for (const series of this.#live.values()) {
      series.forget(oldest);
      if (series.empty) this.#drop(series);
    }
    this.#timer = this.#live.size === 0 ? undefined : this.#clock.after(MINUTE, this.#sweep);
  };
}

/** The values of one minute, added up. */
class Bucket {
  readonly minute: number;
  readonly summary = new Summary();

  constructor(minute: number) {
    this.minute = minute;
  }
}

class Series implements MetricSeriesHandle {
  readonly key: string;
  readonly address: SeriesAddress;
  readonly #sink: MemorySink;
  /** In order of their minutes; the last one is nearly always the one that is recorded to. */
  readonly #buckets: Bucket[] = [];
  #latest: Bucket | undefined;

  constructor(sink: MemorySink, key: string, address: SeriesAddress) {
    this.#sink = sink;
    this.key = key;
    this.address = address;
  }

  get empty(): boolean {
    return this.#buckets.length === 0;
  }

  record(value: number, time: number): void {
    const minute = Math.floor(time / MINUTE);
    let bucket = this.#latest;
    if (bucket === undefined || bucket.minute !== minute) {
      const other = this.#find(value, time, minute);
      if (other === undefined) return;
      bucket = other;
    }
    bucket.summary.add(value);
  }

  close(): void {
    this.#sink.retire(this.key);
  }

  read(): readonly MetricMinute[] {
    return this.#buckets.map(({ minute, summary: { count, sum, min, max } }) => ({
      start: minute * MINUTE,
      count,
      sum,
      min,
      max,
    }));
  }

  take(): readonly { readonly start: number; readonly summary: Summary }[] {
    this.#latest = undefined;
    return this.#buckets.splice(0).map(({ minute, summary }) => ({ start: minute * MINUTE, summary }));
  }

  forget(oldest: number): void {
    const keep = this.#buckets.findIndex(({ minute }) => minute > oldest);
    this.#buckets.splice(0, keep === -1 ? this.#buckets.length : keep);
    if (this.empty) this.#latest = undefined;
  }

  /** The bucket of another minute than the latest; undefined where the value is kept elsewhere or not at all. */
  #find(value: number, time: number, minute: number): Bucket | undefined {
    if (this.#latest === undefined) {
      const keeper = this.#sink.admit(this);
      if (keeper === undefined) this.#sink.dropped++;
      else if (keeper !== this) keeper.record(value, time);
      if (keeper !== this) return undefined;
    }
    const latest = this.#latest?.minute ?? -Infinity;
    if (minute <= latest - this.#sink.keepMinutes) {
      this.#sink.dropped++;
      return undefined;
    }
    if (minute > latest) {
      this.#latest = new Bucket(minute);
      this.#buckets.push(this.#latest);
      this.forget(minute - this.#sink.keepMinutes);
      return this.#latest;
    }
    const at = this.#buckets.findIndex((bucket) => bucket.minute >= minute);
    const found = this.#buckets[at];
    if (found?.minute === minute) return found;
    const late = new Bucket(minute);
    this.#buckets.splice(at, 0, late);
    return late;
  }
}

/** Dimensions in any order are the same series; a line break stands in no name. */
function keyOf({ account, region, namespace, name, unit, dimensions }: SeriesAddress): string {
  const pairs = Object.entries(dimensions)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flat();
  return [account, region, namespace, name, unit, ...pairs].join("\n");
}
