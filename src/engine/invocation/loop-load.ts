import { performance } from "node:perf_hooks";

/**
 * How busy this process's event loop is: each call tells which share of the time since the call before it the loop
 * was not waiting for something to do, from 0 to 1. Time in which other processes had the processor counts as busy.
 */
export function loopLoad(): () => number {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return utilization;
  };
}
