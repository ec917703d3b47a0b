import type { Clock } from "#core/clock";

/** By then their last lines and metrics have come, and scrapers have read what these came to. */
const SETTLED_MS = 120_000;

/** Functions that were deleted, told a while later and together: who looks through what it holds does so once for many. */
export class DeletedFunctions {
  readonly #clock: Clock;
  readonly #tell: (arns: ReadonlySet<string>) => void;
  #fresh = new Set<string>();
  #settling: ReadonlySet<string> | undefined;

  constructor(clock: Clock, tell: (arns: ReadonlySet<string>) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** @param arn unqualified */
  add(arn: string): void {
    this.#fresh.add(arn);
    if (this.#settling === undefined) this.#settle();
  }

  #settle(): void {
    const settling = this.#fresh;
    this.#settling = settling;
    this.#fresh = new Set();
    this.#clock.after(SETTLED_MS, () => {
      this.#tell(settling);
      this.#settling = undefined;
      if (this.#fresh.size > 0) this.#settle();
    });
  }
}
