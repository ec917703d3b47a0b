import type { FunctionConcurrency, FunctionSpec, MetricSink, UsageSink } from "../contract.ts";
import { AccountMeter } from "./meter.ts";
import type { FunctionMeter } from "./meter.ts";
import type { Throttle } from "./throttle.ts";
import { TokenBucket } from "./token-bucket.ts";

/** AWS Lambda Developer Guide, "Lambda scaling behavior": 1,000 environments every 10 seconds per function, refilled continuously, never saved up. */
const SCALING = { capacity: 1000, perSecond: 100 } as const;

/** AWS Lambda Developer Guide, "Understanding concurrency and requests per second": 10 times the concurrency. */
const REQUESTS_PER_SECOND = 10;

/** The concurrency of one account in one region. */
export class AccountGate {
  readonly meter: AccountMeter;
  readonly limit: number;
  /** What functions have claimed for themselves: their reserved concurrency, or what is provisioned of those without. */
  claimed = 0;
  /** Invocations under way, and those of them that use unreserved concurrency. */
  running = 0;
  unreserved = 0;
  readonly rate: TokenBucket;

  constructor(limit: number, meter: AccountMeter) {
    this.limit = limit;
    this.meter = meter;
    this.rate = new TokenBucket(limit * REQUESTS_PER_SECOND, limit * REQUESTS_PER_SECOND);
  }
}

/**
 * The gate of one function, all its versions together. Everything here is synchronous and in one thread, so that a
 * limit cannot be passed by however many invocations that come at once.
 */
export class FunctionGate {
  readonly account: AccountGate;
  readonly arn: string;
  readonly meter: FunctionMeter;
  /** When it was last asked, in monotonic milliseconds. */
  lastUsed = 0;
  /** Invocations under way, and those of them that run outside of provisioned environments. */
  running = 0;
  #onDemand = 0;
  #reserved: number | undefined;
  /** What its aliases and versions have been promised together; on-demand invocations may not use that. */
  #provisioned = 0;
  #rate: TokenBucket | undefined;
  readonly #scaling = new TokenBucket(SCALING.capacity, SCALING.perSecond);

  constructor(account: AccountGate, arn: string) {
    this.account = account;
    this.arn = arn;
    this.meter = account.meter.ofFunction(arn);
  }

  get configured(): boolean {
    return this.#reserved !== undefined || this.#provisioned > 0;
  }

