/** A rate that refills continuously and lets through, after a pause, no more than `capacity` at once. */
export class TokenBucket {
  #capacity: number;
  #perSecond: number;
  #tokens: number;
  #at: number | undefined;

  constructor(capacity: number, perSecond: number) {
    this.#capacity = capacity;
    this.#perSecond = perSecond;
    this.#tokens = capacity;
  }

  /**
   * Takes one token, or so many of them. Returns 0, or how many milliseconds until there will be enough.
   * @param now monotonic milliseconds
   */
  take(now: number, count = 1): number {
    const passed = this.#at === undefined ? 0 : now - this.#at;
    this.#at = now;
    this.#tokens = Math.min(this.#capacity, this.#tokens + (passed * this.#perSecond) / 1000);
    if (this.#tokens < count)
      return this.#perSecond === 0 ? Infinity : ((count - this.#tokens) * 1000) / this.#perSecond;
    this.#tokens -= count;
    return 0;
  }

  /** Changes the rate; what was used of the old one stays used. */
  resize(capacity: number, perSecond: number): void {
    const used = this.#capacity - this.#tokens;
    this.#capacity = capacity;
    this.#perSecond = perSecond;
    this.#tokens = Math.max(0, capacity - used);
  }
}
