import { Packer, Unpacker } from "./packed.ts";

/** Distinct values that are kept as they are; beyond them values share logarithmic buckets. */
export const EXACT_VALUES = 32;

/** At this scale a bucket reaches from 2^(i/32) to 2^((i+1)/32): its middle is within 1.1 % of any value in it. */
export const FINEST_SCALE = 5;

/** Buckets beyond these make all of them twice as wide: 512 hold sixteen powers of two at the finest scale. */
const MAX_BUCKETS = 512;

/** The bucket of zero, which has no logarithm. */
const ZERO_BUCKET = -Infinity;

/** How packed distributions begin: those of exact values; those of buckets with their scale. */
const EXACT = 0;
const BUCKETS = 1;

/**
 * How often which values occurred: few distinct values exactly, many in a sparse exponential histogram as CloudWatch
 * itself keeps them (its agent calls the form SEH1). Two distributions can be merged whatever their scales, so minutes
 * make hours. Values are not negative: CloudWatch has no percentiles of negative values.
 *
 * One that was read from storage stays packed until something is added to it: a month of minutes is read far faster so.
 */
export class Distribution {
  #packed: Uint8Array | undefined;
  /** Counts by value where `scale` is undefined, by bucket where it is a number. */
  #counts = new Map<number, number>();
  #scale: number | undefined;

  /** @param bytes what `pack` gave; they must not change any more */
  static unpack(bytes: Uint8Array): Distribution {
    const distribution = new Distribution();
    distribution.#packed = bytes;
    return distribution;
  }

  /** Undefined as long as values are kept exactly; else a bucket is one 2^scale-th of a power of two. */
  get scale(): number | undefined {
    this.#open();
    return this.#scale;
  }

  /** Distinct values or buckets. */
  get size(): number {
    this.#open();
    return this.#counts.size;
  }

  /** @param value 0 or more */
  add(value: number, count: number): void {
    if (this.#packed !== undefined) this.#open();
    const scale = this.#scale;
    const key = scale === undefined ? value : bucketOf(value, scale);
    const known = this.#counts.get(key);
    this.#counts.set(key, known === undefined ? count : known + count);
    if (known === undefined) this.#bound();
  }

  merge(other: Distribution): void {
    this.#open();
    other.#each((key, count, scale) => {
      if (scale === undefined) this.add(key, count);
      else this.#addBucket(key, count, scale);
    });
  }

  copy(): Distribution {
    const copy = new Distribution();
    copy.#packed = this.#packed;
    copy.#counts = new Map(this.#counts);
    copy.#scale = this.#scale;
    return copy;
  }

  /** Values in ascending order with their counts: exact ones, or the middles of buckets. */
  sorted(): readonly { readonly value: number; readonly count: number }[] {
    const entries: { value: number; count: number }[] = [];
    this.#ascending((key, count, scale) => {
      entries.push({ value: valueOf(key, scale), count });
      return false;
    });
    return entries;
  }

  /** The smallest value that at least `rank` values are not above; undefined where there are not so many. */
  atRank(rank: number): number | undefined {
    let seen = 0;
    let found: number | undefined;
    this.#ascending((key, count, scale) => {
      seen += count;
      if (seen < rank) return false;
      found = valueOf(key, scale);
      return true;
    });
    return found;
  }

  pack(): Uint8Array {
    if (this.#packed !== undefined) return this.#packed;
    const packer = new Packer();
    if (this.#scale === undefined) packer.whole(EXACT);
    else {
      packer.whole(BUCKETS);
      packer.signed(this.#scale);
    }
    let before = 0;
    for (const [key, count] of this.#inOrder()) {
      if (this.#scale === undefined) packer.number(key);
      else if (key === ZERO_BUCKET) packer.number(0);
      packer.number(count);
      if (this.#scale === undefined || key === ZERO_BUCKET) continue;
      packer.signed(key - before);
      before = key;
    }
    return packer.bytes();
  }

  #addBucket(key: number, count: number, scale: number): void {
    if (this.#scale === undefined) this.#toBuckets(Math.min(scale, FINEST_SCALE));
    while ((this.#scale ?? 0) > scale) this.#coarsen();
    const shifted = shift(key, scale - (this.#scale ?? 0));
    this.#counts.set(shifted, (this.#counts.get(shifted) ?? 0) + count);
    this.#bound();
  }

  /** Visits all entries in ascending order until `visit` says that it has enough. */
  #ascending(visit: Visit<boolean>): void {
    if (this.#packed !== undefined) return readPacked(this.#packed, visit);
    for (const [key, count] of this.#inOrder()) if (visit(key, count, this.#scale)) return;
  }

  #each(visit: Visit<void>): void {
    if (this.#packed === undefined) for (const [key, count] of this.#counts) visit(key, count, this.#scale);
    else
      readPacked(this.#packed, (key, count, scale) => {
        visit(key, count, scale);
        return false;
      });
  }

  #inOrder(): readonly [number, number][] {
    return [...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  #open(): void {
    const packed = this.#packed;
    if (packed === undefined) return;
    this.#packed = undefined;
    this.#counts = new Map();
    readPacked(packed, (key, count, scale) => {
      this.#scale = scale;
      this.#counts.set(key, count);
      return false;
    });
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

/** @param scale undefined where `key` is a value itself */
type Visit<Result> = (key: number, count: number, scale: number | undefined) => Result;

/**
 * Entries follow each other in ascending order: value and count of exact ones; count and distance from the bucket before
 * of others. Zero's bucket comes first, if at all, as a count of 0, which does not occur otherwise, and then its own.
 */
function readPacked(bytes: Uint8Array, visit: Visit<boolean>): void {
  const unpacker = new Unpacker(bytes);
  if (unpacker.whole() === EXACT) {
    while (!unpacker.done) if (visit(unpacker.number(), unpacker.number(), undefined)) return;
    return;
  }
  const scale = unpacker.signed();
  let bucket = 0;
  while (!unpacker.done) {
    const count = unpacker.number();
    if (count === 0) {
      if (visit(ZERO_BUCKET, unpacker.number(), scale)) return;
      continue;
    }
    bucket += unpacker.signed();
    if (visit(bucket, count, scale)) return;
  }
}

function bucketOf(value: number, scale: number): number {
  return value === 0 ? ZERO_BUCKET : Math.floor(Math.log2(value) * 2 ** scale);
}

/** Of a bucket its geometric middle: the relative error is the same at both of its ends. */
function valueOf(key: number, scale: number | undefined): number {
  if (scale === undefined) return key;
  return key === ZERO_BUCKET ? 0 : 2 ** ((key + 0.5) / 2 ** scale);
}

/** The bucket that holds `bucket` where buckets are 2^by times as wide. */
function shift(bucket: number, by: number): number {
  return by <= 0 ? bucket : Math.floor(bucket / 2 ** by);
}
