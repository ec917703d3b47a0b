import { describe, expect, it } from "vitest";
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from "../topic/delivery-policy.ts";
import { httpSchedule, managedSchedule, type Schedule } from "./schedule.ts";

const seconds = (schedule: Schedule, ...failures: number[]) =>
  failures.map((count) => {
    const delayMs = schedule(count);
    return delayMs === undefined ? undefined : Math.round(delayMs / 100) / 10;
  });
const firstOf = (policy: Partial<RetryPolicy>, count: number) =>
  seconds(
    httpSchedule({ ...DEFAULT_RETRY_POLICY, ...policy }),
    ...Array.from({ length: count }, (_, index) => index + 1),
  );

describe("functions and queues", () => {
  it("have 100,015 retries in 23 days, in AWS's four phases", () => {
    expect(seconds(managedSchedule, 1, 2, 3, 4, 5)).toEqual([0, 0, 0, 1, 1]);
    expect(seconds(managedSchedule, 6, 7, 10, 14, 15)).toEqual([1, 1.4, 3.8, 14.3, 20]);
    expect(seconds(managedSchedule, 16, 100_015, 100_016)).toEqual([20, 20, undefined]);
  });
});

describe("HTTP endpoints", () => {
  it("have three retries 20 s apart where nothing else is said", () => {
    expect(firstOf({}, 4)).toEqual([20, 20, 20, undefined]);
  });

  it("have the retries of each phase, and then no more", () => {
    const policy = {
      minDelayTarget: 2,
      maxDelayTarget: 10,
      numRetries: 8,
      numNoDelayRetries: 2,
      numMinDelayRetries: 1,
      numMaxDelayRetries: 2,
    };
    expect(firstOf(policy, 9)).toEqual([0, 0, 2, 2, 6, 10, 10, 10, undefined]);
  });

  it.each([
    ["linear", [1, 25.8, 50.5, 75.3, 100]],
    ["geometric", [1, 3.2, 10, 31.6, 100]],
    ["arithmetic", [1, 16.5, 38.1, 66, 100]],
    ["exponential", [1, 1.5, 4, 18.4, 100]],
  ] as const)("back off by the %s function", (backoffFunction, expected) => {
    const policy = { minDelayTarget: 1, maxDelayTarget: 100, numRetries: 5, backoffFunction };
    expect(firstOf(policy, 5)).toEqual(expected);
  });

  it("of a single retry wait the least delay", () => {
    expect(firstOf({ minDelayTarget: 3, maxDelayTarget: 9, numRetries: 1 }, 2)).toEqual([3, undefined]);
  });
});
