import { Distribution } from "./distribution.ts";

/** What a metric's values of one span of time come to: CloudWatch's statistic set, with the distribution where it is known. */
export class Summary {
  count = 0;
  sum = 0;
  min = Infinity;
  max = -Infinity;
  /** Of two and more distinct values; one value repeated needs none. */
  #distribution: Distribution | undefined;
  /** A statistic set or a negative value was added: percentiles cannot be told any more. */
  #opaque = false;

  /** @param count how often the value occurred, more than 0 */
  add(value: number, count = 1): void {
    if (value < 0) this.#obscure();
    else if (!this.#opaque) {
      if (this.#distribution !== undefined) this.#distribution.add(value, count);
      else if (this.count > 0 && value !== this.min) this.#spread().add(value, count);
    }
    this.count += count;
    this.sum += value * count;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  /** Adds values of which only these figures are known. Their distribution is known where all are the same value. */
  addSet(set: {
    readonly count: number;
    readonly sum: number;
    readonly min: number;
    readonly max: number;
  }): void {
    if (set.min === set.max && set.sum === set.min * set.count) return this.add(set.min, set.count);
    this.#obscure();
    this.#addFigures(set);
  }

  merge(other: Summary): void {
    if (other.count === 0) return;
    if (other.#opaque) this.#obscure();
    else if (!this.#opaque) {
      const theirs = other.#distribution;
      if (theirs === undefined) {
        // One value, repeated; its sum may have been rounded, so it is added as it is.
        if (this.#distribution !== undefined) this.#distribution.add(other.min, other.count);
        else if (this.count > 0 && other.min !== this.min) this.#spread().add(other.min, other.count);
      } else if (this.count === 0) this.#distribution = theirs.copy();
      else (this.#distribution ?? this.#spread()).merge(theirs);
    }
    this.#addFigures(other);
  }

  /** The distribution of two and more distinct values; undefined for one value and where it is not known. */
  get distribution(): Distribution | undefined {
    return this.#distribution;
  }

  /** Whether percentiles are not known. */
  get opaque(): boolean {
    return this.#opaque;
  }

  copy(): Summary {
    return Summary.of(this, this.#distribution?.copy(), this.#opaque);
  }

  /** A summary as it was stored. */
  static of(
    set: { readonly count: number; readonly sum: number; readonly min: number; readonly max: number },
    distribution: Distribution | undefined,
    opaque: boolean,
  ): Summary {
    const summary = new Summary();
    summary.#addFigures(set);
    summary.#distribution = distribution;
    summary.#opaque = opaque;
    return summary;
  }

  #addFigures({
    count,
    sum,
    min,
    max,
  }: {
    readonly count: number;
    readonly sum: number;
    readonly min: number;
    readonly max: number;
  }): void {
    this.count += count;
    this.sum += sum;
    if (min < this.min) this.min = min;
    if (max > this.max) this.max = max;
  }

  /** Begins a distribution with the one value there was so far. */
  #spread(): Distribution {
    this.#distribution = new Distribution();
    if (this.count > 0) this.#distribution.add(this.min, this.count);
    return this.#distribution;
  }

  #obscure(): void {
    this.#opaque = true;
    this.#distribution = undefined;
  }
}
