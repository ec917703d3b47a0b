import type { RetryPolicy } from "../topic/delivery-policy.ts";

/** Milliseconds until the next try after so many failures; undefined where there is none. */
export type Schedule = (failures: number) => number | undefined;

/** AWS-managed endpoints: three at once, two after 1 s, ten from 1 s to 20 s, then every 20 s for 23 days. */
const AT_ONCE = 3;
const AFTER_A_SECOND = 2;
const BACKOFF = 10;
const LONG_RUN = 100_000;
const LEAST_S = 1;
const MOST_S = 20;

/** Lambda functions and queues (developer guide, "Amazon SNS message delivery retries"). */
export const managedSchedule: Schedule = (failures) => {
  if (failures <= AT_ONCE) return 0;
  if (failures <= AT_ONCE + AFTER_A_SECOND) return LEAST_S * 1000;
  const step = failures - AT_ONCE - AFTER_A_SECOND;
  if (step <= BACKOFF) return Math.round(LEAST_S * (MOST_S / LEAST_S) ** ((step - 1) / (BACKOFF - 1)) * 1000);
  return step <= BACKOFF + LONG_RUN ? MOST_S * 1000 : undefined;
};

/** HTTP endpoints, by their delivery policy: at once, after the least delay, backing off, after the most delay. */
export function httpSchedule(policy: RetryPolicy): Schedule {
  const { minDelayTarget: least, maxDelayTarget: most, numRetries: all } = policy;
  const { numNoDelayRetries: atOnce, numMinDelayRetries: early, numMaxDelayRetries: late } = policy;
  const backoff = all - atOnce - early - late;
  return (failures) => {
    if (failures > all) return undefined;
    if (failures <= atOnce) return 0;
    if (failures <= atOnce + early) return least * 1000;
    const step = failures - atOnce - early;
    if (step > backoff) return most * 1000;
    const share = backoff === 1 ? 0 : (step - 1) / (backoff - 1);
    return Math.round(CURVES[policy.backoffFunction](least, most, share) * 1000);
  };
}

/** From the least to the most delay, the share of the way from 0 to 1 ("Retry-backoff functions"). */
const CURVES: Readonly<
  Record<RetryPolicy["backoffFunction"], (least: number, most: number, share: number) => number>
> = {
  linear: (least, most, share) => least + (most - least) * share,
  arithmetic: (least, most, share) => least + (most - least) * ((share * (share + 1)) / 2),
  geometric: (least, most, share) => least * (most / least) ** share,
  exponential: (least, most, share) => least + ((most - least) * (2 ** (share * 10) - 1)) / (2 ** 10 - 1),
};
