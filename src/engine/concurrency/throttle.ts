import { AwsError } from "#core/errors";

/** Lambda's `ThrottleReason`, those that an invocation can meet here. */
export type ThrottleReason =
  | "ConcurrentInvocationLimitExceeded"
  | "ReservedFunctionConcurrentInvocationLimitExceeded"
  | "FunctionInvocationRateLimitExceeded"
  | "ReservedFunctionInvocationRateLimitExceeded";

/** Why an invocation may not run now. */
export interface Throttle {
  readonly reason: ThrottleReason;
  /** When it may: known for rates alone. */
  readonly waitMs: number | undefined;
}

/**
 * A throttled Invoke, in its recorded wording (test_lambda_concurrency_block). The service model binds
 * `retryAfterSeconds` to the header `Retry-After`: whole seconds, and one where nobody knows when a place comes free.
 */
export function throttled({ reason, waitMs = 0 }: Throttle): AwsError {
  const seconds = Math.min(60, Math.max(1, Math.ceil(waitMs / 1000)));
  return new AwsError("TooManyRequestsException", "Rate Exceeded.", {
    status: 429,
    members: { Reason: reason, Type: "User", message: "Rate Exceeded." },
    headers: { "retry-after": String(seconds) },
  });
}

export function isThrottle(error: unknown): boolean {
  return error instanceof AwsError && error.code === "TooManyRequestsException";
}
