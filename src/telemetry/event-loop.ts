import { monitorEventLoopDelay } from "node:perf_hooks";

/** Event-loop delay since the monitor started or was last reset, in milliseconds. */
export interface EventLoopDelay {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface EventLoopMonitor {
  read(): EventLoopDelay;
  /** Starts a new window. */
  reset(): void;
  stop(): void;
}

/**
 * Measures how late the event loop runs its timers. `resolutionMs` is how often it looks; the histogram includes that
 * wait, so it is taken off.
 */
export function monitorEventLoop(resolutionMs = 10): EventLoopMonitor {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  // An empty histogram answers NaN and a huge minimum; a health page wants zeroes.
  const delay = (nanoseconds: number) =>
    histogram.count === 0 ? 0 : Math.max(0, Math.round(nanoseconds / 1e4) / 100 - resolutionMs);
  return {
    read: () => ({
      meanMs: delay(histogram.mean),
      p50Ms: delay(histogram.percentile(50)),
      p99Ms: delay(histogram.percentile(99)),
      maxMs: delay(histogram.max),
    }),
    reset: () => histogram.reset(),
    stop: () => {
      histogram.disable();
    },
  };
}
