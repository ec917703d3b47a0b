/**
 * The period of CPU bandwidth, in microseconds. On AWS a busy function of 128 MB is seen to run for about 1.4 ms and to
 * pause for about 18.5 ms (github.com/pwrdrvr/lambda-throttling): periods of 20 ms. The kernel's default of 100 ms would stall it for 93 ms.
 */
export const PERIOD_US = 20_000;

/** "At 1,769 MB, a function has the equivalent of one vCPU" (AWS Lambda Developer Guide, Configure Lambda function memory). */
const MB_PER_CORE = 1769;

/** The kernel refuses less than a millisecond; 128 MB, the least that AWS takes, is 1,447 µs. */
const LEAST_US = 1000;

/** CPU time per period that belongs to a MemorySize, in microseconds. */
export function quotaOf(memoryMb: number): number {
  return Math.max(LEAST_US, Math.round((memoryMb / MB_PER_CORE) * PERIOD_US));
}
