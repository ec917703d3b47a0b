/** What a series that a client goes on adding to has come to. */
export interface Total {
  readonly count: number;
  readonly sum: number;
}

/** Series of all owners. */
const MOST_SERIES = 50_000;

/** How far the totals of owners' series have been told. Where room is short, whoever has the most loses what is oldest. */
export class Totals {
  readonly #most: number;
  readonly #owners = new Map<string, Map<string, Total>>();
  #size = 0;

  constructor(most = MOST_SERIES) {
    this.#most = most;
  }

  get(owner: string, series: string): Total | undefined {
    return this.#owners.get(owner)?.get(series);
  }

  set(owner: string, series: string, total: Total): void {
    let own = this.#owners.get(owner);
    if (own === undefined) this.#owners.set(owner, (own = new Map()));
    if (!own.delete(series)) this.#size++;
    own.set(series, total);
    if (this.#size > this.#most) this.#makeRoom();
  }

  /** A tenth of the largest owner's at once: to find that one takes time. */
  #makeRoom(): void {
    let [largest, series] = ["", new Map<string, Total>()];
    for (const [owner, own] of this.#owners) if (own.size > series.size) [largest, series] = [owner, own];
    let surplus = Math.ceil(series.size / 10);
    for (const oldest of series.keys()) {
      if (surplus-- === 0) break;
      series.delete(oldest);
      this.#size--;
    }
    if (series.size === 0) this.#owners.delete(largest);
  }
}
