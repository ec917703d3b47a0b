/** Quotas of X-Ray ("AWS X-Ray endpoints and quotas", and the API reference). Sizes in bytes, times in milliseconds. */
export const LIMITS = {
  segmentBytes: 64 * 1024,
  /** "trace and service graph data are kept for 30 days" */
  retention: 30 * 86_400_000,
  /** How far a trace's id may lie in the future: clocks differ. */
  ahead: 5 * 60_000,
  traceBytes: 500 * 1024,
  tracesBatch: 5,
  summariesPage: 100,
  /** GetTraceSummaries, GetServiceGraph and GetTimeSeriesServiceStatistics look at so much time at most. */
  summariesSpan: 24 * 3_600_000,
  graphSpan: 6 * 3_600_000,
  groups: 25,
  samplingRules: 25,
  page: 100,
  tags: 50,
  annotations: 50,
  /** "up to 5 resource policies", of 5 KB each. */
  policies: 5,
  policyBytes: 5 * 1024,
  /** Traces of one retrieval. */
  retrieved: 100,
} as const;
