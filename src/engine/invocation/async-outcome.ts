import type { InvocationResult } from "../contract.ts";
import type { Refusal } from "./async-event.ts";

/** For how long, and how often, an event is tried. */
export interface EventLimits {
  /** Tries after the first that failed: 0 to 2. */
  readonly maxRetries: number;
  /** Milliseconds from its acceptance. */
  readonly maxAgeMs: number;
  /** Reserved concurrency of 0: events are given up without a try, as AWS does. */
  readonly stopped?: boolean;
}

/** AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation": the defaults. */
export const DEFAULT_EVENT_LIMITS: EventLimits = { maxRetries: 2, maxAgeMs: 6 * 3600_000 };

/** How an event ended, in the words of the records that destinations get. */
export interface EventOutcome {
  readonly condition: "Success" | "RetriesExhausted" | "EventAgeExceeded";
  /** How often the function has run on it. */
  readonly attempts: number;
  /** Of its last run; undefined where it was never started, or was too old before it could be started again. */
  readonly last: { readonly version: string; readonly result: InvocationResult } | undefined;
  /** Why it was not started, where it was not, and that is known. */
  readonly refusal?: Refusal | undefined;
}
