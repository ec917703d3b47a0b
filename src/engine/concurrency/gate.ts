import { AwsError } from "#core/errors";

/** Counts invocations under way per account and region, and throttles over the limit. Reserved concurrency is to be counted here too. */
export class ConcurrencyGate {
  readonly #limit: number;
  readonly #running = new Map<string, number>();
  #total = 0;

  /** @param limit concurrent executions per account and region; AWS's default is 1,000 */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get running(): number {
    return this.#total;
  }

  /** Counts one in; call `leave` when it is done. `false` over the limit. */
  enter(account: string, region: string): boolean {
    const key = `${account}/${region}`;
    const running = this.#running.get(key) ?? 0;
    if (running >= this.#limit) return false;
    this.#running.set(key, running + 1);
    this.#total++;
    return true;
  }

  leave(account: string, region: string): void {
    const key = `${account}/${region}`;
    this.#running.set(key, Math.max(0, (this.#running.get(key) ?? 0) - 1));
    this.#total--;
  }
}

/** Recorded wording of a throttled Invoke; `reason` is `ReservedFunctionConcurrentInvocationLimitExceeded` for a function's own limit. */
export function throttled(reason = "ConcurrentInvocationLimitExceeded"): AwsError {
  return new AwsError("TooManyRequestsException", "Rate Exceeded.", {
    status: 429,
    members: { Reason: reason, Type: "User", message: "Rate Exceeded." },
  });
}
