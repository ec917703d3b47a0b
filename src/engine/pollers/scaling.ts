import type { ScalingPlan } from "./contract.ts";

/** A standard queue's (AWS Lambda Developer Guide, "Configuring scaling behavior for SQS event source mappings"). */
export const QUEUE_SCALING: ScalingPlan = { first: 5, perMinute: 300, most: 1250 };

/**
 * How many batches of one mapping may run at once: few at first, more while all run and messages are left, fewer after
 * a throttle.
 */
export class BatchScaling {
  readonly #plan: ScalingPlan;
  #limit: number;
  #fullSince: number | undefined;

  constructor(plan: ScalingPlan) {
    this.#plan = plan;
    this.#limit = Math.min(plan.first, plan.most);
  }

  /** @param running batches under way @param now monotonic milliseconds */
  room(running: number, now: number): boolean {
    if (running === 0) this.#limit = Math.max(this.#limit, Math.min(this.#plan.first, this.#plan.most));
    if (running < Math.floor(this.#limit)) {
      this.#fullSince = undefined;
      return true;
    }
    const since = this.#fullSince ?? now;
    this.#fullSince = now;
    this.#limit = Math.min(
      this.#plan.most,
      this.#limit + (this.#plan.perMinute * Math.max(0, now - since)) / 60_000,
    );
    return running < Math.floor(this.#limit);
  }

  throttled(): void {
    this.#limit = Math.max(1, this.#limit / 2);
    this.#fullSince = undefined;
  }
}
