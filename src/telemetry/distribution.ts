/** Distinct values that are kept as they are; beyond them values share logarithmic buckets. */
export const EXACT_VALUES = 32;

/** At this scale a bucket reaches from 2^(i/32) to 2^((i+1)/32): its middle is within 1.1 % of any value in it. */
export const FINEST_SCALE = 5;

/** Buckets beyond these make all of them twice as wide: 512 hold sixteen powers of two at the finest scale. */
const MAX_BUCKETS = 512;

/** The bucket of zero, which has no logarithm. */
export const ZERO_BUCKET = -Infinity;

/**
 * How often which values occurred: few distinct values exactly, many in a sparse exponential histogram as CloudWatch
 * itself keeps them (its agent calls the form SEH1). Two distributions can be merged whatever their scales, so minutes
 * make hours. Values are not negative: CloudWatch has no percentiles of negative values.
 */
export class Distribution {
  /** Counts by value where `scale` is undefined, by bucket where it is a number. */
  #counts = new Map<number, number>();
  #scale: number | undefined;

  /** Undefined as long as values are kept exactly; else a bucket is one 2^scale-th of a power of two. */
  get scale(): number | undefined {
    return this.#scale;
  }

  /** Distinct values or buckets. */
  get size(): number {
    return this.#counts.size;
  }

  /** Pairs of value (or bucket, where there is a scale) and count, in no order. */
  entries(): Iterable<readonly [number, number]> {
    return this.#counts;
  }

  /** @param value 0 or more */
  add(value: number, count: number): void {
    const scale = this.#scale;
    const key = scale === undefined ? value : bucketOf(value, scale);
    const known = this.#counts.get(key);
    this.#counts.set(key, known === undefined ? count : known + count);
    if (known === undefined) this.#bound();
  }

  /** Adds what a stored distribution held under `key`. @param scale that of the stored one */
  addEntry(key: number, count: number, scale: number | undefined): void {
    if (scale === undefined) return this.add(key, count);
    if (this.#scale === undefined) this.#toBuckets(Math.min(scale, FINEST_SCALE));
    while ((this.#scale ?? 0) > scale) this.#coarsen();
    const shifted = shift(key, scale - (this.#scale ?? 0));
    this.#counts.set(shifted, (this.#counts.get(shifted) ?? 0) + count);
    this.#bound();
  }

  merge(other: Distribution): void {
    for (const [key, count] of other.#counts) this.addEntry(key, count, other.#scale);
  }

  copy(): Distribution {
    const copy = new Distribution();
    copy.#counts = new Map(this.#counts);
    copy.#scale = this.#scale;
    return copy;
  }

  /** Values in ascending order with their counts: exact ones, or the middles of buckets. */
  sorted(): readonly { readonly value: number; readonly count: number }[] {
    const scale = this.#scale;
    return [...this.#counts]
      .toSorted(([a], [b]) => a - b)
      .map(([key, count]) => ({ value: scale === undefined ? key : middleOf(key, scale), count }));
  }

  #bound(): void {
    if (this.#scale === undefined) {
      if (this.#counts.size > EXACT_VALUES) this.#toBuckets(FINEST_SCALE);
      return;
    }
    while (this.#counts.size > MAX_BUCKETS) this.#coarsen();
  }

  #toBuckets(scale: number): void {
    this.#rekey((value) => bucketOf(value, scale));
    this.#scale = scale;
  }

  #coarsen(): void {
    this.#rekey((bucket) => shift(bucket, 1));
    this.#scale = (this.#scale ?? 0) - 1;
  }

  #rekey(keyOf: (key: number) => number): void {
    const counts = new Map<number, number>();
    for (const [old, count] of this.#counts) {
      const key = keyOf(old);
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
    this.#counts = counts;
  }
}

function bucketOf(value: number, scale: number): number {
  return value === 0 ? ZERO_BUCKET : Math.floor(Math.log2(value) * 2 ** scale);
}

/** The geometric middle of a bucket: the relative error is the same at both of its ends. */
function middleOf(bucket: number, scale: number): number {
  return bucket === ZERO_BUCKET ? 0 : 2 ** ((bucket + 0.5) / 2 ** scale);
}

/** The bucket that holds `bucket` where buckets are 2^by times as wide. */
function shift(bucket: number, by: number): number {
  return by <= 0 ? bucket : Math.floor(bucket / 2 ** by);
}
