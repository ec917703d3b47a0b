import type { Clock, Timer } from "#core/clock";
import type { FunctionConcurrency, ProvisionedAllotment, UsageSink } from "../contract.ts";

/** How often it is counted for how long environments have been asked for: as much as a crash may lose. */
const COUNT_MS = 1000;

/** "From the time you enable it on your function until it is disabled, rounded up to the nearest five minutes" (AWS Lambda Pricing). */
const ROUNDED_MS = 5 * 60_000;

interface Asked {
  readonly function: FunctionConcurrency;
  allotment: ProvisionedAllotment;
  /** Monotonic milliseconds. */
  readonly since: number;
}

/** Counts provisioned concurrency, which is paid for while it is configured, whatever becomes of its environments. */
export class ProvisionedUsage {
  readonly #clock: Clock;
  readonly #sink: UsageSink;
  /** By unqualified function ARN, then by qualifier. */
  readonly #asked = new Map<string, Map<string, Asked>>();
  #countedAt: number;
  #timer: Timer | undefined;

  constructor(clock: Clock, sink: UsageSink) {
    this.#clock = clock;
    this.#sink = sink;
    this.#countedAt = clock.monotonic();
  }

  configure(concurrency: FunctionConcurrency): void {
    const { arn, provisioned } = concurrency;
    const before = this.#asked.get(arn);
    if (before === undefined && provisioned.length === 0) return;
    this.#count();
    const now = this.#clock.monotonic();
    const after = new Map<string, Asked>();
    for (const allotment of provisioned) {
      const known = before?.get(allotment.qualifier);
      after.set(
        allotment.qualifier,
        known === undefined ? { function: concurrency, allotment, since: now } : { ...known, allotment },
      );
    }
    for (const [qualifier, asked] of before ?? []) if (!after.has(qualifier)) this.#roundUp(asked, now);
    if (after.size > 0) this.#asked.set(arn, after);
    else this.#asked.delete(arn);
    this.#tick();
  }

  /** Forgets what was asked for: everything was emptied. */
  clear(): void {
    this.#asked.clear();
  }

  /** Counts what is left. While the platform does not run, nothing is provisioned. */
  close(): void {
    this.#count();
    this.#asked.clear();
    this.#timer?.cancel();
  }

  #tick(): void {
    if (this.#asked.size === 0) return;
    this.#timer ??= this.#clock.after(COUNT_MS, () => {
      this.#timer = undefined;
      this.#count();
      this.#tick();
    });
  }

  #count(): void {
    const now = this.#clock.monotonic();
    const elapsed = now - this.#countedAt;
    this.#countedAt = now;
    for (const allotments of this.#asked.values())
      for (const asked of allotments.values()) this.#add(asked, Math.min(elapsed, now - asked.since));
  }

  #roundUp(asked: Asked, now: number): void {
    const rest = (now - asked.since) % ROUNDED_MS;
    if (rest > 0 || now === asked.since) this.#add(asked, ROUNDED_MS - rest);
  }

  #add({ function: { account, region, arn }, allotment }: Asked, ms: number): void {
    if (ms <= 0) return;
    const meter = this.#sink.meter(account, region, arn.slice(arn.lastIndexOf(":") + 1));
    for (const { spec, count } of allotment.targets) meter.reserved(spec, count * ms, this.#clock.now());
  }
}