  /**
   * Counts one invocation in, or says why not; call `leave` with the same `provisioned` when it is done.
   * @param provisioned whether it has a provisioned environment; its concurrency is claimed already
   * @param now monotonic milliseconds
   */
  enter(provisioned: boolean, now: number): Throttle | undefined {
    const { account } = this;
    this.lastUsed = now;
    if (this.#reserved !== undefined) {
      // Recorded: with one reserved, and that one provisioned, $LATEST never runs (test_lambda_concurrency_block).
      if (!provisioned && this.#onDemand >= this.#reserved - this.#provisioned)
        return { reason: "ReservedFunctionConcurrentInvocationLimitExceeded", waitMs: undefined };
      const waitMs = this.#rate?.take(now) ?? 0;
      if (waitMs > 0) return { reason: "ReservedFunctionInvocationRateLimitExceeded", waitMs };
    } else {
      if (!provisioned && account.unreserved >= account.limit - account.claimed)
        return { reason: "ConcurrentInvocationLimitExceeded", waitMs: undefined };
      const waitMs = account.rate.take(now);
      if (waitMs > 0) return { reason: "FunctionInvocationRateLimitExceeded", waitMs };
      if (!provisioned) account.unreserved++;
    }
    if (!provisioned) this.#onDemand++;
    this.running++;
    account.running++;
    return undefined;
  }

  leave(provisioned: boolean): void {
    const { account } = this;
    if (!provisioned) {
      this.#onDemand--;
      if (this.#reserved === undefined) account.unreserved--;
    }
    this.running--;
    account.running--;
  }

  /** Counts one more on-demand environment, or says why it may not start yet. @param now monotonic milliseconds */
  scale(now: number): Throttle | undefined {
    const waitMs = this.#scaling.take(now);
    return waitMs === 0 ? undefined : { reason: "FunctionInvocationRateLimitExceeded", waitMs };
  }

  configure(reserved: number | undefined, provisioned: number): void {
    const { account } = this;
    account.claimed += (reserved ?? provisioned) - (this.#reserved ?? this.#provisioned);
    // What runs on demand now counts where it will be counted out.
    if (this.#reserved === undefined && reserved !== undefined) account.unreserved -= this.#onDemand;
    if (this.#reserved !== undefined && reserved === undefined) account.unreserved += this.#onDemand;
    this.#reserved = reserved;
    this.#provisioned = provisioned;
    const rate = (reserved ?? 0) * REQUESTS_PER_SECOND;
    if (reserved === undefined) this.#rate = undefined;
    else if (this.#rate === undefined) this.#rate = new TokenBucket(rate, rate);
    else this.#rate.resize(rate, rate);
  }
}

/**
 * Gates that did nothing for this long may go: every rate is full again by then, so that nothing is forgotten. They go
 * once there are many, since any number of functions may be invoked once.
 */
const FORGET_AFTER_MS = 60_000;
const MANY = 1000;

/** Counts invocations under way by account, region and function, and throttles over AWS's limits. */
export class ConcurrencyGate {
  readonly #limit: number;
  readonly #metrics: MetricSink;
  readonly #usage: UsageSink;
  readonly #accounts = new Map<string, AccountGate>();
  readonly #functions = new Map<string, FunctionGate>();
  #sweepAt = MANY;

  /** @param limit concurrent executions per account and region; AWS's default is 1,000 */
  constructor(limit: number, metrics: MetricSink, usage: UsageSink) {
    this.#limit = limit;
    this.#metrics = metrics;
    this.#usage = usage;
  }

  /** Invocations under way in all accounts. */
  get running(): number {
    let running = 0;
    for (const account of this.#accounts.values()) running += account.running;
    return running;
  }

  /** The gate of a spec's function; the same for all its versions. @param now monotonic milliseconds */
  of({ account, region, arn }: Pick<FunctionSpec, "account" | "region" | "arn">, now: number): FunctionGate {
    const known = this.#functions.get(arn);
    if (known !== undefined) return known;
    if (this.#functions.size >= this.#sweepAt) this.#sweep(now);
    const gate = new FunctionGate(this.#account(account, region), arn);
    this.#functions.set(arn, gate);
    return gate;
  }

  /** @param now monotonic milliseconds */
  configure(concurrency: FunctionConcurrency, now: number): void {
    const { reserved, provisioned, arn } = concurrency;
    const counts = provisioned.flatMap(({ targets }) => targets.map(({ count }) => count));
    const claimed = counts.reduce((sum, count) => sum + count, 0);
    if (reserved === undefined && claimed === 0 && !this.#functions.has(arn)) return;
    const gate = this.of(concurrency, now);
    gate.configure(reserved, claimed);
    // The function may have been deleted.
    if (!gate.configured && gate.running === 0) this.#forget(gate);
  }

  /** Takes back every configuration. */
  clear(): void {
    for (const gate of this.#functions.values()) {
      gate.configure(undefined, 0);
      if (gate.running === 0) this.#forget(gate);
    }
  }

  #sweep(now: number): void {
    for (const gate of this.#functions.values())
      if (gate.running === 0 && !gate.configured && now - gate.lastUsed > FORGET_AFTER_MS)
        this.#functions.delete(gate.arn);
    this.#sweepAt = Math.max(MANY, this.#functions.size * 2);
  }

  #forget(gate: FunctionGate): void {
    this.#functions.delete(gate.arn);
    gate.meter.close();
  }

  #account(account: string, region: string): AccountGate {
    const key = `${account}/${region}`;
    let gate = this.#accounts.get(key);
    if (gate === undefined) {
      gate = new AccountGate(this.#limit, new AccountMeter(this.#metrics, this.#usage, account, region));
      this.#accounts.set(key, gate);
    }
    return gate;
  }
}
